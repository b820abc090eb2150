"""Writes again what the manual shows of commands that read the project's records: `make examples`.

The argument, if any, is a folder with files of the reader, such as `default_split_accuracy.csv`;
without it, commands that need one are left as they are.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

import click

from tests.paths import ROOT
from tests.test_examples import (
    NOT_RUN,
    PAGES,
    PUBLISHED,
    READS_RECORDS,
    TEXTS,
    Shown,
    arguments_of,
    files_of_the_reader,
    invoke,
    link_checkout,
    shown,
)


def refreshed(command: Shown, files: Path | None) -> str:
    """A command after `$` and what it prints, as far as it was shown, without notes on files."""
    line, output = command
    arguments = arguments_of(line)
    assert arguments is not None
    runs = READS_RECORDS.search(line) and NOT_RUN.get(line, PUBLISHED) == PUBLISHED
    readers = files_of_the_reader(arguments)
    if runs and (files or not readers):
        printed = invoke(arguments).rstrip("\n").split("\n")
        notes = tuple(f"Note: {name}" for name in readers)
        printed = [line for line in printed if not line.startswith(notes)]
        output = [*printed[: len(output) - 1], "..."] if output[-1:] == ["..."] else printed
    return "\n".join([f"$ {line}", *output])


def main() -> None:
    """Rewrite the pages whose outputs have changed, and name them."""
    files = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        link_checkout(Path())
        for path in files.iterdir() if files else ():
            Path(path.name).symlink_to(path)
        for page in PAGES:
            text = re.sub(
                r"(?<=^```console\n)(.*?)(?=^```$)",
                lambda block: "".join(f"{refreshed(each, files)}\n" for each in shown(block[1])),
                TEXTS[page],
                flags=re.MULTILINE | re.DOTALL,
            )
            if text != TEXTS[page]:
                page.write_text(text, encoding="utf-8")
                click.echo(page.relative_to(ROOT))


if __name__ == "__main__":
    main()
