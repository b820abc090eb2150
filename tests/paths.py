"""Where the tests find the project's files, and the datasets beside the project."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"
REFERENCE = ROOT / "results" / "reference"
"""The records that the project ships."""
SHARED = ROOT.parent / "shared"
"""A folder with the UCR archive and published numbers, which need not exist."""


def shared(*names: str) -> Path:
    """Return a file or folder of SHARED; skip the test that asks for it if it is absent.

    Such a test repeats on more data what another one checks on installed or generated data.
    """
    path = SHARED.joinpath(*names)
    if not path.exists():
        pytest.skip(f"{path} does not exist")
    return path
