"""Text for outputs that cannot show every character."""

from __future__ import annotations

import codecs

REPLACE = "rntk-bench.plain"
"""Name of the error handler of encodings that writes a plain mark for what they lack."""

_MARKS = {"–": "-", "—": "-", "−": "-", "†": "+", "±": "+-", "×": "x", "…": "...", "\xa0": " "}


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_MARKS.get(character, "?") for character in lacking), error.end


codecs.register_error(REPLACE, _replace)


def encode(text: str) -> bytes:
    """UTF-8, also of names of files that are not in the file system's encoding."""
    return text.encode("utf-8", REPLACE)
