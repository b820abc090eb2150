"""How C and a kernel's parameters are chosen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SVCOptions:
    """The options of support vector machines; the defaults are the paper's (A.1) and LIBSVM's.

    Parameters
    ----------
    C : tuple of float
        The grid of the SVM's parameter, ascending.
    tolerance : float
        LIBSVM's stopping tolerance.
    max_iterations : int
        Limit of the solver's iterations per binary problem.
    """

    C: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
    tolerance: float = 1e-3
    max_iterations: int = 1_000_000


@dataclass(frozen=True)
class SearchOptions(SVCOptions):
    """The options of a search, with those of its SVMs.

    Parameters
    ----------
    n_folds : int
    n_repeats : int
        Cross-validations, with the folds of the seeds `seed`, `seed` + 1, .. The criterion is the
        mean accuracy over the folds of all.
    gram_scale : str
        What Gram matrices are divided by, a name in `rntk_bench.config.GRAM_SCALES`.
    seed : int
    """

    n_folds: int = 10
    n_repeats: int = 1
    gram_scale: str = "none"
    seed: int = 0
