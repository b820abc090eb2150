"""How commands that make tables set them, and where they write them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from rntk_bench.cli import _paths as paths
from rntk_bench.cli._streams import note
from rntk_bench.errors import InputError, StorageError
from rntk_bench.report.tables.table import Table
from rntk_bench.report.tables.text import DOCUMENTS, RENDERERS
from rntk_bench.storage.atomic import write_atomically
from rntk_bench.storage.encoding import encode

style = click.option(
    "--format",
    "style",
    type=click.Choice(list(RENDERERS)),
    default="text",
    show_default=True,
    help="How to set the tables.",
)

standalone = click.option(
    "-s",
    "--standalone",
    is_flag=True,
    help="A whole document, not parts to include: with latex one that compiles, with html a page.",
)

output = click.option(
    "-o",
    "--output",
    type=paths.FILE,
    help="Write to this file.  [default: standard output]",
)


def write_tables(
    tables: Sequence[Table], style: str, standalone: bool, output: Path | None
) -> None:
    """Set tables and write them; the notes of CSV, which has no place for them, go to stderr."""
    if standalone and style not in DOCUMENTS:
        raise InputError(f"--standalone goes with --format {' or '.join(DOCUMENTS)}, not {style}.")
    text = "\n".join(map(RENDERERS[style], tables))
    if standalone:
        text = DOCUMENTS[style](text)
    if style == "csv":
        for line in dict.fromkeys(line for table in tables for line in table.notes):
            note(line)
    write_text(text, output)


def write_text(text: str, output: Path | None) -> None:
    """Write text to a file, or to the standard output."""
    if output is None:
        click.echo(text, nl=False)
        return
    target = output.resolve() if output.is_file() else output  # what a link points to
    try:
        write_atomically(target, encode(text), durable=False)
    except OSError as error:
        raise StorageError(
            f"Cannot write {output}: {error.strerror}; choose another file with --output."
        ) from error


def check_output(path: Path | None) -> None:
    """Refuse a file that cannot be written or that the command reads, before the work and not
    after it; None is the standard output.

    Raises
    ------
    StorageError
        If its folder is missing or not writable.
    InputError
        As `check_not_input`.
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
    """Refuse to write where the command in work reads, also through links.

    Raises
    ------
    InputError
        If `output` is one of the files that the command's options and arguments name.
    """
    if not output.is_file():
        return
    for given in click.get_current_context().params.values():
        for path in given if isinstance(given, tuple) else (given,):
            read = isinstance(path, Path) and path is not output and path.is_file()
            if read and path.samefile(output):
                raise InputError(
                    f"{output} would be overwritten, but the command reads it; choose another "
                    "output."
                )
