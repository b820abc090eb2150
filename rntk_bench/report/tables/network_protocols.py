"""Table of a comparison of training protocols of finite networks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from rntk_bench.benchmark.network_protocols import Row
from rntk_bench.report.tables.table import Cell, Column, Table


def protocol_table(rows: Sequence[Row]) -> Table:
    """Mean accuracy of each protocol on the test folds, the best protocol first."""
    methods = sorted({row["method"] for row in rows})
    accuracies = defaultdict(list)
    for row in rows:
        protocol = int(row["batch_size"]), row["criterion"], int(row["patience"])
        accuracies[protocol, row["method"]].append(100 * float(row["scored"]))
        accuracies[protocol, "all"].append(100 * float(row["scored"]))
    protocols = {protocol for protocol, _ in accuracies}
    means = {key: float(np.mean(values)) for key, values in accuracies.items()}
    # Of equal protocols the cheapest first: large mini-batches, then little patience.
    ordered = sorted(protocols, key=lambda p: (-means[p, "all"], -p[0], p[2], p[1]))
    columns = [Column(name) for name in ("mini-batch", "criterion", "patience", *methods, "mean")]
    cells = [
        [
            Cell(size, ".0f"),
            Cell(criterion),
            Cell(patience, ".0f"),
            *(
                Cell(means.get(((size, criterion, patience), name)), ".2f")
                for name in (*methods, "all")
            ),
        ]
        for size, criterion, patience in ordered
    ]
    counts = {len(values) for (_, name), values in accuracies.items() if name == "all"}
    notes = [] if len(counts) == 1 else ["Not all protocols have all datasets yet."]
    caption = "Mean accuracies in percent on the held-out folds of the training sets"
    return Table("Protocols", caption, columns, cells, notes)
