"""Compiling the numerical loops before a command measures time or shows progress."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rntk_bench.methods import Method


def compile_loops(methods: Sequence[Method]) -> None:
    """Compile the loops of some methods, and say so if that takes time."""
    from rntk_bench.benchmark.warmup import warm_up
    from rntk_bench.compiling import announce_compilation

    announce_compilation(partial(warm_up, methods), partial(click.echo, err=True))
