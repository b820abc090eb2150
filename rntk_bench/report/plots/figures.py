"""Figures as files: pictures in PNG, PDF or SVG, and a CSV of the numbers behind them."""

from __future__ import annotations

import re
import textwrap
import warnings
from collections.abc import Iterable, Sequence
from hashlib import sha256
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rntk_bench.errors import ExtraError, StorageError
from rntk_bench.storage import encoding as plain
from rntk_bench.storage.atomic import check_writable, write_atomically

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

METADATA = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None},
}
"""No dates and versions, so that the same numbers make the same files."""
SYMBOLS = {
    "relu": "ReLU",
    "erf": "erf",
    "sigma_w": "$\\sigma_w$",
    "sigma_u": "$\\sigma_u$",
    "sigma_b": "$\\sigma_b$",
    "sigma_h": "$\\sigma_h$",
    "sigma_v": "$\\sigma_v$",
    "n_layers": "$L$",
    "alpha": "$\\alpha$",
    "r": "$r$",
    "C": "$C$",
    "learning_rate": "learning rate",
}
"""How pictures write activations and parameters."""
MAX_NAME = 120
"""Characters of a picture's file without its ending; file systems take 255 bytes."""


def create(
    n_rows: int, n_columns: int, size: tuple[float, float], **options: Any
) -> tuple[Figure, Any]:
    """A figure of `size` inches and its axes, an array (n_rows, n_columns).

    Raises
    ------
    ExtraError
        If matplotlib is not installed.
    """
    require_packages()
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(n_rows, n_columns, squeeze=False, **options)


def escape_text(text: str, longest: int = 60) -> str:
    """What matplotlib must be given to draw a name as it is, and of a long one the start.

    It reads what stands between two dollar signs as mathematics, and leaves labels that begin with
    an underscore out of legends.
    """
    if len(text) > longest:
        text = f"{text[: longest - 1]}…"
    text = plain.encode(text).decode().replace("$", r"\$")
    return f"\N{NO-BREAK SPACE}{text}" if text.startswith("_") else text


def render(figure: Figure, kind: str) -> bytes:
    """The picture as a file of a kind in `METADATA`, the same bytes for the same numbers."""
    from matplotlib import rc_context

    buffer = BytesIO()
    with rc_context({"svg.hashsalt": "rntk-bench"}), warnings.catch_warnings():
        # A character that the font lacks is drawn as a box, which the reader of a picture sees.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.savefig(buffer, format=kind, dpi=200, metadata=METADATA[kind])
    return buffer.getvalue()


def save(
    figure: Figure,
    folder: Path,
    name: str,
    rows: pd.DataFrame,
    kinds: Sequence[str] = ("png", "pdf"),
) -> list[Path]:
    """Write <name>.<kind> for every kind, and <name>.csv, each whole or not at all.

    Raises
    ------
    StorageError
        If the folder or a file cannot be written.
    """
    contents = {kind: render(figure, kind) for kind in kinds}
    contents["csv"] = rows.to_csv(index=False, float_format="%.10g").encode()
    return [_write(folder / f"{name}.{kind}", content) for kind, content in contents.items()]


def require_packages(*packages: str) -> None:
    """See to it that pictures can be drawn, also with further packages of the same extra.

    Raises
    ------
    ExtraError
        If matplotlib or one of the packages cannot be imported.
    """
    for module in ("matplotlib", "matplotlib.figure", *packages):
        try:
            import_module(module)
        except ImportError:
            raise ExtraError("A figure", module.partition(".")[0], "figures") from None


def check_output_folder(folder: Path) -> None:
    """See to it that pictures can be drawn into the folder, before a long computation.

    Raises
    ------
    ExtraError
        If matplotlib is not installed.
    StorageError
        If the folder cannot be made or written to.
    """
    require_packages()
    try:
        check_writable(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error


def add_grid(axes: Iterable[Any]) -> None:
    """What all panels share: a light grid behind the lines."""
    for panel in axes:
        panel.grid(alpha=0.3, linewidth=0.5)
        panel.set_axisbelow(True)


def add_caption(figure: Figure, text: str) -> None:
    """A text above all panels, broken into lines that fit the figure's width."""
    width = int(13 * figure.get_figwidth())
    figure.suptitle(textwrap.fill(text, width, break_on_hyphens=False), fontsize="small")


def safe_file_name(text: str) -> str:
    """The text with what may not stand in a file's name replaced, a long one cut."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", text)
    if len(name) <= MAX_NAME:
        return name
    return f"{name[: MAX_NAME - 9]}-{sha256(text.encode()).hexdigest()[:8]}"


def _write(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content, durable=False)
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(f"Cannot write {path}: {error.strerror}; choose another with --out.")
