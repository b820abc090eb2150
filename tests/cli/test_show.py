import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.storage.records import protocol_id, read_record, write_record
from tests.paths import REFERENCE


def show(*arguments, results=REFERENCE):
    return CliRunner().invoke(main, ["show", *map(str, arguments), "--results", str(results)])


def entries(outcome):
    """Text by label, continued lines joined."""
    found, label = {}, ""
    for line in outcome.stdout.split("\n\n")[0].splitlines():
        label = line[:17].strip() or label
        found.setdefault(label, []).append(line[17:])
    return {label: " ".join(lines) for label, lines in found.items()}


def test_a_kernels_record_in_full():
    outcome = show("GunPoint", "rbf")
    assert outcome.exit_code == 0
    found = entries(outcome)
    assert found["record"].startswith("GunPoint, rbf (RBF), protocol 6e063193, 20")
    assert found["chosen"] == "alpha=5, C=10"
    assert found["settings"].startswith("number 13 of 18; other pairs of setting and C that tie")
    assert found["validation"].startswith("96.00 % in 10 folds of 5 series")
    assert found["test"].startswith("96.00 %, 144 of 150 right; 95 % interval 91.55 to 98.15 %")
    assert found["paper"] == "95.33 %"
    assert "50 training and 150 test series of length 150, 2 classes" in found["data"]
    assert "seed 0" in found["protocol"]
    assert "grid of alpha (18)" in found["protocol"]
    in_order = "grid of sigma_w (15) x sigma_u (1) x sigma_b (12) x sigma_h (5)"
    assert in_order in " ".join(show("GunPoint", "rntk").output.split())
    assert "numpy" in found["environment"]
    matrix = outcome.stdout.split("Confusion matrix. ")[1].splitlines()
    assert [line.split()[:3] for line in matrix[4:6]] == [["1", "71", "5"], ["2", "1", "73"]]


def test_a_networks_record_names_its_epochs_and_the_other_protocols():
    found = entries(show("Coffee", "gru"))
    assert found["chosen"].endswith("epochs=197")
    assert found["best epochs"] == "126, 180, 197, 183, 127"
    assert "left out" in found["validation"]
    assert found["others"].startswith("8470ca61, 883fcf67, ")
    other = entries(show("Coffee", "gru", "--protocol", "883f"))
    assert "protocol 883fcf67" in other["record"]
    assert "others" not in other


def test_a_networks_record_tells_how_its_folds_do(tmp_path):
    path = REFERENCE / "ArrowHead/gru-8470ca61.json"
    record = read_record(path)
    folds = {"fold_correct": [69, 53, None, 53, 175], "ensemble_correct": 70}
    told = replace(
        record,
        protocol=record.protocol | {"final": "best-fold"},
        selection=record.selection | {"best_fold": 4},
        test=record.test | folds,
    )
    write_record(tmp_path, told)
    found = entries(show("ArrowHead", "gru", results=tmp_path))
    assert found["networks"].startswith("39.43, 30.29, none, 30.29, 100.00 % by fold, 40.00 % by")
    assert found["networks"].endswith("tested: that of fold 5")


def test_warnings_of_the_record_are_shown():
    outcome = show("PLAID", "rntk")
    assert "In 15 settings a cross-validation problem stopped" in entries(outcome)["warning"]


def test_without_a_method_the_records_are_listed():
    outcome = show("Coffee")
    assert outcome.stdout.startswith("Records. Of Coffee in ")
    rows = [line.split() for line in outcome.stdout.splitlines()[4:] if line]
    records = [read_record(path) for path in (REFERENCE / "Coffee").glob("*.json")]
    assert {(row[0], row[1], row[2]) for row in rows} == {
        (
            record.method,
            protocol_id(record.protocol),
            f"{100 * record.test['correct'] / record.test['n']:.2f}",
        )
        for record in records
    }


def test_json_is_the_record_as_stored():
    (path,) = (REFERENCE / "Coffee").glob("rbf-*.json")
    assert show("Coffee", "rbf", "--json").stdout == path.read_text()
    listed = json.loads(show("Coffee", "--json").stdout)
    assert len(listed) == len(list((REFERENCE / "Coffee").glob("*.json")))
    assert json.loads(path.read_text()) in listed


def test_a_failed_record_has_its_grid(tmp_path):
    (path,) = (REFERENCE / "GunPoint").glob("rbf-*.json")
    outcome = {"status": "failed", "test": None, "selection": None, "error": "It broke."}
    write_record(tmp_path, replace(read_record(path), **outcome))
    assert "grid of alpha (18)" in entries(show("GunPoint", "rbf", results=tmp_path))["protocol"]


