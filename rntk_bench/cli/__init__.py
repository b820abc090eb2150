"""The `rntk-bench` command: thin Click commands over the library, one file per command."""

from __future__ import annotations

import sys
from typing import Any

import click

from rntk_bench.cli import (
    audit,
    cache,
    ceilings,
    compare,
    completion,
    datasets,
    env,
    export,
    fetch,
    figure,
    fit,
    gram,
    methods,
    plot,
    predict,
    protocols,
    regress,
    report,
    run,
    sensitivity,
    show,
    speed,
    status,
    table,
)
from rntk_bench.cli._signals import exit_code, handle_sigterm, memory_message, reraise_interrupts
from rntk_bench.cli._streams import prepare_streams, refuse_unwritable_stream, say
from rntk_bench.errors import RntkBenchError
from rntk_bench.version import __version__


class _Group(click.Group):
    """A group that reports a user's error as one sentence and exits with the error's code."""

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


_FIRST_STEPS = """\
rntk-bench benchmarks the Recurrent Neural Tangent Kernel on the UCR time-series archive.

Three commands to begin with:

  rntk-bench run -d Coffee    benchmark the paper's four kernels on the dataset Coffee
  rntk-bench table            print the paper's tables from the results
  rntk-bench report           write all results into one HTML page

'rntk-bench --help' lists every command, and 'rntk-bench run --help' what one of them can do."""


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="rntk-bench")
@click.pass_context
def main(context: click.Context) -> None:
    """Benchmark the Recurrent Neural Tangent Kernel on the UCR time-series archive."""
    if context.invoked_subcommand is None:
        click.echo(_FIRST_STEPS)


for _command in (
    *(run.run, table.table, report.report, compare.compare, plot.plot, audit.audit, figure.figure),
    ceilings.ceilings,
    *(regress.regress, sensitivity.sensitivity, fit.fit, predict.predict, gram.gram),
    *(datasets.datasets, fetch.fetch, cache.cache, speed.speed, status.status, show.show),
    *(export.export, methods.methods, env.env, completion.completion, protocols.protocols),
):
    main.add_command(_command)
