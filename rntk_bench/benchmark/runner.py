"""Runs a plan: loads the datasets, locks each evaluation, has it computed and stores its record.

Several processes may run the same plan into the same folder. Each computes the evaluations whose
locks it gets, and reads the records of the others when these are finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count, groupby
from pathlib import Path
from typing import Self

from rntk_bench.benchmark.backend import (
    Backend,
    LoadedEvaluation,
    RunOptions,
    compute_locally,
)
from rntk_bench.benchmark.evaluation import failure_reason, raise_if_fatal
from rntk_bench.benchmark.plan import LOCKS, Evaluation, evaluation_title
from rntk_bench.datasets import Dataset, load_dataset, resample_dataset
from rntk_bench.errors import InputError
from rntk_bench.storage.atomic import TEMPORARY
from rntk_bench.storage.locks import is_locked, remove_stale, try_lock
from rntk_bench.storage.records import (
    Record,
    RecordError,
    has_choice,
    read_record,
    write_error,
    write_record,
)


@dataclass(frozen=True)
class Outcome:
    """How an evaluation ended: "computed", "kept", "failed", or with "unreadable" data."""

    dataset: str
    method: str
    resample: int
    kind: str
    record: Record | None = None
    message: str = ""

    @property
    def title(self) -> str:
        """The dataset, the method and the resample as text."""
        return evaluation_title(*self.key)

    @property
    def key(self) -> tuple[str, str, int]:
        """The key of the evaluation in its plan."""
        return self.dataset, self.method, self.resample


def run_plan(
    plan: Sequence[Evaluation],
    options: RunOptions | None = None,
    backend: Backend | None = None,
    report: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Compute every evaluation that has no record, and write each record as soon as it is done.

    Parameters
    ----------
    plan : sequence of Evaluation
    options : RunOptions, optional
    backend : callable, optional
        Where evaluations are computed: by default in this process, one after the other.
    report : callable
        Receives the outcome of each evaluation, or one outcome for a dataset that cannot be read.

    Returns
    -------
    list of Outcome, in the order of the plan

    Raises
    ------
    StorageError
        If a record cannot be written; those that are stored stay.
    ClusterError
        If a cluster is lost.
    """
    options = options or RunOptions()
    compute = backend or partial(compute_locally, options=options)
    with Runner(plan, options, report) as runner, closing(compute(runner.pending())) as computed:
        for loaded, record in computed:
            runner.store(loaded.evaluation, record)
            if runner.stopped:
                break
    return runner.outcomes


