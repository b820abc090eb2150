"""`rntk-bench env`: versions, hardware and folders of this installation."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from rntk_bench.cli import _options as options
from rntk_bench.errors import InputError, one_line
from rntk_bench.storage.paths import expand_home


@click.command()
@options.results
@options.data_dir
@options.cache_dir
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def env(results: Path, data_dir: Path | None, cache_dir: Path | None, as_json: bool) -> None:
    """Print versions, processor, threads, BLAS, optional packages and folders.

    The text abbreviates the home folder to ~, so that it can be shared; JSON has full paths. What
    cannot be determined is listed as a problem and is not an error.
    """
    from rntk_bench.storage import installation
    from rntk_bench.storage.environment import environment

    problems: list[str] = []
    queries: dict[str, Callable[[], Any]] = {
        "loops": _loops,
        "threads": installation.threads,
        "blas": installation.blas,
        "extras": installation.extras,
        "networks": _networks,
        "folders": partial(_folders, results, data_dir, cache_dir),
    }
    information = {
        **environment(),
        **{name: _query(name, query, problems) for name, query in queries.items()},
        "problems": problems,
    }
    if as_json:
        click.echo(json.dumps(information, indent=1))
    else:
        _print(information)


def _query(name: str, query: Callable[[], Any], problems: list[str]) -> Any:
    """Return the result of a query, None if it fails; its error and warnings become problems."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        for category in (UserWarning, RuntimeWarning):
            warnings.filterwarnings("always", category=category)
        try:
            return query()
        except Exception as error:
            problems.append(f"{name}: {type(error).__name__}, {_first_line(error)}")
            return None
        finally:
            problems += [_first_line(warning.message) for warning in caught]


def _first_line(message: Exception | str | Warning) -> str:
    return next(iter(str(message).splitlines()), "")


def _loops() -> dict[str, str | None]:
    """The processor for which loops are compiled, and the folder of the compiled code."""
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
        warnings.warn(
            "Compiled loops are not cached: every process compiles them again.", stacklevel=1
        )
    return {**instruction_set(), "folder": folder}


def _networks() -> dict[str, str]:
    """What trains networks: `device` and `trainer`."""
    from rntk_bench.networks.pool import trained_by

    return trained_by()


_FILES = {
    "data": ("*/*_TRAIN.*", "datasets"),
    "downloads": ("*/*_TRAIN.*", "datasets"),
    "Gram cache": ("*/*.gram", "Gram matrices"),
    "results": ("*/*.json", "records"),
}


def _folders(
    results: Path, data_dir: Path | None, cache_dir: Path | None
) -> dict[str, dict[str, Any] | None]:
    """The `path` and the number of `files` of each folder; None for a folder that is not set."""
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
    """The number of matching files; a dataset in several formats counts once."""
    if not folder.is_dir():
        return None
    files = [path for path in folder.glob(pattern) if not path.name.startswith(".")]
    return len({str(path).partition("_TRAIN.")[0] for path in files})


def _print(information: dict[str, Any]) -> None:
    packages, folders = information["packages"], information["folders"] or {}
    entries = {
        "rntk-bench": f"{packages['rntk-bench']}, code {information['code']}",
        "python": f"{information['python']}, {information['platform']}",
        "processor": f"{information['cpu'] or 'unknown'}, {information['cores']} cores",
        "loops": _format_loops(information["loops"]) if information["loops"] else "not known",
        "threads": _format_threads(information["threads"])
        if information["threads"]
        else "not known",
        "BLAS": "; ".join(map(_format_blas, information["blas"] or [])) or "none found",
        "packages": _format_versions({k: v for k, v in packages.items() if k != "rntk-bench"}),
    }
    entries |= {
        extra: _format_extra(extra, wanted)
        for extra, wanted in (information["extras"] or {}).items()
    }
    if networks := information["networks"]:
        entries["networks"] = f"trained by {networks['trainer']} on {networks['device']}"
    entries |= {name: _format_folder(name, folder) for name, folder in folders.items()}
    for label, text in entries.items():
        options.print_entry(label, one_line(text))
    for problem in information["problems"]:
        options.print_entry("problem", one_line(problem))


def _format_loops(loops: dict[str, str | None]) -> str:
    cached = f"cached in {_abbreviate_home(loops['folder'])}" if loops["folder"] else "not cached"
    return f"{loops['vectors'] or 'no known vectors'}, compiled for {loops['processor']}, {cached}"


def _format_threads(threads: dict[str, Any]) -> str:
    variables = "".join(f"; {name}={value}" for name, value in threads["variables"].items())
    return f"--jobs -1 is {threads['jobs']}{variables}"


def _format_folder(name: str, folder: dict[str, Any] | None) -> str:
    if folder is None:
        return "none; name one with --data-dir or RNTK_BENCH_DATA_DIR"
    files = (
        "does not exist yet" if folder["files"] is None else f"{folder['files']} {_FILES[name][1]}"
    )
    return f"{_abbreviate_home(folder['path'])}, {files}"


def _abbreviate_home(path: str) -> str:
    try:
        home = expand_home("~")
    except InputError:
        return path
    below = home.is_absolute() and home != home.parent and Path(path).is_relative_to(home)
    return f"~/{Path(path).relative_to(home)}" if below else path


def _format_blas(pool: dict[str, Any]) -> str:
    kernels = f", {pool['kernels']} kernels" if pool["kernels"] else ""
    return f"{pool['library']} {pool['version']}, {pool['threads']} threads{kernels}"


def _format_versions(packages: dict[str, str | None]) -> str:
    return ", ".join(f"{name} {version}" for name, version in packages.items() if version)


def _format_extra(extra: str, wanted: dict[str, str | None]) -> str:
    missing = [name for name, version in wanted.items() if version is None]
    if not missing:
        return f"extra, {_format_versions(wanted)}"
    return f"extra, lacks {', '.join(missing)}; pip install 'rntk-bench[{extra}]'"
