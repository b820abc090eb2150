"""Names that people spell in their own way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def folded(name: str) -> str:
    """A name without case, spaces and punctuation: `Gun_Point` and `GunPoint` fold alike.

    What is nothing else keeps it.
    """
    return "".join(filter(str.isalnum, name.casefold())) or name


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names with commas between them, the first of many."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def spellings(names: Iterable[str]) -> dict[str, str]:
    """Each name under its folded form; of those that fold alike the first."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(folded(name), name)
    return found
