"""Replacements for characters that an output's encoding lacks."""

from __future__ import annotations

import codecs

REPLACE = "rntk-bench.plain"
"""Name of the error handler that writes a plain character instead of one that is missing."""

_MARKS = {"–": "-", "—": "-", "−": "-", "†": "+", "±": "+-", "×": "x", "…": "...", "\xa0": " "}


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_MARKS.get(character, "?") for character in missing), error.end


codecs.register_error(REPLACE, _replace)


def encode(text: str) -> bytes:
    """UTF-8, also for names of files that are not in the file system's encoding."""
    return text.encode("utf-8", REPLACE)
