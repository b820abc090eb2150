"""The order of the runs of a cross-validation."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from rntk_bench.networks.models import Classifier

Task = tuple[int, int]
"""The indices of a setting and a fold."""


class Schedule:
    """Hands out runs in an order in which many can be left out.

    The folds of a setting are trained in order. The next run is that of the setting with the
    highest upper bound on its score: a good setting is then soon complete, and settings that cannot
    reach its score are left out. Among equals the smallest network comes first, so that large ones
    come when many of their runs can be left out.

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
        self._folds: dict[int, deque[int]] = {}
        for setting, fold in sorted(tasks):
            self._folds.setdefault(setting, deque()).append(fold)
        self._networks, self._upper_bound = networks, upper_bound

    def next_task(self) -> Task | None:
        """Return the next run, or None."""
        bounds = {
            setting: bound
            for setting, folds in self._folds.items()
            if folds and (bound := self._upper_bound((setting, folds[0]))) is not None
        }
        if not bounds:
            return None
        setting = max(bounds, key=lambda s: (bounds[s], -self._networks[s].size, -s))
        return setting, self._folds[setting].popleft()
