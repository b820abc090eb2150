"""Sphinx's configuration of the manual; build it with `make docs`."""

from __future__ import annotations

import re
import sys
from itertools import groupby
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

from click import Context
from sphinx.application import Sphinx

from rntk_bench import __version__
from rntk_bench.cli import main

project = "rntk-bench"
author = "The rntk-bench maintainers"
project_copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_click",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
smartquotes = False
highlight_language = "text"
nitpicky = True

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

autodoc_typehints = "none"  # the docstrings name the types
autosummary_generate = True
numpydoc_show_class_members = False  # the page of a class lists its methods itself
numpydoc_xref_param_type = False

html_theme = "furo"
html_title = f"rntk-bench {release}"
html_copy_source = False

COMMANDS = Path(__file__).parent / "commands"
PAGE = """.. click:: documented_commands:{name}
   :prog: rntk-bench {name}
   :nested: full
"""
# Sphinx's directive takes a module and a name in it.
sys.modules["documented_commands"] = cast(ModuleType, SimpleNamespace(**main.commands))


def write_command_pages(_: Sphinx) -> None:
    """Write a page for every command, and remove those of commands that are gone."""
    COMMANDS.mkdir(exist_ok=True)
    pages = {
        COMMANDS / f"{name}.rst": PAGE.format(name=name)
        for name, command in main.commands.items()
        if not command.hidden
    }
    for path in COMMANDS.glob("*.rst"):
        if path not in pages:
            path.unlink()
    for path, text in pages.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def escaped(text: str) -> str:
    """Plain text as reStructuredText; what stands between backticks is code."""
    pieces = re.split(r"(`+)(.+?)\1", text, flags=re.DOTALL)
    for i in range(0, len(pieces), 3):
        pieces[i] = re.sub(r"([\\`*|_])", r"\\\1", pieces[i])
    for i in range(1, len(pieces), 3):
        pieces[i : i + 2] = ["", f"``{pieces[i + 1]}``"]
    return "".join(pieces)


def escape_help(_: Sphinx, __: Context, lines: list[str]) -> None:
    """Help texts are plain text."""
    for number, line in enumerate(lines):
        if not line.startswith("..") and line.strip() != "**Required**":
            lines[number] = escaped(re.sub(r"PosixPath\('(.+)'\)", r"\1", line))


def escape_docstring(_: Sphinx, *arguments: Any) -> None:
    """Docstrings are numpydoc's, but for names between backticks and formulas that are indented."""
    lines: list[str] = arguments[-1]
    sections = next((i for i in range(1, len(lines)) if set(lines[i]) == {"-"}), len(lines))

    def is_code(numbered: tuple[int, str]) -> bool:
        number, line = numbered
        formula = number < sections and line.startswith("    ")
        return formula or line.startswith((">>>", "..."))

    marked: list[str] = []
    for code, group in groupby(enumerate(lines), key=is_code):
        text = [line for _, line in group]
        if code and text[0].startswith("    "):
            text = ["::", "", *text, ""]
        marked += text if code else escaped("\n".join(text)).split("\n")
    lines[:] = marked


def setup(app: Sphinx) -> None:
    """Register what is done before Sphinx's extensions read a text."""
    app.connect("builder-inited", write_command_pages, priority=100)
    app.connect("autodoc-process-docstring", escape_docstring, priority=100)
    app.connect("sphinx-click-process-description", escape_help)
    app.connect("sphinx-click-process-options", escape_help)
