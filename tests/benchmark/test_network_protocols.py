from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from rntk_bench.benchmark import network_protocols
from rntk_bench.benchmark.network_evaluation import make_training, network_problem
from rntk_bench.benchmark.network_protocols import (
    Comparison,
    compare,
    read_rows,
    rows_of,
)
from rntk_bench.cli import main
from rntk_bench.config import Experiment, Network
from rntk_bench.errors import InputError
from rntk_bench.methods import NetworkMethod
from rntk_bench.networks.compiled.runs import train_one
from rntk_bench.networks.full_training import train_all_epochs
from rntk_bench.report.tables.network_protocols import protocol_table
from rntk_bench.report.tables.text import render_text
from tests.benchmark.test_network_evaluation import made_up

METHOD = NetworkMethod(
    "rnn-gaussian", {"n_layers": (1,), "width": (4,), "learning_rate": (0.03, 1e-3)}
)
EXPERIMENT = Experiment(network=Network(n_folds=3, max_epochs=6, batch_size=8))
DATASET = made_up()
COMPARISON = Comparison(DATASET.name, METHOD, EXPERIMENT, lambda _: DATASET)


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(network_protocols, "PATIENCE", (1, 6))
    monkeypatch.setattr(network_protocols, "BATCH_SIZES", (4, 8))


def test_a_fold_scores_one_stops_and_the_rest_trains():
    problem = network_problem(DATASET, EXPERIMENT)
    training = make_training(problem, EXPERIMENT)
    seen = []
    for fold in range(3):
        rest, to_score, n_scoring = network_protocols._rotation(problem, training, fold)
        stopping = network_protocols._stopping(training, fold)
        run = rest.run(stopping, 0.1)
        trained = {int(row) for row in np.unique(run.batches) if row >= 0}
        stops = {int(row) for row in np.unique(run.held_out) if row >= 0}
        assert not trained & stops
        assert len(trained) + len(stops) + n_scoring == len(training.fold)
        used = rest.series.X[sorted(trained | stops)]
        apart = (used[:, None] != to_score.X[None, :n_scoring]).any(axis=(2, 3))
        assert apart.all()
        seen.append((fold, stopping))
    assert seen == [(0, 1), (1, 2), (2, 0)]


def test_a_run_is_not_stopped_and_is_the_run_of_the_benchmark():
    problem = network_problem(DATASET, EXPERIMENT)
    training = make_training(problem, EXPERIMENT)
    rest, to_score, n_scoring = network_protocols._rotation(problem, training, 0)
    impatient = replace(rest, options=rest.options._replace(patience=1, criterion="loss"))
    from rntk_bench.benchmark.network_evaluation import network_settings

    ((network, rate), _) = network_settings(DATASET, METHOD)
    curve = train_all_epochs(impatient, network, 1, rate, to_score, n_scoring)
    assert len(curve.n_correct) == len(curve.losses) == len(curve.n_correct_evaluation) == 6
    assert curve.n_correct == train_one(rest, network, 1, rate).curve.n_correct
    assert 0 <= min(curve.n_correct_evaluation) <= max(curve.n_correct_evaluation) <= n_scoring


