"""Progress bars, which are drawn on terminals only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rntk_bench.cli._signals import report_progress_on_stop

if TYPE_CHECKING:
    from tqdm import tqdm


@contextmanager
def progress_bar(
    name: str, unit: str, quiet: bool, path: Path
) -> Iterator[Callable[[int, int], None]]:
    """A progress bar; yields the callback that sets how many parts are done and how many there are.

    If the block is stopped, the number of finished parts is printed, and the path that keeps them
    if it exists.

    Parameters
    ----------
    name : str
        What is computed.
    unit : str
        What is counted, in the plural.
    quiet : bool
        Draw no bar.
    path : Path
        File or folder with the finished parts.
    """
    from tqdm import tqdm

    bar = tqdm(desc=name, unit=f" {unit}", leave=False, disable=True if quiet else None)

    def progress() -> str:
        bar.close()
        kept = f" and kept in {path}" if path.exists() else ""
        return (
            f"{bar.n} of {bar.total or 'all'} {unit} are finished{kept}; the same command goes on "
            "from there."
        )

    with report_progress_on_stop(progress), bar:
        yield partial(set_position, bar)


def set_position(bar: tqdm[Any], done: int, total: int | None = None) -> None:
    """Show how many parts are done, and how many there are if the bar does not know it."""
    bar.n = done
    if total is not None:
        bar.total = total
    bar.refresh()
