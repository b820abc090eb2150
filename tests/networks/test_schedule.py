import pytest

from rntk_bench.networks.models import Classifier
from rntk_bench.networks.schedule import Schedule

SMALL, MEDIUM, LARGE = (Classifier("gru", width, 1, 1, 2) for width in (5, 10, 20))
# Two rates of each network, the largest declared first.
NETWORKS = [LARGE, LARGE, MEDIUM, MEDIUM, SMALL, SMALL]
TASKS = [(setting, fold) for setting in range(6) for fold in range(3)]


def all_may_win(_):
    return 9


def drain(schedule, compiled):
    taken = []
    while (task := schedule.next_task(compiled)) is not None:
        compiled.add(NETWORKS[task[0]])
        taken.append(task)
    return taken


def test_one_worker_trains_all_runs_small_networks_first_and_folds_in_order():
    taken = drain(Schedule(reversed(TASKS), NETWORKS, all_may_win), set())
    assert sorted(taken) == TASKS
    assert [setting for setting, _ in taken[:6]] == [4, 4, 4, 5, 5, 5]
    for setting in range(6):
        assert [fold for s, fold in taken if s == setting] == [0, 1, 2]


def test_the_setting_with_the_highest_upper_bound_is_next_and_hopeless_ones_are_left_out():
    upper_bound = {0: 5, 1: 7, 2: None, 3: None, 4: 8, 5: None}
    taken = drain(Schedule(TASKS, NETWORKS, lambda task: upper_bound[task[0]]), set())
    assert taken == [(4, 0), (4, 1), (4, 2), (1, 0), (1, 1), (1, 2), (0, 0), (0, 1), (0, 2)]


def test_there_may_be_nothing_to_do():
    assert Schedule([], NETWORKS, all_may_win).next_task(set()) is None
    assert Schedule(TASKS, NETWORKS, lambda _: None).next_task({SMALL}) is None


def test_a_second_worker_trains_other_networks():
    schedule = Schedule(TASKS, NETWORKS, all_may_win)
    first, second = schedule.next_task(set()), schedule.next_task(set())
    assert (NETWORKS[first[0]], NETWORKS[second[0]]) == (SMALL, MEDIUM)
    assert NETWORKS[schedule.next_task({SMALL})[0]] == SMALL


@pytest.mark.parametrize(("seconds", "helped"), [(0.1, False), (10.0, True), (None, True)])
def test_an_idle_worker_helps_where_compiling_again_pays_off(seconds, helped):
    tasks = [task for task in TASKS if NETWORKS[task[0]] == LARGE]
    schedule = Schedule(tasks, NETWORKS, all_may_win)
    schedule.next_task({LARGE})
    schedule.record_compilation(LARGE, 3.0)
    if seconds is not None:
        schedule.record_run(LARGE, seconds)
    assert (schedule.next_task({SMALL}) is not None) == helped
    assert schedule.next_task({LARGE}) is not None