def test_a_failed_record_says_why(tmp_path):
    (path,) = (REFERENCE / "Coffee").glob("rbf-*.json")
    record = read_record(path)
    failed = replace(record, status="failed", error="It broke.", selection=None, test=None)
    write_record(tmp_path, failed)
    outcome = show("Coffee", "rbf", results=tmp_path)
    assert outcome.exit_code == 0
    assert entries(outcome)["failed"] == "It broke."
    assert "traceback" not in entries(outcome)
    write_record(tmp_path, replace(failed, traceback="Traceback:\n  boom\n"))
    outcome = show("Coffee", "rbf", results=tmp_path)
    assert "--json" in entries(outcome)["traceback"]
    assert "boom" not in outcome.stdout
    assert "Confusion" not in outcome.stdout
    assert show("Coffee", results=tmp_path).stdout.splitlines()[4].split()[2] == "failed"


def test_the_confusion_matrix_of_data_that_are_not_here_is_explained(tmp_path):
    outcome = show("FacesUCR", "rbf", "--cache-dir", tmp_path)
    assert outcome.exit_code == 0
    said = entries(outcome)["confusion"]
    assert said.startswith("not known: FacesUCR is not on this machine")


def test_the_confusion_matrix_is_of_the_same_data_or_not_shown(tmp_path, write_dataset):
    data = write_dataset("Coffee2")
    (path,) = (REFERENCE / "Coffee").glob("rbf-*.json")
    write_record(tmp_path / "runs", replace(read_record(path), dataset="Coffee2"))
    outcome = show("Coffee2", "rbf", "--data-dir", data, results=tmp_path / "runs")
    assert entries(outcome)["confusion"].startswith("not known: the record was made with another")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Cofee"], "did you mean Coffee?"),
        (["Nothing-like-this"], "--results"),
        (["Coffee", "svm"], "there are gru, "),
        (["Coffee", "gru", "--protocol", "zz"], "there are 427a9ea3, 8470ca61, 883fcf67."),
    ],
)
def test_what_is_not_there_is_one_sentence_and_exit_2(arguments, said):
    outcome = show(*arguments)
    assert outcome.exit_code == 2
    assert said in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_a_damaged_record_is_a_warning_and_the_others_are_shown(tmp_path):
    (path,) = (REFERENCE / "Coffee").glob("rbf-*.json")
    write_record(tmp_path, read_record(path))
    (tmp_path / "Coffee" / "ntk-01234567.json").write_text("{")
    outcome = show("Coffee", results=tmp_path)
    assert outcome.exit_code == 0
    assert outcome.stderr.startswith("Warning: ")
    assert "rbf" in outcome.stdout


def test_a_choice_that_fell_to_the_default_is_shown(tmp_path):
    (path,) = (REFERENCE / "GunPoint").glob("rbf-*.json")
    record = read_record(path)
    selection = {**record.selection, "by_default": True}
    write_record(tmp_path, replace(record, selection=selection))
    found = entries(show("GunPoint", "rbf", results=tmp_path))
    assert found["chosen"] == "alpha=5, C=10, the default: all settings tie"


@pytest.fixture
def resampled(tmp_path):
    """Real records of the archive's split and of resample 3."""
    results = tmp_path / "runs"
    outcome = CliRunner().invoke(
        main, ["run", "-d", "GunPoint", "-m", "rbf", "--resample", "0,3", "--results", str(results)]
    )
    assert outcome.exit_code == 0, outcome.output
    return results


def test_a_resample_is_shown_on_demand_with_its_own_confusion_matrix(resampled):
    outcome = show("GunPoint", results=resampled)
    titles, _, *rows = outcome.stdout.splitlines()[2:]
    assert titles.split()[2] == "resample"
    assert [row.split()[2] for row in rows if row] == ["0", "3"]
    found = entries(show("GunPoint", "rbf", results=resampled))
    assert found["resamples"] == "3, shown with --resample"
    assert "resample" not in found["record"] + found["protocol"]
    outcome = show("GunPoint", "rbf", "--resample", 3, results=resampled)
    found = entries(outcome)
    assert "resample 3, 20" in found["record"]
    assert found["paper"].endswith("on the archive's split")
    matrix = outcome.stdout.split("Confusion matrix. ")[1].splitlines()[4:6]
    right = sum(int(row.split()[k + 1]) for k, row in enumerate(matrix))
    assert f"{right} of 150 right" in found["test"]
    as_stored = show("GunPoint", "rbf", "--resample", 3, "--json", results=resampled)
    assert json.loads(as_stored.stdout)["protocol"]["resample"] == 3


def test_a_resample_without_a_record_is_one_sentence(resampled):
    outcome = show("GunPoint", "rbf", "--resample", 2, results=resampled)
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "Error: There is no record of resample 2, but of resamples 0, 3; choose one with "
        "--resample.\n"
    )
