"""Finite networks in JAX; imported only where the extra `finite` is needed."""

from rntk_bench.errors import ExtraError

try:
    import jax as jax
    import optax as optax
except ImportError:
    raise ExtraError("A finite network", "JAX and Optax", "finite") from None