class Runner:
    """Loads, locks and stores the evaluations of a plan, and holds its locks while it is entered.

    Parameters
    ----------
    plan : sequence of Evaluation
    options : RunOptions
    report : callable
        Receives the outcome of each evaluation, or one outcome for a dataset that cannot be read.
    """

    def __init__(
        self, plan: Sequence[Evaluation], options: RunOptions, report: Callable[[Outcome], None]
    ) -> None:
        self._plan, self._options, self._report = plan, options, report
        self._overwrite = options.overwrite
        self._outcomes: dict[tuple[str, str, int], Outcome] = {}
        self._locks: dict[tuple[str, str, int], ExitStack] = {}
        self.stopped = False
        """Whether an evaluation has failed after which no other is to be computed."""

    def __enter__(self) -> Self:
        for results in {evaluation.results for evaluation in self._plan}:
            for pattern in (TEMPORARY, *LOCKS):
                remove_stale(results, f"*/{pattern}")
        return self

    def __exit__(self, *_: object) -> None:
        while self._locks:
            self._locks.popitem()[1].close()

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcomes so far, in the order of the plan."""
        keys = [evaluation.key for evaluation in self._plan]
        return [self._outcomes[key] for key in keys if key in self._outcomes]

    def pending(self) -> Iterator[LoadedEvaluation | None]:
        """The evaluations to compute, each locked; None while other processes compute the rest."""
        waiting = list(self._plan)
        while waiting:
            for name in dict.fromkeys(evaluation.dataset for evaluation in waiting):
                yield from self._load([each for each in waiting if each.dataset == name])
                if self.stopped:
                    return
            waiting = [
                evaluation
                for evaluation in waiting
                if evaluation.key not in self._outcomes and evaluation.key not in self._locks
            ]
            if waiting:
                # What another process stores now is not computed again, even with "always".
                self._overwrite = "missing"
                yield None

    def store(self, evaluation: Evaluation, record: Record) -> None:
        """Write the record of an evaluation that is finished, and release its lock.

        A failed attempt does not replace a finished record. What is there and was not asked to be
        replaced, such as the record of other data, is renamed, and the outcome says so.

        Raises
        ------
        StorageError
            If it cannot be written; those that are stored stay.
        """
        note, before = "", stored_record(evaluation)
        if record.status == "failed" and before is not None and before.status == "ok":
            note = "The record that it had stays."
        else:
            if before is None or before.data.get("fingerprint") != record.data.get("fingerprint"):
                note = _set_aside(evaluation.record_path)
            write_record(evaluation.results, record)
        kind = "failed"
        if record.status == "ok":
            kind = "computed"
            evaluation.checkpoint_path.unlink(missing_ok=True)
        self._locks.pop(evaluation.key).close()
        message = " ".join(filter(None, [record.error, note]))
        self._add(Outcome(*evaluation.key, kind, record, message))

    def _load(self, evaluations: Sequence[Evaluation]) -> Iterator[LoadedEvaluation]:
        """The evaluations on one dataset that are to be computed and that no other process has."""
        try:
            free = [each for each in evaluations if not is_locked(each.lock_path)]
            if not free:
                return
            data_dir, cache_dir = self._options.data_dir, self._options.cache_dir
            dataset = load_dataset(free[0].dataset, data_dir=data_dir, cache_dir=cache_dir)
        except Exception as error:
            self._add_unreadable(evaluations, error)
            return
        for resample, group in groupby(free, key=lambda each: each.experiment.resample):
            try:
                resampled = resample_dataset(dataset, resample)
            except Exception as error:  # the reason is the same for every other seed
                self._add_unreadable([each for each in free if each.experiment.resample], error)
                return
            for evaluation in group:
                if self._lock_if_missing(evaluation, resampled):
                    yield LoadedEvaluation(evaluation, resampled)
                if self.stopped:
                    return

    def _add_unreadable(self, evaluations: Sequence[Evaluation], error: Exception) -> None:
        raise_if_fatal(error)
        message = failure_reason(error)
        self._add(*(Outcome(*each.key, "unreadable", message=message) for each in evaluations))

    def _lock_if_missing(self, evaluation: Evaluation, dataset: Dataset) -> bool:
        """Lock an evaluation that has no record; whether that was so, and the lock was free."""
        record = stored_record(evaluation, self._overwrite, dataset)
        checkpoint = evaluation.checkpoint_path
        if record is None or (record.status == "ok" and checkpoint.exists()):
            with ExitStack() as stack:
                if not stack.enter_context(_locked(evaluation)):
                    return False
                # Another process may have stored it meanwhile.
                record = stored_record(evaluation, self._overwrite, dataset)
                if record is None:
                    self._locks[evaluation.key] = stack.pop_all()
                    return True
                checkpoint.unlink(missing_ok=True)
        kind = "kept" if record.status == "ok" else "failed"
        self._add(Outcome(*evaluation.key, kind, record, record.error or ""))
        return False

    def _add(self, *outcomes: Outcome) -> None:
        """Add outcomes of evaluations on one dataset, and report the first on behalf of all."""
        for outcome in outcomes:
            self._outcomes[outcome.dataset, outcome.method, outcome.resample] = outcome
        self._report(outcomes[0])
        if self._options.fail_fast and outcomes[0].kind in ("failed", "unreadable"):
            self.stopped = True


def stored_record(
    evaluation: Evaluation, overwrite: str = "missing", dataset: Dataset | None = None
) -> Record | None:
    """The stored record that makes it unnecessary to compute an evaluation, if there is one.

    Parameters
    ----------
    overwrite : as in `RunOptions`
    dataset : Dataset, optional
        The record must be of these data.
    """
    if overwrite == "always":
        return None
    try:
        record = read_record(evaluation.record_path)
    except RecordError:
        return None
    if dataset is not None and record.data.get("fingerprint") != dataset.fingerprint:
        return None
    if record.status == "ok" and not has_choice(record):
        return None
    return None if record.status == "failed" and overwrite == "failed" else record


def count_stored(plan: Sequence[Evaluation]) -> int:
    """The number of evaluations with a record, whichever process wrote it."""
    n_stored = 0
    for evaluation in plan:
        with suppress(InputError):  # a name that no record can have
            n_stored += stored_record(evaluation) is not None
    return n_stored


def _set_aside(path: Path) -> str:
    """Rename what is at a record's path, if anything, to a name that no record has, and say so."""
    if not path.exists():
        return ""
    others = (path.with_name(f"{path.name}.old{number}") for number in count(1))
    kept = next(other for other in others if not other.exists())
    try:
        path.rename(kept)
    except OSError as error:
        raise write_error(path, error) from error
    return f"{path} was no record of this evaluation on these data; it is kept as {kept.name}."


@contextmanager
def _locked(evaluation: Evaluation) -> Iterator[bool]:
    """Hold an evaluation's lock; False if another process holds it."""
    path = evaluation.record_path
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            acquired = stack.enter_context(try_lock(evaluation.lock_path))
        except OSError as error:
            raise write_error(path, error) from error
        yield acquired
