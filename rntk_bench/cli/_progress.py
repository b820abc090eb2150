"""Progress bars, which are drawn on terminals only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rntk_bench.cli._signals import report_progress_on_stop


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

    def update(done: int, total: int) -> None:
        bar.total, bar.n = total, done
        bar.refresh()

    def progress() -> str:
        bar.close()
        kept = f" and kept in {path}" if path.exists() else ""
        return (
            f"{bar.n} of {bar.total or 'all'} {unit} are finished{kept}; the same command goes on "
            "from there."
        )

    with report_progress_on_stop(progress), bar:
        yield update