def test_rows_are_written_as_they_come_and_are_not_computed_again(tmp_path, monkeypatch):
    path = tmp_path / "protocols.csv"
    (rows,) = compare([COMPARISON], path, 2)
    assert [(row["criterion"], row["patience"]) for row in rows] == [
        *(("accuracy", "1"), ("accuracy", "6"), ("loss", "1"), ("loss", "6"))
    ]
    assert read_rows(path) == rows
    assert {row["batch_size"] for row in rows} == {"8"}
    for row in rows:
        assert 0 <= float(row["scored"]) <= 1
        assert int(row["epochs"]) <= 2 * 3 * 6
    assert int(rows[0]["epochs"]) <= int(rows[1]["epochs"]) == 36

    def never(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr(Comparison, "rows", never)
    assert list(compare([COMPARISON], path, 2)) == []
    # What was made with another protocol is.
    other = replace(COMPARISON, experiment=replace(EXPERIMENT, seed=1))
    with pytest.raises(AssertionError, match="computed again"):
        list(compare([other], path, 2))
    assert rows_of([COMPARISON, other], path) == rows
    assert rows_of([other], path) == []


def test_the_table_has_the_best_protocol_first_and_the_cheaper_of_equal_ones():
    def row(size, patience, scored, method="gru"):
        return {
            "method": method,
            "batch_size": size,
            "criterion": "loss",
            "patience": patience,
            "scored": scored,
        }

    rows = [row("4", "5", "0.5"), row("8", "5", "0.75"), row("8", "50", "0.75")]
    text = render_text(protocol_table(rows))
    table = [line.split() for line in text.splitlines()[4:7]]
    assert [line[:3] for line in table] == [
        ["8", "loss", "5"],
        ["8", "loss", "50"],
        ["4", "loss", "5"],
    ]
    assert table[0][-1] == "75.00"
    assert "Not all" in render_text(protocol_table([*rows, row("4", "5", "0.25", "rnn")]))


def test_the_command_says_what_was_best_and_prints_the_table(tmp_path, write_dataset):
    config = tmp_path / "small.toml"
    config.write_text(
        '[experiment]\nmethods = ["gru"]\n[network]\nmax_epochs = 2\nn_folds = 3\n'
        "[grid.gru]\nn_layers = [1]\nwidth = [3]\nlearning_rate = [0.01]\n"
    )
    arguments = ["-c", config, "-d", "Made", "--data-dir", write_dataset("Made"), "-j", 1]
    table = tmp_path / "protocols.csv"
    result = CliRunner().invoke(main, ["protocols", *map(str, arguments), "-o", str(table)])
    assert result.exit_code == 0, result.output
    assert "Made gru 4: at best" in result.stdout
    assert "mini-batch" in result.stdout
    assert len(read_rows(table)) == 8
    # A complete file is printed without the data.
    again = CliRunner().invoke(
        main, ["protocols", "-c", str(config), "-d", "Made", "-o", str(table)]
    )
    assert again.stdout == "".join(result.stdout.partition("Protocols. ")[1:])


@pytest.fixture
def gru(tmp_path):
    path = tmp_path / "gru.toml"
    path.write_text('[experiment]\nmethods = ["gru"]\n')
    return str(path)


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "{fields}\n1,2\n", "{fields}\n{numbers},1\n", "{fields}\n{words}\n"]
)
def test_a_file_of_something_else_is_refused_and_kept(tmp_path, gru, text):
    fields = network_protocols._FIELDS
    text = text.format(
        fields=",".join(fields), numbers=",".join("1" * len(fields)), words=",".join(fields)
    )
    path = tmp_path / "mine.csv"
    path.write_text(text)
    result = CliRunner().invoke(main, ["protocols", "-d", "Coffee", "-c", gru, "-o", str(path)])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {path} is not the result of a comparison")
    assert path.read_text() == text


def test_what_cannot_be_compared_is_one_sentence(tmp_path, gru):
    new = tmp_path / "new.csv"
    for arguments, code, named in (
        (("-d", "Coffee", "-o", new), 2, "no finite network"),
        (("-c", gru, "-o", new), 2, "name some with --dataset"),
        (("-d", "Coffee", "-c", gru, "-o", tmp_path / "none" / "new.csv"), 3, "--output"),
    ):
        result = CliRunner().invoke(main, ["protocols", *map(str, arguments)])
        assert result.exit_code == code
        assert named in result.stderr
        assert not new.exists()


def test_a_file_that_lacks_rows_is_completed(tmp_path):
    path = tmp_path / "protocols.csv"
    list(compare([COMPARISON], path, 1))
    whole = read_rows(path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    list(compare([COMPARISON], path, 1))
    different = ("seconds",)
    again = read_rows(path)
    assert [{k: v for k, v in row.items() if k not in different} for row in again] == [
        {k: v for k, v in row.items() if k not in different} for row in whole
    ]


def test_rows_of_other_data_are_computed_again(tmp_path):
    path = tmp_path / "protocols.csv"
    known = replace(COMPARISON, fingerprint=lambda _: DATASET.fingerprint)
    list(compare([COMPARISON], path, 1))
    assert not list(compare([known, replace(known, fingerprint=lambda _: None)], path, 1))
    path.write_text(path.read_text().replace(DATASET.fingerprint[:12], "0123456789ab"))
    assert not list(compare([COMPARISON], path, 1))
    assert len(list(compare([known], path, 1))) == 1
    assert {row["data"] for row in read_rows(path)} == {DATASET.fingerprint[:12]}
    assert len(read_rows(path)) == 4


@pytest.mark.parametrize("value", ["nan", "99"])
def test_a_share_is_from_0_to_1(tmp_path, value):
    path = tmp_path / "protocols.csv"
    [[row, *_]] = compare([COMPARISON], path, 1)
    path.write_text(path.read_text().replace(row["scored"], value))
    with pytest.raises(InputError, match="is not the result of a comparison"):
        read_rows(path)


def test_two_folds_cannot_train_stop_and_score(tmp_path):
    two = replace(COMPARISON, experiment=Experiment(network=Network(n_folds=2)))
    with pytest.raises(InputError, match="has 2 folds, but a comparison of protocols needs three"):
        list(compare([two], tmp_path / "protocols.csv", 1))
