"""The `rntk-bench` command: thin Click commands over the library, one file a group."""

from __future__ import annotations

import sys
from typing import Any

import click

from rntk_bench.cli._signals import exit_code, handle_sigterm, memory_message, reraise_interrupts
from rntk_bench.cli._streams import prepare_streams, refuse_unwritable_stream, say
from rntk_bench.cli.audit import audit
from rntk_bench.cli.cache import cache
from rntk_bench.cli.compare import compare
from rntk_bench.cli.completion import completion
from rntk_bench.cli.data import datasets, fetch
from rntk_bench.cli.env import env
from rntk_bench.cli.figure import figure
from rntk_bench.cli.fit import fit, predict
from rntk_bench.cli.gram import gram
from rntk_bench.cli.methods import methods
from rntk_bench.cli.plot import plot
from rntk_bench.cli.regress import regress
from rntk_bench.cli.report import report
from rntk_bench.cli.run import run
from rntk_bench.cli.sensitivity import figure_3, sensitivity
from rntk_bench.cli.show import show
from rntk_bench.cli.speed import speed
from rntk_bench.cli.status import status
from rntk_bench.cli.table import table
from rntk_bench.errors import RntkBenchError


class _Group(click.Group):
    """A group whose commands answer a user's error with one sentence and its exit code."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        prepare_streams()
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            sys.exit(refuse_unwritable_stream(error))

    def invoke(self, ctx: click.Context) -> Any:
        handle_sigterm()
        try:
            with reraise_interrupts():
                return super().invoke(ctx)
        except RntkBenchError as error:
            say(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt as stop:
            say("Interrupted.", err=True)
            ctx.exit(exit_code(stop))
        except MemoryError as error:
            say(f"Error: {memory_message(error)}", err=True)
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rntk-bench", prog_name="rntk-bench")
def main() -> None:
    """Benchmark the Recurrent Neural Tangent Kernel on the UCR time-series archive."""


figure.add_command(figure_3)
for _command in (
    *(run, table, report, compare, plot, audit, figure, regress, sensitivity, fit, predict, gram),
    *(datasets, fetch, cache, speed, status, show, methods, env, completion),
):
    main.add_command(_command)
