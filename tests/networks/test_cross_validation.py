import numpy as np
import pytest

from tests.networks.problems import NETWORK, problem


@pytest.fixture(scope="module")
def training():
    return problem()


def test_folds_share_a_shape_and_rates_share_weights_and_batches(training):
    runs = [training.run(fold, 0.1) for fold in range(3)]
    assert len({np.shape(run.batches) for run in runs}) == 1
    assert len({np.shape(run.held_out) for run in runs}) == 1
    for fold, run in enumerate(runs):
        used = np.unique(run.batches)
        np.testing.assert_array_equal(used[used >= 0], np.flatnonzero(training.fold != fold))
        out = np.asarray(run.held_out)
        np.testing.assert_array_equal(out[out >= 0], np.flatnonzero(training.fold == fold))
    np.testing.assert_array_equal(training.run(0, 0.1).batches, training.run(0, 0.2).batches)
    first, second = (training.initial(NETWORK, fold)["V"] for fold in (0, 1))
    assert (first != second).any()
    final = np.unique(training.final_run(0.1, 5).batches)
    np.testing.assert_array_equal(final[final >= 0], np.arange(23))
