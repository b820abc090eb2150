from rntk_bench.networks.models import Classifier
from rntk_bench.networks.schedule import Schedule

SMALL, MEDIUM, LARGE = (Classifier("gru", width, 1, 1, 2) for width in (5, 10, 20))
# Two rates of each network, the largest declared first.
NETWORKS = [LARGE, LARGE, MEDIUM, MEDIUM, SMALL, SMALL]
TASKS = [(setting, fold) for setting in range(6) for fold in range(3)]


def all_may_win(_):
    return 9


def drain(schedule):
    taken = []
    while (task := schedule.next_task()) is not None:
        taken.append(task)
    return taken


def test_all_runs_are_trained_small_networks_first_and_folds_in_order():
    taken = drain(Schedule(reversed(TASKS), NETWORKS, all_may_win))
    assert sorted(taken) == TASKS
    assert [setting for setting, _ in taken[:6]] == [4, 4, 4, 5, 5, 5]
    for setting in range(6):
        assert [fold for s, fold in taken if s == setting] == [0, 1, 2]


def test_the_setting_with_the_highest_upper_bound_is_next_and_hopeless_ones_are_left_out():
    upper_bound = {0: 5, 1: 7, 2: None, 3: None, 4: 8, 5: None}
    taken = drain(Schedule(TASKS, NETWORKS, lambda task: upper_bound[task[0]]))
    assert taken == [(4, 0), (4, 1), (4, 2), (1, 0), (1, 1), (1, 2), (0, 0), (0, 1), (0, 2)]


def test_there_may_be_nothing_to_do():
    assert Schedule([], NETWORKS, all_may_win).next_task() is None
    assert Schedule(TASKS, NETWORKS, lambda _: None).next_task() is None
