from rntk_bench.benchmark.cost.formula import PAIR_STEP, calibrate, estimate_cost
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


def test_a_shared_readout_costs_a_pass_for_each_lag():
    def seconds(method, experiment=None, **changes):
        sizes = {"n_train": 300, "n_test": 300, "length": 140, "n_classes": 2, **changes}
        entry = ArchiveEntry(**sizes, type="")
        return estimate_cost(entry, METHODS[method], experiment or Experiment()).seconds

    # 36 kernels: 9 passes along the diagonals up to half the length, which are 1.5 recursions each.
    plain = 0.5 * 300**2 * 140 * PAIR_STEP
    base = seconds("rntk-shared")
    assert base > 9 * 100 * plain
    assert seconds("rntk-shared", length=280) > 1.8 * base  # every second lag of twice as many
    assert seconds("rntk-shared", Experiment(n_repeats=30)) > base
    assert seconds("rntk-shared", n_test=3000) > base
    assert seconds("rntk-multiscale") > 100 * plain


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
