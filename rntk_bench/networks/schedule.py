"""The order of the runs of a cross-validation, when each worker compiles its own networks."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence, Set
from math import inf

from rntk_bench.networks.models import Classifier

Task = tuple[int, int]
"""The indices of a setting and a fold."""


class Schedule:
    """Assigns runs to workers, so that few are trained in vain and few networks compiled twice.

    The folds of a setting are trained in order. A worker trains the setting with the highest upper
    bound on its score: a good setting is then soon complete, and settings that cannot reach its
    score are left out. A worker first trains the networks that it has compiled. Then it compiles
    the smallest network that no worker has, so that large networks come when many of their runs
    can be left out. Then it helps with the network that has the most work left, if that takes
    longer than compiling the network again.

    Parameters
    ----------
    tasks : iterable of Task
        The runs to be trained.
    networks : sequence of Classifier
        The network of each setting.
    upper_bound : callable
        The highest score that the setting of a task can still have, or None if it is below the
        best score.
    """

    def __init__(
        self,
        tasks: Iterable[Task],
        networks: Sequence[Classifier],
        upper_bound: Callable[[Task], int | None],
    ) -> None:
        self._folds: dict[int, deque[int]] = defaultdict(deque)
        for setting, fold in sorted(tasks):
            self._folds[setting].append(fold)
        self._networks, self._upper_bound = networks, upper_bound
        self._assigned: set[Classifier] = set()
        self._compile_seconds: dict[Classifier, float] = {}
        self._run_seconds: dict[Classifier, float] = {}

    def next_task(self, compiled: Set[Classifier]) -> Task | None:
        """Return the next run for a worker that has compiled these networks, or None."""
        bounds = {
            setting: bound
            for setting, folds in self._folds.items()
            if folds and (bound := self._upper_bound((setting, folds[0]))) is not None
        }
        needed = {self._networks[setting] for setting in bounds}
        candidates = needed & compiled
        if not candidates and needed and (network := self._network_to_compile(needed)):
            candidates = {network}
        settings = [setting for setting in bounds if self._networks[setting] in candidates]
        if not settings:
            return None
        setting = max(settings, key=lambda setting: (bounds[setting], -setting))
        self._assigned.add(self._networks[setting])
        return setting, self._folds[setting].popleft()

    def record_compilation(self, network: Classifier, seconds: float) -> None:
        """Record the time that the compilation of a network took."""
        self._compile_seconds[network] = seconds

    def record_run(self, network: Classifier, seconds: float) -> None:
        """Record the time that a run took."""
        self._run_seconds[network] = seconds

    def _network_to_compile(self, networks: Set[Classifier]) -> Classifier | None:
        """The smallest network without a worker, or the one with the most work left."""
        if unassigned := networks - self._assigned:
            return min(unassigned, key=lambda network: network.size)
        left = {network: self._remaining_seconds(network) for network in networks}
        most = max(left, key=lambda network: (left[network], network.size))
        return most if left[most] > 2 * self._compile_seconds.get(most, 0.0) else None

    def _remaining_seconds(self, network: Classifier) -> float:
        """The time of the network's runs that have not started; infinite if it is not known."""
        n_runs = sum(
            len(folds)
            for setting, folds in self._folds.items()
            if self._networks[setting] == network
        )
        return n_runs * self._run_seconds.get(network, inf)
