"""Which datasets `-d`, `--all` and `--archive` mean: names in any case, patterns and lists."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from rntk_bench.cli._streams import note, warn
from rntk_bench.errors import DataError, InputError
from rntk_bench.report.results.names import abbreviate_list
from rntk_bench.storage.paths import expand_home

if TYPE_CHECKING:
    from rntk_bench.config import Experiment

_LIST_MARK = "@"
_MAX_LIST_BYTES = 1 << 20
"""Larger than any list of datasets; a larger file is not one."""

_MAX_WARNINGS = 3

all_option = click.option(
    "--all",
    "everything",
    is_flag=True,
    help="All datasets of the configuration, or the paper's where it names none.",
)

archive_option = click.option(
    "--archive",
    is_flag=True,
    help="Every dataset of the archive that is on this machine: in --data-dir, downloaded, or in "
    "an installed package.",
)


_COMMENT = re.compile(r"(?:^|\s)#")


class _Word(NamedTuple):
    """A name or a pattern, and where it is written if that is a list."""

    text: str
    place: str = ""


def plan_datasets(
    datasets: Sequence[str],
    everything: bool,
    archive: bool,
    experiment: Experiment,
    *,
    data_dir: Path | None,
    cache_dir: Path | None,
    recorded: Collection[str] = (),
    quiet: bool = False,
) -> list[str]:
    """The datasets of a plan, each once; none if no option and no configuration names any.

    Parameters
    ----------
    datasets : sequence of str
        The values of `-d`, as `expand_datasets` reads them.
    everything, archive : bool
        Whether `--all` or `--archive` is given.
    experiment : Experiment
        Its datasets are used where no option names others.
    data_dir, cache_dir : Path, optional
    recorded : collection of str
        Datasets with records, which `-d` can name beside those of the archive and of `data_dir`.
    quiet : bool
        Print no notes.

    Raises
    ------
    InputError
        Two of the options exclude each other, or as `expand_datasets` does.
    """
    from rntk_bench.datasets.paper import PAPER_DATASETS

    options = {"-d": bool(datasets), "--all": everything, "--archive": archive}
    chosen = [option for option, used in options.items() if used]
    if len(chosen) > 1:
        raise InputError(
            f"{' and '.join(chosen)} are {len(chosen)} selections of datasets; use one of them."
        )
    if datasets:
        return expand_datasets(datasets, {*known_datasets(data_dir), *recorded}, quiet=quiet)
    if archive:
        return _archive_on_this_machine(data_dir, cache_dir, quiet)
    return list(dict.fromkeys(experiment.datasets or (PAPER_DATASETS if everything else ())))


def known_datasets(data_dir: Path | None) -> list[str]:
    """The archive's datasets and those in `data_dir`, in alphabetical order.

    To be fast, it reads only the names of files. A folder that cannot be read has no datasets here.
    """
    from rntk_bench.datasets.archive import ARCHIVE, MULTIVARIATE

    splits: list[Path] = []
    with suppress(OSError, RuntimeError, ValueError):
        splits = list(data_dir.glob("*/*_TRAIN.*")) if data_dir else []
    user_names = {path.parent.name for path in splits if path.stem == f"{path.parent.name}_TRAIN"}
    return sorted({*ARCHIVE, *MULTIVARIATE, *user_names}, key=lambda name: (name.casefold(), name))


_DATASETS_HINT = "'rntk-bench datasets' lists them all."


def expand_datasets(
    words: Sequence[str],
    known: Collection[str],
    *,
    quiet: bool = False,
    hint: str = _DATASETS_HINT,
) -> list[str]:
    """The datasets that words name, in the order of the words and each once.

    A word is a name in any case, a pattern such as ``GunPoint*`` (with the wildcards ``*``, ``?``
    and ``[...]``, in any case too), or ``@FILE``, a list with one name or pattern per line and
    comments after ``#``. A word that is exactly a known name is that name, also if it contains a
    wildcard. A name that is not known stays as it is: what reads it says what is wrong. Notes say
    which names were spelled otherwise, and what patterns stand for.

    Parameters
    ----------
    words : sequence of str
    known : collection of str
        Every name that patterns can match.
    quiet : bool
        Print no notes.
    hint : str
        Ends the sentence on a pattern that matches nothing.

    Raises
    ------
    InputError
        A pattern matches nothing, a spelling fits several names, or a list cannot be read.
    """
    spellings: dict[str, list[str]] = defaultdict(list)
    for name in sorted(set(known)):
        spellings[name.casefold()].append(name)
    names: list[str] = []
    notes, readings = [], []
    for word in _unfold(words, known):
        matches = [word.text]
        if word.text in known:
            pass
        elif _is_pattern(word.text):
            matches = _match(word, spellings, hint)
            notes.append(f"'{word.text}' stands for {abbreviate_list(matches)}.")
        elif (name := _respell(word, spellings)) != word.text:
            matches = [name]
            readings.append(f"{word.text} is read as {name}")
        names += matches
    if readings:
        notes.append(f"{abbreviate_list(list(dict.fromkeys(readings)))}.")
    for text in () if quiet else notes:
        note(text)
    return list(dict.fromkeys(names))


def expand_dataset(word: str, known: Collection[str]) -> str:
    """The one dataset that a word names, as `expand_datasets` reads it.

    Raises
    ------
    InputError
        If there are several, or as `expand_datasets` does.
    """
    names = expand_datasets([word], known, quiet=_is_pattern(word))
    if len(names) > 1:
        raise InputError(
            f"{word!r} stands for {len(names)} datasets, and this command reads one; name it, for "
            f"example {names[0]}."
        )
    return names[0]


def _is_pattern(text: str) -> bool:
    return any(wildcard in text for wildcard in "*?[")


def _match(word: _Word, spellings: dict[str, list[str]], hint: str) -> list[str]:
    """The known names that match a pattern in any case, in alphabetical order."""
    pattern = word.text.casefold()
    matches = [key for key in sorted(spellings) if fnmatchcase(key, pattern)]
    if not matches:
        raise InputError(f"{word.place}No dataset matches {word.text!r}; {hint}")
    return [name for key in matches for name in spellings[key]]


def _respell(word: _Word, spellings: dict[str, list[str]]) -> str:
    """The known name that differs in case only, or the word itself if there is none."""
    names = spellings.get(word.text.casefold(), [word.text])
    if len(names) > 1:
        raise InputError(
            f"{word.place}{word.text!r} may be {' or '.join(names)}; write it as one of these."
        )
    return names[0]


def _unfold(words: Sequence[str], known: Collection[str]) -> Iterator[_Word]:
    """The words with those of the lists in the place of each ``@FILE``."""
    for text in words:
        if text.startswith(_LIST_MARK) and text not in known:
            yield from _read_list(text.removeprefix(_LIST_MARK), known)
        else:
            if text not in known:
                _refuse_several_or_path(text)
            yield _Word(text)


def _refuse_several_or_path(text: str) -> None:
    """Raise an error for what a beginner may write in place of a name."""
    if not text.strip():
        raise InputError("-d '' names no dataset; write for example -d Coffee.")
    if "," in text:
        raise InputError(
            f"-d {text} is one name with a comma; give each dataset with its own -d, or a list of "
            "them with -d @FILE."
        )
    path = Path(text)
    if path.name != text and path.is_dir():
        raise InputError(f"-d {text} is a folder; write -d {path.name} --data-dir {path.parent}.")


def _read_list(file: str, known: Collection[str]) -> Iterator[_Word]:
    if not file:
        raise InputError("-d @ names no file; write -d @FILE for a list of datasets.")
    found = False
    for number, line in enumerate(_read_lines(expand_home(file)), start=1):
        text = _COMMENT.split(line, maxsplit=1)[0].strip()
        place = f"{file}, line {number}: "
        if text.startswith(_LIST_MARK) and text not in known:
            raise InputError(
                f"{place}a list cannot name another, as {text} does; give each with its own -d."
            )
        if text:
            found = True
            yield _Word(text, place)
    if not found:
        raise InputError(f"{file} lists no dataset; write one name or pattern per line into it.")


def _read_lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_LIST_BYTES + 1)
        if len(content) > _MAX_LIST_BYTES:
            raise InputError(f"{path} is larger than any list of datasets; name another file.")
        return content.decode("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(
            f"{path} does not exist; write one dataset per line into it, or name another file."
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a text in UTF-8; save the list as one.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(
            f"{path} cannot be read as a list of datasets: {reason}; name another file."
        ) from None


def _archive_on_this_machine(
    data_dir: Path | None, cache_dir: Path | None, quiet: bool
) -> list[str]:
    """The archive's datasets that need no download; a warning names each that is incomplete."""
    from rntk_bench.datasets import ARCHIVE, locate

    names: list[str] = []
    errors: list[InputError] = []
    for name in ARCHIVE:
        try:
            location = locate(name, data_dir=data_dir, cache_dir=cache_dir)
        except DataError as error:
            errors.append(error)
            continue
        if location.source != "download":
            names.append(name)
    if not names:
        nothing = InputError(
            "No dataset of the archive is on this machine; name its folder with --data-dir, or "
            "download some with 'rntk-bench fetch'."
        )
        raise [*errors, nothing][0]
    for incomplete in errors[:_MAX_WARNINGS]:
        warn(str(incomplete))
    if len(errors) > _MAX_WARNINGS:
        warn(f"{len(errors) - _MAX_WARNINGS} more datasets are left out for such reasons.")
    if not quiet:
        others = "; 'rntk-bench fetch --all' downloads the others" * (len(names) < len(ARCHIVE))
        note(f"{len(names)} of the archive's {len(ARCHIVE)} datasets are on this machine{others}.")
    return names
