import dataclasses
import json
import os

import pytest

from rntk_bench.errors import InputError, StorageError, one_line
from rntk_bench.storage import records as records_module
from rntk_bench.storage.records import (
    SCHEMA,
    Record,
    RecordError,
    has_choice,
    protocol_id,
    read_record,
    read_records,
    record_files,
    record_path,
    write_record,
)

COFFEE = Record(
    dataset="Coffee",
    method="rntk",
    status="ok",
    protocol={"seed": 0, "folds": 10, "C": [0.01, 0.1, 1, 10, 100]},
    data={"fingerprint": "5f", "n_train": 28, "n_test": 28},
    selection={"C": 0.01, "ties": 118, "counts": {"shape": [2, 3]}},
    test={"accuracy": 1.0, "correct": 28, "n": 28},
    warnings=["a zero series stays zero"],
    error=None,
    timings={"gram": 0.25, "svm": 1 / 3},
    environment={"python": "3.11.7"},
)


def changed(**changes):
    return {**dataclasses.asdict(COFFEE), **changes}


def signed(content):
    """JSON of a record's content with the digest that it must have."""
    content = {key: value for key, value in content.items() if key != "digest"}
    return json.dumps({**content, "digest": records_module._digest(content)})


def without(name):
    return {key: value for key, value in dataclasses.asdict(COFFEE).items() if key != name}


def test_a_record_comes_back_as_it_was(tmp_path):
    path = write_record(tmp_path / "runs", COFFEE)
    assert path == tmp_path / "runs" / "Coffee" / f"rntk-{protocol_id(COFFEE.protocol)}.json"
    assert read_record(path) == COFFEE
    assert list(path.parent.iterdir()) == [path]


def test_equal_records_are_equal_bytes(tmp_path):
    path = write_record(tmp_path, COFFEE)
    first = path.read_bytes()
    reordered = dict(reversed(COFFEE.protocol.items()))
    assert write_record(tmp_path, dataclasses.replace(COFFEE, protocol=reordered)) == path
    assert path.read_bytes() == first


def test_the_file_reads_a_line_an_entry(tmp_path):
    lines = write_record(tmp_path, COFFEE).read_text().splitlines()
    assert lines[1] == ' "dataset": "Coffee",'
    assert '  "C": [0.01,0.1,1,10,100],' in lines
    fields = [field.name for field in dataclasses.fields(Record) if field.name != "traceback"]
    assert list(json.loads("".join(lines))) == [*fields, "digest"]


@pytest.mark.parametrize("change", [('"correct": 28', '"correct": 27'), ("0.25", "0.35")])
def test_a_digit_that_changed_is_noticed(tmp_path, change):
    path = write_record(tmp_path, COFFEE)
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(RecordError, match="was changed after it was written"):
        read_record(path)


def test_a_record_whose_digest_was_removed_is_not_read(tmp_path):
    path = tmp_path / "record.json"
    path.write_text(signed(dataclasses.asdict(COFFEE)))
    assert read_record(path) == COFFEE
    path.write_text(json.dumps(dataclasses.asdict(COFFEE)))
    with pytest.raises(RecordError, match="has no digest of its entries"):
        read_record(path)


def test_a_file_too_large_for_a_record_is_not_read(tmp_path, monkeypatch):
    path = write_record(tmp_path, COFFEE)
    monkeypatch.setattr(records_module, "MAX_BYTES", 100)
    with pytest.raises(RecordError, match="larger than any record"):
        read_record(path)


@pytest.mark.parametrize(
    "selection", [None, {}, {"setting": {}, "ties": 1, "accuracy": "0.5"}, {"setting": 3}]
)
def test_what_a_record_must_say_to_be_shown(selection):
    shown = {"setting": {"alpha": 1.0}, "ties": 1, "accuracy": 0.5}
    assert has_choice(dataclasses.replace(COFFEE, selection=shown))
    assert not has_choice(dataclasses.replace(COFFEE, selection=selection))


