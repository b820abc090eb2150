"""Finite networks on an accelerator: many runs at once, in JAX."""
