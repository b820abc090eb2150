"""Records made up for tests, of which only some entries matter."""

from dataclasses import replace

from rntk_bench.storage.integers import pack_integers
from rntk_bench.storage.records import Record


def record(dataset, method, correct=1, n=2, error=None, protocol=None):
    return Record(
        dataset=dataset,
        method=method,
        status="failed" if error else "ok",
        protocol=protocol or {},
        data={},
        selection=None,
        test=None if error else {"correct": correct, "n": n},
        warnings=[],
        error=error,
        timings={},
        environment={},
    )


def predicted(dataset, method, protocol=None):
    """A record that predicts the first test series wrong and all others right."""
    predictions = dataset.y_test.copy()
    predictions[0] = (predictions[0] + 1) % dataset.n_classes
    n = dataset.n_test
    return replace(
        record(dataset.name, method, n - 1, n, protocol=protocol),
        data={"fingerprint": dataset.fingerprint},
        selection={"setting": {"alpha": 0.5}, "C": 10.0, "accuracy": 0.75, "ties": 1},
        test={
            "correct": n - 1,
            "n": n,
            "accuracy": (n - 1) / n,
            "predictions": pack_integers(predictions),
        },
        timings={"total": 1.5, "test": 0.25},
    )
