"""Figures as files: PNG and PDF of a picture, and a CSV of the numbers behind it."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rntk_bench.errors import ExtraError, RntkBenchError
from rntk_bench.store.atomic import write_atomically

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

METADATA = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}
"""No dates and versions, so that the same numbers make the same files."""


def new(
    n_rows: int, n_columns: int, size: tuple[float, float], **options: Any
) -> tuple[Figure, Any]:
    """A figure of `size` inches and its axes, an array (n_rows, n_columns).

    Raises
    ------
    ExtraError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ExtraError("A figure", "matplotlib", "figures") from None
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(n_rows, n_columns, squeeze=False, **options)


def save(figure: Figure, folder: Path, name: str, rows: pd.DataFrame) -> list[Path]:
    """Write <name>.png, <name>.pdf and <name>.csv, each whole or not at all.

    Raises
    ------
    RntkBenchError
        If the folder or a file cannot be written.
    """
    contents: dict[str, bytes] = {}
    for kind, metadata in METADATA.items():
        buffer = BytesIO()
        figure.savefig(buffer, format=kind, dpi=200, metadata=metadata)
        contents[kind] = buffer.getvalue()
    contents["csv"] = rows.to_csv(index=False, float_format="%.10g").encode()
    return [_write(folder / f"{name}.{kind}", content) for kind, content in contents.items()]


def writable(folder: Path) -> None:
    """Make the folder, so that a long computation does not end without a place for its result.

    Raises
    ------
    RntkBenchError
        If that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def style(axes: Iterable[Any]) -> None:
    """What all panels share: a light grid behind the lines."""
    for panel in axes:
        panel.grid(alpha=0.3, linewidth=0.5)
        panel.set_axisbelow(True)


def _write(path: Path, content: bytes) -> Path:
    writable(path.parent)
    try:
        write_atomically(path, content, durable=False)
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _unwritable(path: Path, error: OSError) -> RntkBenchError:
    return RntkBenchError(f"Cannot write {path}: {error.strerror}; choose another with --out.")
