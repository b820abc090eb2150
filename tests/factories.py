"""Records made up for tests, of which only some entries matter."""

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
