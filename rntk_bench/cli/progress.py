"""Progress bars, drawn on terminals only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counting(name: str, unit: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar that is told how many parts are done, and of how many."""
    from tqdm import tqdm

    with tqdm(desc=name, unit=unit, leave=False, disable=True if quiet else None) as bar:

        def tell(done: int, total: int) -> None:
            bar.total, bar.n = total, done
            bar.refresh()

        yield tell
