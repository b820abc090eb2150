"""The table of Hermite coefficients: against Gauss-Hermite quadrature and its own stated error."""

import math

import numpy as np
import pytest

from rntk_bench.kernels.activations import ACTIVATIONS, Smooth
from rntk_bench.kernels.recursion.hermite import DEGREE, INTERVALS, locate
from rntk_bench.kernels.recursion.hermite_coefficients import (
    Octave,
    Tables,
    coefficients,
    energies,
    tables,
)

RNG = np.random.default_rng(0)


def exponent(s):
    return math.frexp(s)[1] + 1022


def from_table(s, table):
    """E[phi^2] and E[phi'^2], and a_0, a_1, ... of one deviation."""
    cell, x = locate(s, table.slots)
    powers = x ** np.arange(DEGREE + 1)
    terms = np.einsum("dpk,d->kp", table.terms[cell], powers).ravel()
    return powers @ table.energies[cell], terms, table.errors[cell]


def gauss_hermite(function, s, n_terms):
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / math.sqrt(2 * math.pi)
    basis = np.array([np.polynomial.hermite_e.hermeval(nodes, row) for row in np.eye(n_terms)])
    norms = np.sqrt([math.factorial(k) for k in range(n_terms)])
    return (basis * weights) @ function(s * nodes) / norms, weights @ function(s * nodes) ** 2


@pytest.mark.parametrize("name", ["tanh", "gelu", "sin"])
@pytest.mark.parametrize("s", [3e-9, 0.013, 0.25, 0.4999999, 0.77, 1.0])
def test_equals_gauss_hermite_quadrature(name, s):
    phi = ACTIVATIONS[name]
    values, terms, _ = from_table(s, Tables(phi).extended([exponent(s)]))
    expected, energy = gauss_hermite(phi.phi, s, 20)
    shared = min(20, len(terms))
    # The terms that a cell does not need are not all there.
    np.testing.assert_allclose(terms[:shared], expected[:shared], atol=1e-9 * math.sqrt(energy))
    assert not len(terms) or np.abs(expected[shared:]).max(initial=0.0) < 1e-7 * math.sqrt(energy)
    np.testing.assert_allclose(values[0], energy, rtol=1e-9)
    np.testing.assert_allclose(values[1], gauss_hermite(phi.slope, s, 1)[1], rtol=1e-8)


@pytest.mark.parametrize(
    ("phi", "s"),
    [
        (ACTIVATIONS["tanh"], 0.6),
        (ACTIVATIONS["sin"], 13.0),  # where the polynomials are visibly wrong
        (Smooth(lambda z: np.maximum(z - 0.3, 0.0)), 0.9),  # and where the quadrature is rough
    ],
)
def test_the_polynomials_keep_the_stated_error(phi, s):
    table = Tables(phi).extended([exponent(s)])
    worst = 0.0
    for each in s * (1.0 + 0.1 * RNG.random(20)):
        (energy, _), terms, errors = from_table(each, table)
        difference = terms - coefficients(phi.phi, np.array([each]))[: len(terms), 0]
        off = 2.0 * np.linalg.norm(difference) / math.sqrt(energy)
        off += abs(energy - energies(phi.phi, np.array(each))) / energy
        worst = max(worst, off)
        assert off <= errors[0, 1] + 1e-14
    assert worst > 0.0


def test_an_odd_function_has_no_even_terms_and_few_terms_if_nearly_linear():
    small, large = (Octave.of(ACTIVATIONS["tanh"], exponent(s)).counts for s in (1e-6, 0.9))
    assert small.shape == (INTERVALS, 2)
    assert not small[:, 0].any()
    assert not large[:, 0].any()
    assert small[:, 1].max() == 4 < large[:, 1].max()
    gelu = Octave.of(ACTIVATIONS["gelu"], exponent(0.9)).counts
    assert gelu[:, 1].max() == 4 < gelu[:, 0].max()


def test_tables_are_cached_for_equal_activations_and_work_without_a_hash():
    assert tables(Smooth(np.arctan)) is tables(Smooth(np.arctan))
    phi = Smooth(Unhashable())
    assert tables(phi) is not tables(phi)


class Unhashable:
    __hash__ = None

    def __call__(self, z):
        return np.arctan(z)
