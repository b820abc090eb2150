"""How a kernel's parameters and C are chosen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SearchOptions:
    """The options of a search; the defaults are the paper's (A.1).

    Parameters
    ----------
    C : tuple of float
        The grid of the SVM's parameter, ascending.
    n_folds : int
    n_repeats : int
        Cross-validations, with the folds of the seeds `seed`, `seed` + 1, .. The criterion is the
        mean accuracy over the folds of all.
    gram_scale : str
        What Gram matrices are divided by, a name in `rntk_bench.config.GRAM_SCALES`.
    tolerance : float
        LIBSVM's stopping tolerance.
    max_iterations : int
        Limit of the solver's iterations per binary problem.
    seed : int
    """

    C: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
    n_folds: int = 10
    n_repeats: int = 1
    gram_scale: str = "none"
    tolerance: float = 1e-3
    max_iterations: int = 1_000_000
    seed: int = 0
