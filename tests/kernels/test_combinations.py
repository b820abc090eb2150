"""Sums, products and multiples of kernels."""

import numpy as np
import pytest

from rntk_bench import NNGP, NTK, RBF, RNTK, Polynomial, ProductKernel, Represented, SumKernel
from rntk_bench.errors import KernelError
from rntk_bench.kernels.batches import grouped_batches

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((9, 8)), RNG.standard_normal((4, 8))
RAGGED = [RNG.standard_normal((T, 2)) for T in (5, 9, 7, 3)]
R, G = RNTK(1.3, sigma_b=0.2, sigma_h=0.5), RBF(0.1)
COMBINED = {
    "sum": (R + G, lambda k: k(R) + k(G)),
    "product": (R * G, lambda k: k(R) * k(G)),
    "multiple": (2.5 * R, lambda k: 2.5 * k(R)),
    "all": (
        2 * R * G + NTK() + 0.5 * (Polynomial() + G) * R,
        lambda k: 2 * k(R) * k(G) + k(NTK()) + 0.5 * (k(Polynomial()) + k(G)) * k(R),
    ),
}
named = pytest.mark.parametrize(("kernel", "expected"), COMBINED.values(), ids=COMBINED)


@named
def test_grams_and_diagonals_are_those_of_the_parts(kernel, expected):
    close = {"rtol": 1e-13}
    np.testing.assert_allclose(kernel(X), expected(lambda k: k(X)), **close)
    np.testing.assert_allclose(kernel(X, X), kernel(X), **close)
    np.testing.assert_allclose(kernel(X, Y), expected(lambda k: k(X, Y)), **close)
    np.testing.assert_allclose(kernel.diag(X), expected(lambda k: k.diag(X)), **close)
    np.testing.assert_allclose(np.diag(kernel(X)), kernel.diag(X), **close)
    np.testing.assert_allclose(kernel(RAGGED), expected(lambda k: k(RAGGED)), **close)
    assert np.linalg.eigvalsh(kernel(X))[0] > -1e-12
    prepared = type(kernel).prepare(X)
    np.testing.assert_array_equal(kernel.gram(prepared), kernel(X))
    assert kernel(X[0], Y[0]) == pytest.approx(kernel(X, Y)[0, 0], rel=1e-13)


@named
def test_one_set_and_two_sets_differ_in_the_first_state_alone(kernel, expected):
    between = kernel(X, X.copy())
    off = ~np.eye(len(X), dtype=bool)
    np.testing.assert_allclose(between[off], kernel(X)[off], rtol=1e-13)
    assert (np.diag(between) < kernel.diag(X)).all()


def test_operators_flatten_and_take_numbers_of_any_type():
    a, b, c = RBF(1.0), RBF(2.0), RBF(3.0)
    assert (a + b) + c == a + (b + c) == SumKernel((a, b, c)) == SumKernel([a, b, c])
    assert a * b * c == ProductKernel((a, b, c))
    for two in (2, 2.0, np.float32(2), np.int64(2), np.array(2.0)):
        assert two * a == a * two
        assert (two * a).factor == 2.0
    for wrong in (lambda: a + 1, lambda: "2" * a, lambda: a * None, lambda: True * a):
        with pytest.raises(TypeError):
            wrong()


def test_representations_read_as_they_are_written():
    assert repr(2 * RBF(1.0) + RBF(0.5)) == "2.0 * RBF(alpha=1.0) + RBF(alpha=0.5)"
    assert repr(3 * (RBF() + RBF())) == "3.0 * (RBF(alpha=1.0) + RBF(alpha=1.0))"
    product = (RBF() + RBF()) * RBF()
    assert repr(product) == "(RBF(alpha=1.0) + RBF(alpha=1.0)) * RBF(alpha=1.0)"
    names = {kind.__name__: kind for kind in (RBF, RNTK, NTK, Represented)}
    for kernel, _ in COMBINED.values():
        assert eval(repr(kernel), {"Polynomial": Polynomial, **names}) == kernel


@pytest.mark.parametrize(
    ("create", "message"),
    [
        (lambda: -1.0 * RBF(), "factor is -1.0"),
        (lambda: np.inf * RBF(), "factor is inf"),
        (lambda: SumKernel(()), "SumKernel needs at least one kernel"),
        (lambda: ProductKernel((RBF(), 2.0)), "ProductKernel: 2.0 is not a kernel"),
        (lambda: Represented("z"), "Represented: 'z' is not a kernel"),
    ],
)
def test_invalid_parts_are_refused_by_name(create, message):
    with pytest.raises(KernelError, match=message):
        create()


def test_an_overflow_names_the_sum():
    with pytest.raises(KernelError, match=r"RNTK.*leaves the range"):
        (RNTK(10.0) + 2.0 * RBF())(np.ones((2, 400)))


def test_keys_tell_grams_apart():
    kernels = [
        *(R, 1 * R, 2 * R, R + G, G + R, R * G, R + R + G, SumKernel((R + R, G))),
        *(Represented(R), Represented(R, "unit"), Represented(R, scale=2), 2 * Represented(R)),
        *(Represented(R, "raw"), Represented(R, "raw", rms=2.0), NNGP(**vars(R)) + G),
    ]
    keys = [kernel.cache_key() for kernel in kernels]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    assert (R + RBF(0.1)).cache_key() == (R + G).cache_key()
    without = RNTK(activation=np.tanh)
    for kernel in (without + G, 2.0 * without, Represented(without), R * (G + without)):
        assert kernel.cache_key() is None


def test_parts_that_can_share_a_pass_are_computed_together(monkeypatch):
    shared = RNTK(1.3, pooling="shared")
    same_pass = [RNTK(1.3, pooling="shared", bandwidth=b) for b in (0.0, 0.5, "all")]
    total = G + sum((2.0 * k for k in same_pass[1:]), start=2.0 * same_pass[0])
    assert grouped_batches(total.parts) == [[0], [1, 2, 3]]
    represented = [Represented(k, name) for k in same_pass for name in ("z", "difference")]
    assert Represented.batches(represented) == [[0, 2, 4], [1, 3, 5]]
    calls = []
    compute = RNTK.grams.__func__

    def counted(cls, kernels, prepared):
        calls.append(len(kernels))
        return compute(cls, kernels, prepared)

    monkeypatch.setattr(RNTK, "grams", classmethod(counted))
    expected = 2.0 * sum(k(X) for k in same_pass) + G(X)
    calls.clear()
    np.testing.assert_allclose(total(X), expected, rtol=1e-13)
    assert calls == [3]
    assert shared != total


def test_costs_and_buffers_are_those_of_the_parts():
    shared = RNTK(1.3, pooling="shared", lag_step=2)
    length, shape = 100, (10, 10)
    one = RNTK.relative_cost([shared], length)
    assert SumKernel.relative_cost([shared + 2.0 * shared], length) == pytest.approx(2 * one)
    coarse = Represented(shared, scale=4)
    expected = RNTK.relative_cost([shared], length // 4) / 4
    assert Represented.relative_cost([coarse], length) == pytest.approx(expected)
    pair = [Represented(shared), Represented(RNTK(1.3, pooling="shared", lag_step=2, bandwidth=0))]
    assert Represented.relative_cost(pair, length) == pytest.approx(one)
    assert SumKernel.buffer_size([shared + G], shape, length) >= 100 + RNTK.buffer_size(
        [shared], shape, length
    )
