"""Finite networks on a processor: compiled loops that train one run on one thread."""
