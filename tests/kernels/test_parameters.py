import pickle
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from rntk_bench import NNGP, NTK, RBF, RNTK, Polynomial
from rntk_bench.errors import KernelError
from rntk_bench.kernels.activations import LeakyReLU, Smooth
from rntk_bench.kernels.base import Kernel
from rntk_bench.kernels.parameters import as_integer, as_number, at_least_zero

NUMBERS = [
    *(np.float32(1.25), np.float16(1.25), np.longdouble(1.25), np.float64(1.25)),
    *(np.array(1.25), np.array(1.25, dtype=object), Fraction(5, 4), Decimal("1.25")),
]
NO_NUMBERS = [
    *("1.25", b"1.25", True, np.True_, None, 1.25 + 0j, np.datetime64(1, "D"), np.ma.masked),
    *({1.25}, {1.25: 1}, [[1.25]], np.ones((1, 1)), 10**5000, Decimal("sNaN"), ["1"], [True]),
]


@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_numbers_of_any_type_make_the_same_kernel(number):
    for make in (RNTK, NNGP, NTK, RBF, lambda r: Polynomial(2, r)):
        kernel, plain = make(number), make(1.25)
        assert kernel == plain
        assert hash(kernel) == hash(plain)
        assert repr(kernel) == repr(plain)
        assert pickle.loads(pickle.dumps(kernel)) == plain
        types = {type(getattr(kernel, field.name)) for field in fields(kernel)}
        assert types <= {float, int, str}


def test_a_float32_is_the_double_nearest_to_it_and_not_what_it_prints():
    assert RNTK(np.float32(1.4)) == RNTK(float(np.float32(1.4)))
    assert RNTK(np.float32(1.4)) != RNTK(1.4)


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: type(value).__name__)
def test_values_that_are_not_numbers_are_refused_by_name(value):
    for make, name in ((RNTK, "RNTK: sigma_w"), (NTK, "NTK: sigma_w"), (RBF, "RBF: alpha")):
        with pytest.raises(KernelError, match=f"^{name} is [^\n]* must be a finite number >= 0.$"):
            make(value)
    assert as_number(value) is None


@pytest.mark.parametrize("values", [[1.5, 1], (1.5, 1), np.array([1.5, 1]), [Fraction(3, 2), 1]])
def test_one_number_for_each_layer_is_a_tuple_of_floats(values):
    kernel = RNTK(values, n_layers=np.int8(2))
    assert kernel == RNTK((1.5, 1.0), n_layers=2)
    assert kernel.sigma_w == (1.5, 1.0)
    assert {type(each) for each in kernel.sigma_w} == {float}
    with pytest.raises(KernelError, match="2 values for 3 layers"):
        RNTK(values, n_layers=3)


@pytest.mark.parametrize("count", [2, 2.0, np.float32(2), np.uint8(2), Fraction(4, 2), np.array(2)])
def test_whole_numbers_of_any_type_count(count):
    for kernel in (RNTK(n_layers=count), NTK(n_layers=count)):
        assert type(kernel.n_layers) is int
        assert kernel.n_layers == 2
    assert Polynomial(count) == Polynomial(2)
    assert as_integer(count) == 2


@pytest.mark.parametrize(
    "count", [0, -1, 1.5, "2", True, None, np.nan, np.inf, 1e300, 10**400, np.array([2])]
)
def test_values_that_are_not_counts_are_refused_by_name(count):
    for make, name in ((RNTK, "n_layers"), (NTK, "n_layers"), (Polynomial, "degree")):
        with pytest.raises(KernelError, match=f"{name} is .* must be 1, 2, 3"):
            make(**{name: count})


@pytest.mark.parametrize("name", ["pooling", "direction"])
@pytest.mark.parametrize("value", [None, 1, ["last"], np.array(["last", "last"])])
def test_names_are_text(name, value):
    with pytest.raises(KernelError, match=f"RNTK: {name} is .* must be"):
        RNTK(**{name: value})
    assert RNTK(pooling=np.str_("average")) == RNTK(pooling="average")


def test_activations_have_plain_parameters_too():
    assert LeakyReLU(np.float32(0.25)) == LeakyReLU(0.25)
    for make in (lambda: LeakyReLU("0.1"), lambda: LeakyReLU(1.5), lambda: Smooth("tanh")):
        with pytest.raises(KernelError, match=r"^(LeakyReLU: slope|Smooth: phi) is "):
            make()


def test_user_defined_kernels_validate_parameters_in_the_same_way():
    @dataclass(frozen=True)
    class Constant(Kernel):
        level: float = 1.0

        def __post_init__(self):
            at_least_zero(self, level=self.level)

        prepare = gram = diag = None

    assert type(Constant(np.int32(3)).level) is float
    with pytest.raises(KernelError, match="Constant: level is -1"):
        Constant(-1)
