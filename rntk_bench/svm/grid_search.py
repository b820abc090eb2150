"""Choosing a setting by cross-validation, exactly.

Mean accuracies are compared as integers over a common denominator, so that rounding neither makes
nor breaks a tie. Pruning leaves out only folds that cannot change the choice, and what a search
reports does not depend on the order in which settings were evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np

from rntk_bench.svm.folds import fold_weights
from rntk_bench.svm.gram_check import flaw
from rntk_bench.svm.svc import CrossValidation
from rntk_bench.types import BoolArray, FloatArray, IntArray

NOT_EVALUATED = -1


@dataclass(frozen=True)
class Choice:
    """The chosen setting and C, by position, and how it was reached."""

    setting: int
    C: int
    ties: int
    """Pairs of setting and C that share the best mean accuracy, the chosen one included."""
    accuracy: float
    by_default: bool = False
    """Whether all usable pairs tie, so that cross-validation chose nothing."""


def undecided(what: str, accuracy: float) -> str:
    """The sentence for a choice that fell to the default, saying what ties, at which accuracy."""
    return (
        f"Cross-validation cannot choose: all {what} have the accuracy {100 * accuracy:.2f} %; "
        "the method's default setting is taken, or the first where that cannot be used."
    )


@dataclass(frozen=True)
class Part:
    """What a search found for some of its settings, for a search elsewhere to take over.

    `hits` and `unfinished` are (n_part, n_C, n_folds), `flaws` as the search has them.
    """

    settings: list[int]
    hits: IntArray
    unfinished: IntArray
    flaws: dict[int, str]
    best: int
    """Highest score the search knew of."""


class Search:
    """Evaluates settings, in any order and from several threads, and chooses one.

    Parameters
    ----------
    validation : CrossValidation
    n_settings : size of the grid
    prune : leave out folds that cannot change the choice
    best : a score that another search over the same grid has reached
    """

    def __init__(
        self, validation: CrossValidation, n_settings: int, prune: bool = True, best: int = 0
    ) -> None:
        self.validation, self.prune = validation, prune
        sizes = validation.fold_sizes
        n_C, n_folds = len(validation.options.C), len(sizes)
        self._weights, self._full = fold_weights(sizes)
        parts = np.array_split(np.arange(n_folds), 3) if prune else [np.arange(n_folds)]
        self._batches = [part for part in parts if len(part)]
        self._hits = np.full((n_settings, n_C, n_folds), NOT_EVALUATED, dtype=np.int64)
        self._unfinished = np.zeros_like(self._hits)
        self.flaws: dict[int, str] = {}
        """What is wrong with the Grams of settings that cannot be used."""
        self._best = best
        self._lock = Lock()

    @property
    def best_accuracy(self) -> float:
        """Best mean validation accuracy so far."""
        return self._best / self._full

    def evaluate(self, setting: int, gram: FloatArray) -> None:
        """Cross-validate one setting's Gram (n, n) for every C."""
        wrong = flaw(gram)
        if wrong is not None:
            self.flaws[setting] = wrong
            return
        hits = self._hits[setting]
        for batch in self._batches:
            n_C = self._worth(hits, self._best)
            if n_C == 0:
                return
            found, unfinished = self.validation.hits(gram, batch, n_C)
            hits[:n_C, batch] = found
            self._unfinished[setting, :n_C, batch] = unfinished.T
        complete = (hits != NOT_EVALUATED).all(axis=1)
        score = int((hits[complete] @ self._weights).max(initial=0))
        with self._lock:
            self._best = max(self._best, score)

    def part(self, settings: list[int]) -> Part:
        """What was found for these settings."""
        return Part(
            settings,
            self._hits[settings],
            self._unfinished[settings],
            {setting: self.flaws[setting] for setting in settings if setting in self.flaws},
            self._best,
        )

    def take(self, part: Part) -> None:
        """Take over what another search of the same grid found."""
        self._hits[part.settings] = part.hits
        self._unfinished[part.settings] = part.unfinished
        self.flaws.update(part.flaws)
        self._best = max(self._best, part.best)

    def choose(self, default: int | None = None) -> Choice:
        """The best mean accuracy; ties go to the smallest C, then to the first setting.

        Where all usable settings tie for every C there is no evidence for any: then the setting
        `default`, if it is given and usable, is taken with the middle C.

        Raises
        ------
        ValueError
            If no setting was usable.
        """
        hits = self.hits
        complete = (hits != NOT_EVALUATED).all(axis=2)
        if not complete.any():
            raise ValueError("no setting was usable")
        scores = np.where(complete, hits @ self._weights, NOT_EVALUATED)
        best = scores.max()
        n_settings, n_C = scores.shape
        ties = np.argwhere(best <= scores.T)  # sorted by C, then by setting
        C, setting = (int(position) for position in ties[0])
        accuracy = int(best) / self._full
        all_tie = 1 < len(ties) == n_C * (n_settings - len(self.flaws))
        if default is None or not all_tie:
            return Choice(setting, C, len(ties), accuracy)
        setting = setting if default in self.flaws else default
        return Choice(setting, (n_C - 1) // 2, len(ties), accuracy, by_default=True)

    @property
    def hits(self) -> IntArray:
        """Correct predictions (n_settings, n_C, n_folds), NOT_EVALUATED where not needed.

        With pruning, "needed" is decided by the final best accuracy. While the search ran, the
        best so far was lower, so everything needed was evaluated; what was evaluated beyond that
        depends on the order and is left out.
        """
        return np.where(self._needed(), self._hits, NOT_EVALUATED)

    def needed_share(self, settings: list[int]) -> float:
        """Which share of what was evaluated of these settings is needed, by the final best."""
        evaluated = int((self._hits[settings] != NOT_EVALUATED).sum())
        return int((self.hits[settings] != NOT_EVALUATED).sum()) / max(evaluated, 1)

    @property
    def unfinished_settings(self) -> int:
        """Settings in which some needed problem stopped at the bound on steps."""
        return int((self._unfinished * self._needed() > 0).any(axis=(1, 2)).sum())

    def _needed(self) -> BoolArray:
        needed = np.zeros(self._hits.shape, dtype=bool)
        for setting in range(len(self._hits)):
            if setting in self.flaws:
                continue
            seen = np.full(self._hits.shape[1:], NOT_EVALUATED)
            for batch in self._batches:
                n_C = self._worth(seen, self._best)
                seen[:n_C, batch] = self._hits[setting, :n_C, batch].T
                needed[setting, :n_C, batch] = True
        return needed

    def _worth(self, hits: IntArray, best: int) -> int:
        """How many C, from the smallest, to go on with: up to the last that can reach `best`.

        A C that cannot is still solved below one that can: the path leads through it.
        """
        if not self.prune:
            return len(hits)
        possible = np.where(hits == NOT_EVALUATED, self.validation.fold_sizes, hits)
        # A gap before the present batch means that this C was given up earlier.
        reach = np.flatnonzero(possible @ self._weights >= best)
        return int(reach[-1]) + 1 if len(reach) else 0
