"""The types of every option and argument that is a path."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import click

from rntk_bench.errors import InputError, one_line
from rntk_bench.storage.paths import expand_home


class PathType(click.Path):
    """A file, a folder or either, whether it exists or not; a leading `~` is the home folder.

    What exists must be of the right kind, and the name must be one that a file can have.
    """

    def __init__(self, *, file: bool = False, folder: bool = False) -> None:
        super().__init__(file_okay=file, dir_okay=folder, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, expanded."""
        if not os.fspath(value):
            self.fail("it is empty; name a path, or '.' for this folder.", param, ctx)
        try:
            path = expand_home(value)
            mode = path.stat().st_mode
            if not self.file_okay and not stat.S_ISDIR(mode):
                self.fail(f"{one_line(str(path))} is not a folder; name another.", param, ctx)
        except InputError as error:
            self.fail(str(error), param, ctx)
        except ValueError:
            self.fail("it has a null character, which no path has; write it without.", param, ctx)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                self.fail(
                    "it is longer than a file's name can be; choose a shorter one.", param, ctx
                )
        return super().convert(path, param, ctx)


FILE = PathType(file=True)
FOLDER = PathType(folder=True)
EITHER = PathType(file=True, folder=True)
