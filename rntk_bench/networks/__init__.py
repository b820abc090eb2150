"""Finite networks: compiled training on a processor, and JAX on an accelerator."""