def test_a_protocol_is_known_by_its_content():
    assert protocol_id({"a": 1, "b": (2, 3)}) == protocol_id({"b": [2, 3], "a": 1})
    assert protocol_id({"a": 1}) != protocol_id({"a": 2})
    assert len(protocol_id({})) == 8


def test_records_of_two_resamples_are_two_files(tmp_path):
    of_resample = dataclasses.replace(COFFEE, protocol=COFFEE.protocol | {"resample": 3})
    assert (COFFEE.resample, of_resample.resample) == (0, 3)
    paths = [write_record(tmp_path, record) for record in (COFFEE, of_resample)]
    assert paths[1] == paths[0].with_name(f"{paths[0].stem}-resample3.json")
    assert read_records(tmp_path) == ([COFFEE, of_resample], [])
    assert read_record(paths[1]).resample == 3


@pytest.mark.parametrize("resample", [-1, 1.5, "1", None, True])
def test_a_resample_is_a_number_from_0(tmp_path, resample):
    path = write_record(tmp_path, COFFEE)
    content = json.loads(path.read_text())
    content["protocol"]["resample"] = resample
    path.write_text(signed(content))
    with pytest.raises(RecordError, match="has a damaged field 'protocol'"):
        read_record(path)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", ".hidden", "a\n"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="cannot name a record's file"):
        record_path(tmp_path, name, "rntk", {})
    with pytest.raises(InputError, match="cannot name a record's file"):
        record_path(tmp_path, "Coffee", name, {})


