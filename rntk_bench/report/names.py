"""Names that people spell in their own way."""

from __future__ import annotations

from collections.abc import Iterable


def folded(name: str) -> str:
    """A name without case, spaces and punctuation: `Gun_Point` and `GunPoint` fold alike."""
    return "".join(filter(str.isalnum, name.casefold()))


def spellings(names: Iterable[str]) -> dict[str, str]:
    """Each name under its folded form; of those that fold alike the first."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(folded(name), name)
    return found
