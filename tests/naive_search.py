"""The search of a kernel method as its definition reads, with scikit-learn's SVC and fractions."""

from fractions import Fraction
from itertools import product

import numpy as np
from sklearn.svm import SVC


def centred(gram, train):
    """A kernel's Gram divided by trace(K) / n - mean(K) of the training Gram."""
    n = len(train)
    size = sum(train[i, i] for i in range(n)) / n
    size -= sum(train[i, j] for i, j in product(range(n), repeat=2)) / n**2
    return gram / size


def validation_accuracies(grams, y, folds, Cs):
    """Mean accuracy over the folds of all cross-validations, by (position of C, setting).

    Parameters
    ----------
    grams : Gram matrices (n, n), one for each setting
    y : (n,) classes
    folds : sequence of (n,) arrays, the number of the fold in which each series is held out
    Cs : values of C
    """
    means = {}
    for (c, C), (setting, gram) in product(enumerate(Cs), enumerate(grams)):
        accuracies = []
        for fold in folds:
            for q in range(max(fold) + 1):
                train, held_out = np.flatnonzero(fold != q), np.flatnonzero(fold == q)
                model = SVC(C=C, kernel="precomputed").fit(gram[np.ix_(train, train)], y[train])
                predicted = model.predict(gram[np.ix_(held_out, train)])
                accuracies.append(Fraction(int((predicted == y[held_out]).sum()), len(held_out)))
        means[c, setting] = sum(accuracies) / len(accuracies)
    return means


def choose(means):
    """The best (position of C, setting), the first of those that tie, and how many tie."""
    best = max(means.values())
    tied = sorted(key for key, mean in means.items() if mean == best)
    return tied[0], len(tied), best
