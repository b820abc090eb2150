"""The cells of a plan: which have a record, which others compute now, and which are to be computed.

Several processes may run the same plan into the same folder: each claims a cell before it computes
it, leaves for later what others have claimed, and finds their records then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from rntk_bench.benchmark.evaluation import reason
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset, load_dataset
from rntk_bench.errors import InputError, StorageError, find_interrupt
from rntk_bench.methods import Method
from rntk_bench.storage.cache import GramCache
from rntk_bench.storage.locks import is_locked, remove_stale, try_lock
from rntk_bench.storage.records import (
    Record,
    RecordError,
    has_choice,
    read_record,
    record_path,
    write_error,
    write_record,
)


@dataclass(frozen=True)
class Options:
    """How to run, none of which changes what is computed.

    `overwrite` is "missing" (compute what has no record), "failed" (and what failed) or
    "always". A cell that takes more than `timeout` seconds fails. It gets as many of the jobs as
    fit into `memory_limit` bytes, and fails if none does.
    """

    results: Path
    data_dir: Path | None = None
    cache_dir: Path | None = None
    n_jobs: int = 1
    prune: bool = True
    overwrite: str = "missing"
    fail_fast: bool = False
    cache: GramCache | None = None
    timeout: float | None = None
    memory_limit: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one cell: "computed", "kept", "failed", or "unreadable" data."""

    dataset: str
    method: str
    kind: str
    record: Record | None = None
    message: str = ""


class Cell(NamedTuple):
    """One method on one dataset."""

    dataset: Dataset
    method: Method