def test_numbers_that_json_lacks_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_record(tmp_path, dataclasses.replace(COFFEE, timings={"gram": float("nan")}))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "runs").write_text("a file, not a folder")
    with pytest.raises(StorageError, match=r"Cannot write the record .*--results"):
        write_record(tmp_path / "runs", COFFEE)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not a whole JSON file"),
        (b'{"schema": 1, "data', "not a whole JSON file"),
        (b"\xff\xfe\x00", "not a whole JSON file"),
        (b"[" * 100_000, "not a whole JSON file"),
        (json.dumps(changed(timings={"gram": float("nan")})), "not a whole JSON file"),
        (json.dumps(changed()).replace("0.25", "1e999"), "not a whole JSON file"),
        (b"[1, 2]", "not a record"),
        (b'{"name": "something else"}', "not a record"),
        (json.dumps(changed(schema=SCHEMA + 1)), f"has record schema {SCHEMA + 1}"),
        (json.dumps(changed(schema=0)), "has record schema 0"),
        (signed(without("timings")), "lacks or adds the fields timings"),
        (signed(changed(extra=1)), "lacks or adds the fields extra"),
        (signed(changed(dataset=3)), "damaged field 'dataset'"),
        (signed(changed(dataset="../Coffee")), "damaged field 'dataset'"),
        (signed(changed(status="perhaps")), "damaged field 'status'"),
        (signed(changed(test=None)), "damaged field 'test'"),
        (signed(changed(test={"correct": 29, "n": 28})), "damaged field 'test'"),
        (signed(changed(test={"correct": 0, "n": 0})), "damaged field 'test'"),
        (signed(changed(test={"correct": True, "n": 28})), "damaged field 'test'"),
        (signed(changed(warnings=[1])), "damaged field 'warnings'"),
        (signed(changed(created="yesterday")), "damaged field 'created'"),
        (signed(changed(created="2024-01-01T00:00:00+02:00")), "damaged field 'created'"),
    ],
)
def test_a_file_that_is_no_record_is_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "record.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RecordError, match=sentence) as caught:
        read_record(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_failed_run_needs_no_score(tmp_path):
    failed = dataclasses.replace(COFFEE, status="failed", test=None, error="too long")
    assert read_record(write_record(tmp_path, failed)) == failed


def test_a_traceback_is_an_entry_only_where_there_is_one(tmp_path):
    failed = dataclasses.replace(
        COFFEE, status="failed", test=None, error="It broke.", traceback="Traceback:\n  boom\n"
    )
    path = write_record(tmp_path, failed)
    assert read_record(path) == failed
    wrong = json.loads(path.read_text()) | {"traceback": 7}
    path.write_text(signed(wrong))
    with pytest.raises(RecordError, match="damaged field 'traceback'"):
        read_record(path)
    assert "traceback" not in write_record(tmp_path, COFFEE).read_text()


def test_reading_a_folder_keeps_the_good_and_names_the_bad(tmp_path):
    ntk = dataclasses.replace(COFFEE, method="ntk")
    beef = dataclasses.replace(COFFEE, dataset="Beef")
    for record in (COFFEE, ntk, beef):
        write_record(tmp_path, record)
    (tmp_path / "Beef" / "damaged.json").write_text("{")
    (tmp_path / "Beef" / "folder.json").mkdir()
    records, problems = read_records(tmp_path)
    assert records == [beef, ntk, COFFEE]
    assert len(problems) == 2
    assert "damaged.json" in problems[0]
    assert "folder.json" in problems[1]


def test_a_copied_record_is_not_counted_twice(tmp_path):
    path = write_record(tmp_path, COFFEE)
    path.with_name("copy.json").write_bytes(path.read_bytes())
    records, problems = read_records(tmp_path)
    assert records == [COFFEE]
    assert "copy.json" in problems[0]
    assert path.name in problems[0]


def test_a_folder_that_does_not_exist_has_no_records(tmp_path):
    assert read_records(tmp_path / "nowhere") == ([], [])


@pytest.mark.parametrize(
    "name",
    [
        *("Beef/._rntk-01234567.json", "Beef/.#rntk.json", ".ipynb_checkpoints/rntk.json"),
        *("Beef/rntk-01234567.json~", "Beef/rntk-01234567.json.bak", "Beef/notes.txt", "plan.json"),
    ],
)
def test_what_systems_and_editors_leave_is_no_record_and_no_problem(tmp_path, name):
    path = write_record(tmp_path, COFFEE)
    foreign = tmp_path / name
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("anything")
    assert read_records(tmp_path) == ([COFFEE], [])
    assert record_files(tmp_path) == [path]
    assert read_records(tmp_path, foreign.parent.name)[1] == []


@pytest.mark.parametrize("name", ["old runs/a.json", "Beef/a\nb.json", "Beef/rntk copy.json"])
def test_other_foreign_files_are_a_sentence_each(tmp_path, name):
    write_record(tmp_path, COFFEE)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}")
    records, (problem,) = read_records(tmp_path)
    assert records == [COFFEE]
    assert problem.startswith(one_line(tmp_path / name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path):
    path = write_record(tmp_path, COFFEE)
    os.mkfifo(path.with_name("ntk.json"))
    records, (problem,) = read_records(tmp_path)
    assert records == [COFFEE]
    assert "ntk.json is not a file" in problem


def test_a_name_longer_than_a_folders_has_no_records_and_gets_none(tmp_path):
    assert read_records(tmp_path, "A" * 5000) == ([], [])
    with pytest.raises(InputError, match="at most 200 letters"):
        record_path(tmp_path, "A" * 201, "rntk", {})
    assert write_record(tmp_path, dataclasses.replace(COFFEE, dataset="A" * 200)).is_file()


def test_a_folder_that_must_not_be_read_is_named(tmp_path, monkeypatch):
    write_record(tmp_path, COFFEE)
    write_record(tmp_path, dataclasses.replace(COFFEE, dataset="Beef"))
    scandir = os.scandir

    def refuse(folder):
        if str(folder).endswith("Beef"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    records, problems = read_records(tmp_path)
    assert COFFEE in records
    assert problems == [
        f"Cannot read the folder {tmp_path / 'Beef'}: Permission denied; make it readable."
    ]
