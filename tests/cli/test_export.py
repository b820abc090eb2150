from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.report.results.tsml import read_tsml
from rntk_bench.storage.records import read_records


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


def run(tmp_path, data, *more):
    common = ("-d", "Mine", "-m", "rbf", "--data-dir", data, "--results", tmp_path / "runs")
    assert invoke("run", *common, *more).exit_code == 0


def test_the_files_have_the_accuracies_of_the_records_and_are_read_again(tmp_path, write_dataset):
    data = write_dataset("Mine")
    run(tmp_path, data, "--resample", "0-2")
    folder, results = tmp_path / "predictions", tmp_path / "runs"
    common = ("--results", results, "--data-dir", data)
    outcome = invoke("export", "--format", "tsml", folder, *common)
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stdout == f"{folder}: 3 files written.\n"
    found = read_tsml(folder)["rbf"]["Mine"]
    expected = {r.resample: r.test["correct"] / r.test["n"] for r in read_records(results)[0]}
    assert {resample: float(accuracy) for resample, accuracy in found.items()} == expected
    means = ("table", "2", "--resamples", "--no-paper", "--format", "csv", "--results", results)
    outcome = invoke(*means, "--with", folder)
    header, row = (line.split(",") for line in outcome.stdout.splitlines())
    assert header == ["dataset", "RBF mean", "RBF se", "rbf (predictions) mean", *header[4:]]
    assert row[1:3] == row[3:5]
    again = {path: path.read_bytes() for path in folder.rglob("*.csv")}
    assert invoke("export", "--format", "tsml", folder, *common).exit_code == 0
    assert {path: path.read_bytes() for path in folder.rglob("*.csv")} == again


def test_without_the_data_nothing_is_written_and_the_reason_is_said_once(tmp_path, write_dataset):
    run(tmp_path, write_dataset("Mine"), "--resample", "0-2")
    folder = tmp_path / "predictions"
    outcome = invoke("export", "--format", "tsml", folder, "--results", tmp_path / "runs")
    assert outcome.exit_code == 1
    assert outcome.stdout == f"{folder}: 0 files written.\n"
    warnings = [line for line in outcome.stderr.splitlines() if line.startswith("Warning")]
    assert len(warnings) == 1
    assert warnings[0].startswith("Warning: Mine rbf is left out: ")
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_exit_code_3(tmp_path, write_dataset):
    data = write_dataset("Mine")
    run(tmp_path, data)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "rbf").write_text("")
    outcome = invoke(
        *("export", "--format", "tsml", tmp_path / "full"),
        *("--results", tmp_path / "runs", "--data-dir", data),
    )
    assert outcome.exit_code == 3
    assert outcome.stderr.splitlines()[-1].startswith("Error: Cannot write ")
