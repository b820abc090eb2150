"""What each method is, in words: known without importing a kernel, so that shells, tables and
lists have it at once. What a method computes is in `rntk_bench.methods`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Description(NamedTuple):
    """A method in words.

    Attributes
    ----------
    title : str
        Its name in the tables.
    summary : str
        What it is, in a line.
    reference : str
        Where its formula is; numbers are the paper's equations.
    extra : str
        The extra of this package that it needs; empty for none.
    """

    title: str
    summary: str
    reference: str = ""
    extra: str = ""


CATALOGUE: Mapping[str, Description] = {
    "rntk": Description(
        "RNTK",
        "tangent kernel of an infinitely wide recurrent network, read out at the last step",
        "Theorem 1, (116) and (141)",
    ),
    "ntk": Description(
        "NTK",
        "tangent kernel of an infinitely wide perceptron, the series one vector",
        "(30) to (35)",
    ),
    "rbf": Description("RBF", "radial basis function, the series one vector", "(39)"),
    "poly": Description("Polynomial", "polynomial kernel, the series one vector", "(41)"),
    "rntk-avg": Description(
        "RNTK average",
        "the RNTK with a readout at every step",
        "(141) at every step, arXiv:2012.04859",
    ),
    "rntk-both": Description(
        "RNTK both",
        "the sum of the RNTKs forward and backward in time",
        "(141) in both directions, arXiv:2012.04859",
    ),
    "nngp": Description(
        "NNGP", "Gaussian process of the RNTK's network: its output before any training", "(9)"
    ),
    "rntk-extended": Description(
        "RNTK extended",
        "the RNTK, its direction and pooling chosen by cross-validation too",
        "(141), arXiv:2012.04859",
    ),
    "rnn-gaussian": Description(
        "Gaussian RNN",
        "finite ReLU network in NTK parametrisation, its weights drawn from a Gaussian",
        "A.1",
        "finite",
    ),
    "rnn-identity": Description(
        "Identity RNN",
        "finite ReLU network that begins with W = I",
        "A.1; Le, Jaitly and Hinton (2015), arXiv:1504.00941",
        "finite",
    ),
    "gru": Description(
        "GRU",
        "finite network of gated recurrent units",
        "A.1; Cho et al. (2014), arXiv:1406.1078",
        "finite",
    ),
}


def describe(method: str) -> Description:
    """Description of a method; one that is not in the catalogue has its name as title alone."""
    return CATALOGUE.get(method, Description(method, ""))