class Plan:
    """Datasets times methods, what became of them, and this process's claims while it is entered.

    Parameters
    ----------
    report : told what became of each cell, and once of a dataset that cannot be read
    """

    def __init__(
        self,
        datasets: Sequence[str],
        methods: Sequence[Method],
        experiment: Experiment,
        options: Options,
        report: Callable[[Outcome], None],
    ) -> None:
        self._datasets, self._methods = datasets, methods
        self._experiment, self._options, self._report = experiment, options, report
        self._overwrite = options.overwrite
        self._found: dict[tuple[str, str], Outcome] = {}
        self._claims: dict[tuple[str, str], ExitStack] = {}
        self.stopped = False
        """Whether a cell has failed that is to be the last."""

    def __enter__(self) -> Self:
        for left_behind in ("*/.*.tmp", "*/.*.lock"):
            remove_stale(self._options.results, left_behind)
        return self

    def __exit__(self, *_: object) -> None:
        while self._claims:
            self._claims.popitem()[1].close()

    @property
    def outcomes(self) -> list[Outcome]:
        """What became of the cells, in the order of the plan."""
        cells = [(name, method.name) for name in self._datasets for method in self._methods]
        return [self._found[cell] for cell in cells if cell in self._found]

    def missing(self) -> Iterator[Cell | None]:
        """The cells to compute, each claimed; None while others compute what is left."""
        pending = {name: list(self._methods) for name in self._datasets}
        while pending:
            for name, methods in pending.items():
                yield from self._row(name, methods)
                if self.stopped:
                    return
            pending = {
                name: left
                for name, methods in pending.items()
                if (left := [method for method in methods if self._is_open(name, method)])
            }
            if pending:
                # What another process stores now is not computed again, whatever was there before.
                self._overwrite = "missing"
                yield None

    def store(self, cell: Cell, record: Record) -> None:
        """Write the record of a cell that is done.

        Raises
        ------
        StorageError
            If it cannot be written; those that are stored stay.
        """
        write_record(self._options.results, record)
        kind = "failed"
        if record.status == "ok":
            kind = "computed"
            self.partial(cell).unlink(missing_ok=True)
        name, method = cell.dataset.name, cell.method.name
        self._claims.pop((name, method)).close()
        self._add(Outcome(name, method, kind, record, record.error or ""))

    def partial(self, cell: Cell) -> Path:
        """Where the finished runs of a network are kept."""
        return self._path(cell.dataset.name, cell.method).with_suffix(".partial")

    def _is_open(self, name: str, method: Method) -> bool:
        return not any((name, method.name) in known for known in (self._found, self._claims))

    def _row(self, name: str, methods: Sequence[Method]) -> Iterator[Cell]:
        """One dataset's cells to compute, but for those that other processes have claimed."""
        try:
            free = [method for method in methods if not is_locked(_lock(self._path(name, method)))]
            if not free:
                return
            options = self._options
            dataset = load_dataset(name, data_dir=options.data_dir, cache_dir=options.cache_dir)
        except StorageError:
            raise
        except Exception as error:
            if interrupt := find_interrupt(error):
                raise interrupt from None
            message = reason(error)
            outcomes = [Outcome(name, m.name, "unreadable", message=message) for m in methods]
            self._add(*outcomes)
            return
        for method in free:
            cell = Cell(dataset, method)
            if self._is_to_be_computed(cell):
                yield cell
            if self.stopped:
                return

    def _is_to_be_computed(self, cell: Cell) -> bool:
        """Whether there is no record of a cell, which is then claimed."""
        name, method = cell.dataset.name, cell.method.name
        partial = self.partial(cell)
        kept = self._kept(cell)
        if kept is None or (kept.status == "ok" and partial.exists()):
            with ExitStack() as stack:
                if not stack.enter_context(_claimed(self._path(name, cell.method))):
                    return False
                kept = self._kept(cell)  # it may have been stored meanwhile
                if kept is None:
                    self._claims[name, method] = stack.pop_all()
                    return True
                partial.unlink(missing_ok=True)
        kind = "kept" if kept.status == "ok" else "failed"
        self._add(Outcome(name, method, kind, kept, kept.error or ""))
        return False

    def _kept(self, cell: Cell) -> Record | None:
        path = self._path(cell.dataset.name, cell.method)
        return kept_record(path, self._overwrite, cell.dataset)

    def _add(self, *outcomes: Outcome) -> None:
        """Note what became of cells of one dataset, and report the first of them for all."""
        for outcome in outcomes:
            self._found[outcome.dataset, outcome.method] = outcome
        self._report(outcomes[0])
        if self._options.fail_fast and outcomes[0].kind in ("failed", "unreadable"):
            self.stopped = True

    def _path(self, name: str, method: Method) -> Path:
        protocol = method.protocol(self._experiment)
        return record_path(self._options.results, name, method.name, protocol)


def kept_record(path: Path, overwrite: str, dataset: Dataset | None = None) -> Record | None:
    """The record that makes computing a cell unnecessary, if there is one.

    Parameters
    ----------
    path : where it would be
    overwrite : as in `Options`
    dataset : of which the record must be; None where it is not here to compare
    """
    if overwrite == "always":
        return None
    try:
        record = read_record(path)
    except RecordError:
        return None
    if dataset is not None and record.data.get("fingerprint") != dataset.fingerprint:
        return None
    if record.status == "ok" and not has_choice(record):
        return None
    return None if record.status == "failed" and overwrite == "failed" else record


def count_stored(
    datasets: Sequence[str], methods: Sequence[Method], experiment: Experiment, results: Path
) -> int:
    """How many cells of a plan have a record, whoever wrote it."""
    count = 0
    for name in datasets:
        with suppress(InputError):  # a name that no record can have
            count += sum(
                record_path(results, name, method.name, method.protocol(experiment)).exists()
                for method in methods
            )
    return count


def _lock(path: Path) -> Path:
    """The file that a process claims while it computes the record."""
    return path.with_name(f".{path.stem}.lock")


@contextmanager
def _claimed(path: Path) -> Iterator[bool]:
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            mine = stack.enter_context(try_lock(_lock(path)))
        except OSError as error:
            raise write_error(path, error) from error
        yield mine
