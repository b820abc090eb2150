from dataclasses import replace

import numpy as np
import pytest
from jax.tree import leaves

from rntk_bench.benchmark.cost import memory
from rntk_bench.benchmark.cost.memory import estimate_memory, limit_jobs
from rntk_bench.config import Experiment, Network
from rntk_bench.datasets.archive import ArchiveEntry
from rntk_bench.errors import InputError
from rntk_bench.methods import METHODS
from rntk_bench.networks.models import Classifier

EXPERIMENT = Experiment()


def bytes_of(method="rntk", n_jobs=1, **changes):
    sizes = {"n_train": 1000, "n_test": 10, "length": 100, "n_classes": 2, "type": "", **changes}
    return estimate_memory(ArchiveEntry(**sizes), METHODS[method], EXPERIMENT, n_jobs)


def test_it_grows_with_what_it_depends_on():
    base = bytes_of()
    assert base > memory.BASE + 8 * 1000**2
    assert bytes_of(n_train=10_000) > 50 * (base - memory.BASE)
    assert bytes_of(n_jobs=2) - base > 8 * 1000**2
    assert bytes_of(n_test=20_000) > base
    assert bytes_of(length=5000) > base
    assert bytes_of("rntk-extended") > base
    # One pass of the NTK leaves a Gram for each of its depths.
    assert bytes_of("ntk") - bytes_of("rbf") > 5 * 8 * 1000**2
    assert bytes_of("gru", n_jobs=4) - bytes_of("gru") > 3 * 8 * 4 * 500 * 3 * 500
    folds = replace(EXPERIMENT, network=replace(EXPERIMENT.network, n_folds=10))
    size = ArchiveEntry(1000, 10, 100, 2, "")
    # The weights of every fold may be kept until the end.
    assert estimate_memory(size, METHODS["gru"], folds) > 1.3 * bytes_of("gru")
    assert bytes_of("gru", length=20_000) > 5 * bytes_of("gru")


def test_as_many_jobs_as_fit():
    size, method = ArchiveEntry(1000, 10, 100, 2, ""), METHODS["rntk"]
    needs = [estimate_memory(size, method, EXPERIMENT, jobs) for jobs in (1, 2, 3)]
    for limit, jobs in ((needs[0], 1), (needs[1] - 1, 1), (needs[1], 2), (needs[2], 3)):
        assert limit_jobs(limit, size, method, EXPERIMENT, 8) == jobs
    assert limit_jobs(needs[2], size, method, EXPERIMENT, 2) == 2
    assert limit_jobs(None, size, method, EXPERIMENT, 8) == 8
    with pytest.raises(InputError, match=r"rntk takes about \d+ MiB on 1000 training"):
        limit_jobs(needs[0] - 1, size, method, EXPERIMENT, 8)


@pytest.mark.parametrize("method", ["rntk", "rbf", "ntk", "gru"])
def test_every_dimension_of_the_series_counts(method):
    one, six = (bytes_of(method, length=5000, n_dimensions=m) for m in (1, 6))
    assert six - one >= 5 * 8 * memory.SERIES * 1010 * 5000
    with pytest.raises(InputError, match="of length 5000 in 6 dimensions, but may take"):
        limit_jobs(six - 1, ArchiveEntry(1000, 10, 5000, 2, "", 6), METHODS[method], EXPERIMENT, 1)


@pytest.mark.parametrize("method", ["gru", "rnn-gaussian"])
def test_the_weights_of_all_settings_are_held_once(method):
    """They are as large as those that the networks draw; the mini-batches come on top."""
    settings, n_dimensions = METHODS[method].settings, 3
    drawn = sum(
        leaf.nbytes
        for s in settings
        for leaf in leaves(
            Classifier(method, s["width"], s["n_layers"], n_dimensions, 2).initial(
                np.random.default_rng(0)
            )
        )
    )
    two, four = (
        estimate_memory(
            ArchiveEntry(20, 10, 5, 2, "", n_dimensions),
            METHODS[method],
            Experiment(network=Network(n_folds=n_folds)),
        )
        for n_folds in (2, 4)
    )
    assert drawn <= (four - two) / 2 <= 1.2 * drawn
