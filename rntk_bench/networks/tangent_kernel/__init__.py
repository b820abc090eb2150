"""Empirical tangent kernels of finite networks in JAX."""

from rntk_bench.errors import ExtraError

try:
    import jax as jax
except ImportError:
    raise ExtraError("A finite network's tangent kernel", "JAX", "finite") from None
