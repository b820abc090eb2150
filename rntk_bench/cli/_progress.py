"""Progress bars, drawn on terminals only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rntk_bench.cli._signals import report_progress_on_stop


@contextmanager
def progress_bar(
    name: str, parts: str, quiet: bool, kept: Path
) -> Iterator[Callable[[int, int], None]]:
    """A bar that is told how many parts are done, and of how many.

    Where the block is stopped it is said how many are finished and that `kept` holds them.
    """
    from tqdm import tqdm

    bar = tqdm(desc=name, unit=f" {parts}", leave=False, disable=True if quiet else None)

    def tell(done: int, total: int) -> None:
        bar.total, bar.n = total, done
        bar.refresh()

    def finished() -> str:
        bar.close()
        return (
            f"{bar.n} of {bar.total or 'all'} {parts} are finished and kept in {kept}; the same "
            "command goes on from there."
        )

    with report_progress_on_stop(finished), bar:
        yield tell
