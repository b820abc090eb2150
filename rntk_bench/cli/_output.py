"""Options of commands that print tables, and writing the output of commands."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from rntk_bench.cli import _paths as paths
from rntk_bench.cli._streams import note
from rntk_bench.errors import InputError, StorageError
from rntk_bench.report.tables.table import Table
from rntk_bench.report.tables.text import DOCUMENTS, RENDERERS
from rntk_bench.storage.atomic import through_links, write_atomically
from rntk_bench.storage.encoding import encode

table_format = click.option(
    "--format",
    "table_format",
    type=click.Choice(list(RENDERERS)),
    default="text",
    show_default=True,
    help="Format of the tables.",
)

standalone = click.option(
    "-s",
    "--standalone",
    is_flag=True,
    help="Write a complete LaTeX or HTML document instead of parts to include.",
)

output = click.option(
    "-o",
    "--output",
    type=paths.FILE,
    help="Write to this file.  [default: standard output]",
)


def write_tables(
    tables: Sequence[Table], table_format: str, standalone: bool, output: Path | None
) -> None:
    """Format tables and write them; the notes of CSV tables go to the standard error."""
    if standalone and table_format not in DOCUMENTS:
        raise InputError(
            f"--standalone goes with --format {' or '.join(DOCUMENTS)}, not {table_format}; choose "
            "one of these, or leave it out."
        )
    text = "\n".join(map(RENDERERS[table_format], tables))
    if standalone:
        text = DOCUMENTS[table_format](text)
    if table_format == "csv":
        for line in dict.fromkeys(line for table in tables for line in table.notes):
            note(line)
    write_text(text, output)


def write_text(text: str, output: Path | None) -> None:
    """Write text to a file, or to the standard output if it is None."""
    if output is None:
        click.echo(text, nl=False)
        return
    with output_errors(output):
        write_atomically(through_links(output), encode(text), durable=False)


@contextmanager
def output_errors(output: Path) -> Iterator[None]:
    """Turn an OSError into a StorageError about the output."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"Cannot write {output}: {error.strerror}; choose another file with --output."
        ) from error


def check_output(path: Path | None) -> None:
    """Check, before a long computation, that a file can be written and is not an input.

    None is the standard output.

    Raises
    ------
    StorageError
        Its folder is missing or not writable.
    InputError
        See `check_not_input`.
    """
    if path is None:
        return
    check_not_input(path)
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise StorageError(
            f"Cannot write {path}: its folder is missing or not writable; choose another file with "
            "--output."
        )


def check_not_input(output: Path) -> None:
    """Check that a file is not an input of the running command, also through links.

    Raises
    ------
    InputError
        An option or argument of the command names the same file, as a list of names (@FILE) too, or
        a folder with it in a folder inside, where records and datasets are.
    """
    if not output.is_file():
        return
    for value in click.get_current_context().params.values():
        for given in value if isinstance(value, tuple) else (value,):
            path = Path(given[1:]) if isinstance(given, str) and given.startswith("@") else given
            if isinstance(path, Path) and path is not output and _holds(path, output):
                raise InputError(
                    f"{output} would be overwritten, but the command reads it; choose another "
                    "output."
                )


def _holds(path: Path, output: Path) -> bool:
    """Whether a path is the output, or a folder that has it in a folder inside."""
    if path.is_dir():
        return path.resolve() in output.resolve().parents[1:]
    return path.is_file() and path.samefile(output)
