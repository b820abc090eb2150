import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rntk_bench.benchmark.cost.cluster import ClusterLoad, cluster_load, divide, forecast_seconds
from rntk_bench.benchmark.cost.formula import estimate_cost
from rntk_bench.benchmark.parallel import positions
from rntk_bench.config import Experiment
from rntk_bench.datasets import ARCHIVE
from rntk_bench.methods import METHODS

EXPERIMENT = Experiment()
SHARES = st.lists(
    st.builds(ClusterLoad, st.integers(1, 9), st.floats(0.01, 9.0), st.floats(0.0, 2.0)), max_size=9
)


def work(each):
    return each.n_chunks * each.chunk_seconds + each.end_seconds


@given(SHARES, st.integers(1, 20))
def test_no_cluster_is_faster_than_its_threads_and_the_longest_evaluation_allow(loads, n_threads):
    found = forecast_seconds(loads, n_threads)
    total = sum(map(work, loads))
    longest = max((each.chunk_seconds + each.end_seconds for each in loads), default=0.0)
    assert found >= max(total / n_threads, longest) * (1 - 1e-9)
    assert found <= total * (1 + 1e-9)
    if not any(each.end_seconds for each in loads):
        assert found <= total / n_threads + longest + 1e-9


@given(SHARES)
def test_one_thread_computes_all(loads):
    assert forecast_seconds(loads, 1) == pytest.approx(sum(map(work, loads)))


def test_the_end_waits_for_every_chunk():
    loads = [ClusterLoad(3, 2.0, 1.0), ClusterLoad(1, 0.5, 0.0)]
    # Threads 1 and 2: chunks until 2; then the third until 4 beside the short one, then the end.
    assert forecast_seconds(loads, 2) == pytest.approx(5.0)
    assert forecast_seconds(loads, 8) == pytest.approx(3.0)


@pytest.mark.parametrize("name", ["Coffee", "CricketY", "StarLightCurves"])
def test_a_share_has_the_seconds_of_its_evaluation(name):
    size, method = ARCHIVE[name], METHODS["rntk"]
    chunks = divide(size, method, EXPERIMENT)
    if name == "Coffee":
        assert chunks == []
    else:
        divided = [position for chunk in chunks for position in positions(chunk)]
        assert sorted(divided) == list(range(len(method.settings)))
    each = cluster_load(size, method, EXPERIMENT, 100.0)
    assert each.n_chunks == max(len(chunks), 1)
    assert work(each) == pytest.approx(100.0)
    cost = estimate_cost(size, method, EXPERIMENT)
    assert np.isclose(each.end_seconds, 100.0 * cost.test / cost.seconds if chunks else 0.0)


def test_a_network_is_one_task():
    assert divide(ARCHIVE["StarLightCurves"], METHODS["gru"], EXPERIMENT) == []
