from rntk_bench.benchmark.cost.formula import calibrate, estimate_cost
from rntk_bench.config import Experiment, Network
from rntk_bench.datasets.archive import ArchiveEntry
from rntk_bench.methods import METHODS


def test_cost_grows_with_what_it_depends_on():
    def seconds(method="rntk", experiment=None, slowness=1.0, **changes):
        sizes = {"n_train": 100, "n_test": 50, "length": 200, "n_classes": 3, **changes}
        return estimate_cost(
            ArchiveEntry(**sizes, type=""), METHODS[method], experiment or Experiment(), slowness
        ).seconds

    base = seconds()
    assert seconds(n_train=200) > 2 * base
    assert seconds(length=400) > base
    assert seconds(method="rbf") < base / 10
    assert seconds(method="ntk", length=400) == seconds(method="ntk")
    assert seconds(method="rntk-both", length=2000) > 1.8 * seconds(length=2000)
    assert 3 * base < seconds(method="rntk-extended") < 7 * base
    assert seconds(experiment=Experiment(n_folds=5)) < base
    assert seconds(slowness=2.0) == 2 * base
    assert seconds(length=4000, n_dimensions=50) > 3 * seconds(length=4000)


def test_calibration_is_a_positive_factor():
    assert 0 < calibrate() < 1000


def test_a_networks_cost_grows_with_what_it_depends_on():
    def cost(method="gru", experiment=None, slowness=1.0, **changes):
        sizes = {"n_train": 100, "n_test": 50, "length": 200, "n_classes": 3, **changes}
        return estimate_cost(
            ArchiveEntry(**sizes, type=""), METHODS[method], experiment or Experiment(), slowness
        )

    base = cost()
    assert base.at_most == base.seconds  # patience as long as the training
    impatient = cost(experiment=Experiment(network=Network(patience=5)))
    assert impatient.at_most > 10 * impatient.seconds
    assert 1.8 < cost(n_train=200).seconds / base.seconds < 2.2
    assert 1.8 < cost(length=400).seconds / base.seconds < 2.2
    assert cost("rnn-gaussian").seconds < base.seconds / 2
    assert cost(slowness=2.0).seconds == 2 * base.seconds
    assert cost(n_dimensions=900).seconds > 2 * base.seconds
    short = cost(experiment=Experiment(network=Network(max_epochs=3)))
    assert short.seconds == short.at_most < base.seconds
