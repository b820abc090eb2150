"""Comparing names regardless of their spelling, and listing names in sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

MAX_NAMES = 8
"""The most names that a sentence lists."""


def normalise_name(name: str) -> str:
    """A name without case, spaces and punctuation: `Gun_Point` and `GunPoint` are the same.

    A name that consists of nothing else is returned as it is.
    """
    return "".join(filter(str.isalnum, name.casefold())) or name


def abbreviate_list(names: Sequence[str]) -> str:
    """The first names, separated by commas, and the number of the others."""
    n_others = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {n_others} more" if n_others > 0 else "")


def format_ranges(numbers: Collection[int]) -> str:
    """Numbers in ascending order, such as 0-29 or 0, 2, 5-7."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1][1:] = [number]
        else:
            ranges.append([number])
    return ", ".join("-".join(map(str, ends)) for ends in ranges)


def by_normalised_name(names: Iterable[str]) -> dict[str, str]:
    """Normalised name -> name; the first of several names that are the same."""
    spellings: dict[str, str] = {}
    for name in names:
        spellings.setdefault(normalise_name(name), name)
    return spellings
