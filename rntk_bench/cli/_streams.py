"""The standard streams, which may be closed or lack characters, and messages on them."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TextIO, cast

import click

from rntk_bench.errors import InputError, StorageError, one_line
from rntk_bench.storage import encoding as plain


def prepare_streams() -> None:
    """Give every closed standard stream a place to write to, and every other one plain marks for
    the characters that its encoding lacks.

    A closed stream's number would go to the next file that is opened, and what libraries write on
    the error stream would end up in that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, _nowhere(mode))
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            if codecs.lookup(stream.encoding).name == "ascii":
                # A text stream in ASCII is one to which Click writes UTF-8.
                setattr(sys, name, codecs.getwriter("ascii")(stream.buffer, plain.REPLACE))
            else:
                stream.reconfigure(errors=plain.REPLACE)


def refuse_missing_characters(text: str) -> None:
    """Raise an error if the encoding of the standard output lacks a character of data.

    Messages have a plain mark in its place, but another label would be a wrong one.
    """
    stream = getattr(sys.stdout, "stream", sys.stdout)  # of the writer in ASCII
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        raise InputError(
            f"The standard output's encoding, {encoding}, lacks {text[error.start]!r}; write to a "
            "file with -o FILE, or set PYTHONIOENCODING=utf-8."
        ) from None


def refuse_unwritable_stream(error: OSError) -> int:
    """Say that an output cannot be written, and return the exit code of that."""
    sys.stdout = _nowhere("w")  # what was not written would be tried again at the end
    what = f"use {error.filename}" if error.filename else "write to the standard output"
    say(f"Error: Cannot {one_line(what)}: {error.strerror}.", err=True)
    return StorageError.exit_code


def _nowhere(mode: str) -> TextIO:
    stream = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115 - for the process
    os.set_inheritable(stream.fileno(), True)
    return cast(TextIO, stream)


def say(text: str, err: bool = False) -> None:
    """Print a line that a reader may have stopped reading: the work behind it goes on."""
    try:
        click.echo(text, err=err)
    except OSError:
        setattr(sys, "stderr" if err else "stdout", _nowhere("w"))


def warn(text: str) -> None:
    """Say on the error stream what a user should know and may want to change."""
    say(f"Warning: {one_line(text)}", err=True)


def note(text: str) -> None:
    """Say on the error stream how something was read or chosen."""
    say(f"Note: {one_line(text)}", err=True)
