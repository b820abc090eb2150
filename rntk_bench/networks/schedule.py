"""Which of a cross-validation's runs comes next, where each worker compiles its own networks."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence, Set
from math import inf

from rntk_bench.networks.models import Classifier

Task = tuple[int, int]
"""A setting and a fold, by position."""


class Schedule:
    """Deals runs to workers so that much need not be trained and little is compiled twice.

    A setting's folds come in order. Of the settings open to a worker the one goes on that can
    still reach the highest score; so a good one is soon complete, and those that cannot reach it
    are left out. A worker stays with the networks it has compiled; then it takes the smallest
    that nobody has, so that the large ones come when much can be left out; then it helps with
    the one that has the most left, if that is worth compiling it once more.

    Parameters
    ----------
    tasks : runs to be trained
    networks : the network of each setting
    upper_bound : the highest score that the setting of a task can still have, or None if it is
        below the best
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
        self._taken: set[Classifier] = set()
        self._compilation: dict[Classifier, float] = {}
        self._seconds: dict[Classifier, float] = {}

    def next_task(self, compiled: Set[Classifier]) -> Task | None:
        """The next run for a worker that has compiled these networks, None if there is none."""
        opened = ((setting, self._open(setting)) for setting in self._folds)
        upper_bound = {setting: value for setting, value in opened if value is not None}
        networks = {self._networks[setting] for setting in upper_bound}
        mine = networks & compiled
        if not mine and networks and (chosen := self._choose(networks)):
            mine = {chosen}
        candidates = [setting for setting in upper_bound if self._networks[setting] in mine]
        if not candidates:
            return None
        setting = max(candidates, key=lambda setting: (upper_bound[setting], -setting))
        self._taken.add(self._networks[setting])
        return setting, self._folds[setting].popleft()

    def compiled(self, network: Classifier, seconds: float) -> None:
        """Learn how long a network took to compile."""
        self._compilation[network] = seconds

    def finished(self, network: Classifier, seconds: float) -> None:
        """Learn how long a run took."""
        self._seconds[network] = seconds

    def _open(self, setting: int) -> int | None:
        folds = self._folds[setting]
        return self._upper_bound((setting, folds[0])) if folds else None

    def _choose(self, networks: Set[Classifier]) -> Classifier | None:
        """A network to compile: nobody's smallest, or somebody's with enough left to do."""
        if fresh := networks - self._taken:
            return min(fresh, key=lambda network: network.size)
        left = {network: self._left(network) for network in networks}
        most = max(left, key=lambda network: (left[network], network.size))
        return most if left[most] > 2 * self._compilation.get(most, 0.0) else None

    def _left(self, network: Classifier) -> float:
        """Seconds of the network's runs that nobody has begun; unknown counts as much."""
        runs = sum(
            len(folds)
            for setting, folds in self._folds.items()
            if self._networks[setting] == network
        )
        return runs * self._seconds.get(network, inf)
