"""Creating, styling and saving figures: PNG, PDF or SVG, and a CSV file of the data."""

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
from rntk_bench.storage.atomic import check_writable, write_atomically
from rntk_bench.storage.encoding import encode

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

METADATA = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None},
}
"""No dates and versions, so that the same data give the same files."""
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
"""Labels of activations and parameters."""
MAX_NAME_LENGTH = 120
"""Maximum length of a file name without its extension; file systems allow 255 bytes."""


def create(
    n_rows: int, n_columns: int, size: tuple[float, float], **options: Any
) -> tuple[Figure, Any]:
    """A figure of `size` inches and its axes, an array (n_rows, n_columns).

    Raises
    ------
    ExtraError
        Matplotlib is not installed.
    """
    require_packages()
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(n_rows, n_columns, squeeze=False, **options)


def escape_text(text: str, max_length: int = 60) -> str:
    """Escape a text that matplotlib should draw literally, and shorten a long one.

    Matplotlib reads text between two dollar signs as mathematics, and omits labels that begin with
    an underscore from legends.
    """
    if len(text) > max_length:
        text = f"{text[: max_length - 1]}…"
    text = encode(text).decode().replace("$", r"\$")
    return f"\N{NO-BREAK SPACE}{text}" if text.startswith("_") else text


def render(figure: Figure, file_format: str) -> bytes:
    """The figure in one of the formats of `METADATA`, the same bytes for the same data."""
    from matplotlib import rc_context

    buffer = BytesIO()
    with rc_context({"svg.hashsalt": "rntk-bench"}), warnings.catch_warnings():
        # A character that the font lacks is drawn as a box, which readers see.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.savefig(buffer, format=file_format, dpi=200, metadata=METADATA[file_format])
    return buffer.getvalue()


def save(
    figure: Figure,
    folder: Path,
    name: str,
    rows: pd.DataFrame,
    formats: Sequence[str] = ("png", "pdf"),
) -> list[Path]:
    """Write <name>.<format> for every format, and <name>.csv, each atomically.

    Raises
    ------
    StorageError
        The folder or a file cannot be written.
    """
    contents = {file_format: render(figure, file_format) for file_format in formats}
    contents["csv"] = rows.to_csv(index=False, float_format="%.10g").encode()
    return [
        _write(folder / f"{name}.{file_format}", content)
        for file_format, content in contents.items()
    ]


def require_packages(*packages: str) -> None:
    """Check that matplotlib and further packages of the same extra can be imported.

    Raises
    ------
    ExtraError
        One of them cannot be imported.
    """
    for module in ("matplotlib", "matplotlib.figure", *packages):
        try:
            import_module(module)
        except ImportError:
            raise ExtraError("A figure", module.partition(".")[0], "figures") from None


def check_output_folder(folder: Path) -> None:
    """Check that figures can be drawn and written to the folder, before a long computation.

    Raises
    ------
    ExtraError
        Matplotlib is not installed.
    StorageError
        The folder cannot be created or written to.
    """
    require_packages()
    try:
        check_writable(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error


def add_grid(axes: Iterable[Any]) -> None:
    """Draw a light grid behind the lines of every panel."""
    for panel in axes:
        panel.grid(alpha=0.3, linewidth=0.5)
        panel.set_axisbelow(True)


def add_caption(figure: Figure, text: str) -> None:
    """Write a text above all panels, wrapped to the width of the figure."""
    width = int(13 * figure.get_figwidth())
    figure.suptitle(textwrap.fill(text, width, break_on_hyphens=False), fontsize="small")


def safe_file_name(text: str) -> str:
    """Replace the characters that a file name may not have, and shorten a long name."""
    name = re.sub(r"[^\w.-]+", "_", text)
    if len(name) <= MAX_NAME_LENGTH:
        return name
    return f"{name[: MAX_NAME_LENGTH - 9]}-{sha256(text.encode()).hexdigest()[:8]}"


def _write(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content, durable=False)
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(f"Cannot write {path}: {error.strerror}; choose another with --out.")
