import functools
import importlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from rntk_bench import NNGP, NTK, RBF, RNTK, Polynomial
from rntk_bench.kernels.activations import Erf, LeakyReLU, Smooth
from rntk_bench.kernels.base import Kernel


@dataclass(frozen=True)
class Weighted(Kernel):
    weights: Any = 1.0
    hidden: Any = field(default=0.0, repr=False, compare=False)
    prepare = gram = diag = None


class Unmarked(Weighted):
    def __init__(self, extra):
        super().__init__()
        object.__setattr__(self, "extra", extra)


class Plain(Kernel):
    prepare = gram = diag = None


for cls in (Weighted, Unmarked, Plain):
    cls.__abstractmethods__ = frozenset()


class Scaled:
    def __init__(self, scale):
        self.scale = scale

    def __call__(self, z):
        return np.tanh(self.scale * z)

    def __repr__(self):
        return "Scaled"


LONG = np.arange(2000.0)
OTHER = np.where(LONG == 1000.0, 0.5, LONG)
KEYS = [
    *(RNTK(1.4), RNTK(np.nextafter(1.4, 2)), RNTK((1.4,)), RNTK((1.4, 1.4), n_layers=2)),
    *(NNGP(1.4), NTK(1.4), RBF(1.4), Polynomial(1, 1.4), RNTK(1.4, activation="erf")),
    *(RNTK(1.4, activation=Erf()), RNTK(1.4, activation=LeakyReLU(0.1))),
    RNTK(1.4, activation=LeakyReLU(np.nextafter(0.1, 1))),
    *(Weighted(LONG), Weighted(OTHER), Weighted(LONG.astype("f4")), Weighted(LONG[:, None])),
    *(Weighted(LONG > 3), Weighted(1), Weighted(1.0), Weighted(True), Weighted("1")),
    *(Weighted(("a", "b")), Weighted(("a, b",)), Weighted((1, (2, 3))), Weighted((1, 2, 3))),
    *(Weighted(10**5000), Weighted(10**5000 + 1), Weighted(None), Weighted(hidden=1.0)),
    *(Weighted(np.float32(0.1)), Weighted(np.array([[1, 2], [3, 4]])), Weighted(np.str_("1"))),
]


def test_kernels_with_other_grams_have_other_keys():
    keys = [kernel.cache_key() for kernel in KEYS]
    assert None not in keys
    assert len(set(keys)) == len(keys)


def test_equal_kernels_have_equal_keys():
    assert RNTK(np.float32(1.5)).cache_key() == RNTK(1.5).cache_key()
    assert Weighted(LONG.copy()).cache_key() == Weighted(LONG).cache_key()
    assert Weighted(LONG[::-1][::-1]).cache_key() == Weighted(LONG).cache_key()


def local():
    @dataclass(frozen=True)
    class Local(Weighted):
        pass

    return Local()


@pytest.mark.parametrize(
    "kernel",
    [
        *(RNTK(activation=phi) for phi in (np.tanh, lambda z: z, Scaled(2.0), Smooth(np.tanh))),
        RNTK(activation=functools.partial(np.power, 2.0)),
        *(Weighted([1.0]), Weighted({"a": 1}), Weighted(Scaled(1.0)), Weighted((1, Scaled(1.0)))),
        *(Weighted(np.array([1, "a"], dtype=object)), Weighted(np.ma.array([1], mask=[True]))),
        *(Unmarked(3), Plain(), local()),
    ],
)
def test_kernels_with_unknown_state_have_no_key(kernel):
    assert kernel.cache_key() is None


def test_a_class_with_the_name_of_another_does_not_get_its_key(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "renamed.py").write_text(
        "from rntk_bench import RNTK\nclass Own(RNTK):\n    pass\n"
    )
    module = importlib.import_module("renamed")
    before = module.Own()
    assert before.cache_key() is not None
    module.Own = type("Own", (RNTK,), {"__module__": "renamed", "tangent": False})
    assert before.cache_key() is None


def test_functions_that_compare_equal_do_not_share_a_pass():
    @dataclass  # not hashable
    class Power:
        exponent: float = field(compare=False)

        def __call__(self, z):
            return np.tanh(z) ** self.exponent

    X = np.random.default_rng(0).standard_normal((3, 4))
    kernels = [RNTK(1.0, activation=Power(1.0)), RNTK(1.0, activation=Power(3.0))]
    together = list(RNTK.grams(kernels, RNTK.prepare(X)))
    np.testing.assert_array_equal(together[0], kernels[0](X))
    np.testing.assert_array_equal(together[1], kernels[1](X))
    assert RNTK.batches(kernels) == [[0], [1]]
