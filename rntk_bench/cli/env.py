"""`rntk-bench env`: what this installation is and where its files are."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from rntk_bench.cli import _options as options
from rntk_bench.errors import ExtraError, InputError, one_line
from rntk_bench.storage.paths import expand_home


@click.command()
@options.results
@options.data_dir
@options.cache_dir
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def env(results: Path, data_dir: Path | None, cache_dir: Path | None, as_json: bool) -> None:
    """Print versions, processor, threads, BLAS, optional packages and folders.

    The home folder is written ~, so that the text may be shown to others; JSON has whole paths.
    What cannot be found out is a problem of the list, not an error.
    """
    from rntk_bench.storage import installation
    from rntk_bench.storage.environment import environment

    problems: list[str] = []
    parts: dict[str, Callable[[], Any]] = {
        "loops": _loops,
        "threads": installation.threads,
        "blas": installation.blas,
        "extras": installation.extras,
        "device": _device,
        "compilations": _compilations,
        "folders": partial(_folders, results, data_dir, cache_dir),
    }
    found = {
        **environment(),
        **{name: _looked_up(name, look_up, problems) for name, look_up in parts.items()},
        "problems": problems,
    }
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        _print(found)


def _looked_up(name: str, look_up: Callable[[], Any], problems: list[str]) -> Any:
    """What is found, None where a package cannot read a variable; warnings are problems too."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        for category in (UserWarning, RuntimeWarning):
            warnings.filterwarnings("always", category=category)
        try:
            return look_up()
        except Exception as error:
            problems.append(f"{name}: {type(error).__name__}, {_first_line(error)}")
            return None
        finally:
            problems += [_first_line(warning.message) for warning in caught]


def _first_line(message: Exception | str | Warning) -> str:
    return next(iter(str(message).splitlines()), "")


def _loops() -> dict[str, str | None]:
    """What loops are compiled for, and the folder in which they are kept."""
    from rntk_bench.compiling import instruction_set
    from rntk_bench.kernels.recursion.ntk import ntk_grams

    compiled: Any = ntk_grams
    if not hasattr(compiled, "stats"):
        warnings.warn(
            "NUMBA_DISABLE_JIT is set: the loops run in Python, some thousand times slower.",
            stacklevel=1,
        )
        return {**instruction_set(), "folder": None}
    folder = compiled.stats.cache_path
    if folder is None:
        warnings.warn("Compiled loops are not kept: every process compiles them.", stacklevel=1)
    return {**instruction_set(), "folder": folder}


def _device() -> str | None:
    """Where JAX computes; None without JAX, or if it cannot tell."""
    try:
        from rntk_bench.networks.pool import device

        return device()
    except (ExtraError, RuntimeError):
        return None


def _compilations() -> str | None:
    """Where XLA's are kept; None without JAX."""
    try:
        from rntk_bench.networks.compilation_cache import compilation_cache_folder
    except ExtraError:
        return None
    return str(compilation_cache_folder())


_FILES = {
    "data": ("*/*_TRAIN.*", "datasets"),
    "downloads": ("*/*_TRAIN.*", "datasets"),
    "Gram cache": ("*/*.gram", "Gram matrices"),
    "results": ("*/*.json", "records"),
}


def _folders(
    results: Path, data_dir: Path | None, cache_dir: Path | None
) -> dict[str, dict[str, Any] | None]:
    """Each folder's `path` and how many `files` it has, None where it does not exist."""
    from rntk_bench.datasets.sources import cache_folder as downloads
    from rntk_bench.storage.cache import cache_folder as grams

    folders = {
        "data": data_dir,
        "downloads": downloads(cache_dir),
        "Gram cache": grams(cache_dir),
        "results": results,
    }
    return {
        name: {"path": str(folder), "files": _count(folder, _FILES[name][0])} if folder else None
        for name, folder in folders.items()
    }


def _count(folder: Path, pattern: str) -> int | None:
    """How many files match, those of one dataset in several formats counted once."""
    if not folder.is_dir():
        return None
    files = [path for path in folder.glob(pattern) if not path.name.startswith(".")]
    return len({str(path).partition("_TRAIN.")[0] for path in files})


def _print(found: dict[str, Any]) -> None:
    packages, folders = found["packages"], found["folders"] or {}
    entries = {
        "rntk-bench": packages["rntk-bench"] or "not installed",
        "python": f"{found['python']}, {found['platform']}",
        "processor": f"{found['cpu'] or 'unknown'}, {found['cores']} cores",
        "loops": _compiled(found["loops"]) if found["loops"] else "not known",
        "threads": _threads(found["threads"]) if found["threads"] else "not known",
        "BLAS": "; ".join(map(_blas, found["blas"] or [])) or "none found",
        "packages": _versions({k: v for k, v in packages.items() if k != "rntk-bench"}),
    }
    entries |= {extra: _extra(extra, wanted) for extra, wanted in (found["extras"] or {}).items()}
    if found["device"]:
        folder = f", compilations kept in {_short(kept)}" if (kept := found["compilations"]) else ""
        entries["JAX"] = f"computes on {found['device']}{folder}"
    entries |= {name: _folder(name, folder) for name, folder in folders.items()}
    for label, text in entries.items():
        options.print_entry(label, one_line(text))
    for problem in found["problems"]:
        options.print_entry("problem", one_line(problem))


def _compiled(loops: dict[str, str | None]) -> str:
    kept = f"kept in {_short(loops['folder'])}" if loops["folder"] else "not kept"
    return f"{loops['vectors'] or 'no known vectors'}, compiled for {loops['processor']}, {kept}"


def _threads(threads: dict[str, Any]) -> str:
    variables = "".join(f"; {name}={value}" for name, value in threads["variables"].items())
    return f"--jobs -1 is {threads['jobs']}{variables}"


def _folder(name: str, folder: dict[str, Any] | None) -> str:
    if folder is None:
        return "none; name one with --data-dir or RNTK_BENCH_DATA_DIR"
    files = "not there yet" if folder["files"] is None else f"{folder['files']} {_FILES[name][1]}"
    return f"{_short(folder['path'])}, {files}"


def _short(path: str) -> str:
    try:
        home = expand_home("~")
    except InputError:
        return path
    below = home.is_absolute() and home != home.parent and Path(path).is_relative_to(home)
    return f"~/{Path(path).relative_to(home)}" if below else path


def _blas(pool: dict[str, Any]) -> str:
    kernels = f", {pool['kernels']} kernels" if pool["kernels"] else ""
    return f"{pool['library']} {pool['version']}, {pool['threads']} threads{kernels}"


def _versions(packages: dict[str, str | None]) -> str:
    return ", ".join(f"{name} {version}" for name, version in packages.items() if version)


def _extra(extra: str, wanted: dict[str, str | None]) -> str:
    missing = [name for name, version in wanted.items() if version is None]
    if not missing:
        return f"extra, {_versions(wanted)}"
    return f"extra, lacks {', '.join(missing)}; pip install 'rntk-bench[{extra}]'"
