from rntk_bench.config import Experiment
from rntk_bench.experiments.estimate import Size, calibrate, cell_cost
from rntk_bench.methods import METHODS


def test_cost_grows_with_what_it_depends_on():
    def seconds(method="rntk", experiment=None, slowness=1.0, **changes):
        sizes = {"n_train": 100, "n_test": 50, "length": 200, "n_classes": 3, **changes}
        return cell_cost(
            Size(**sizes), METHODS[method], experiment or Experiment(), slowness
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


def test_memory_holds_the_grams():
    small, large = (
        cell_cost(Size(n, 10, 100, 2), METHODS["rntk"], Experiment()).memory for n in (100, 1000)
    )
    assert large > 50 * small
    assert large > 8 * 1000**2


def test_calibration_is_a_positive_factor():
    assert 0 < calibrate() < 1000
