"""Which records a command is about, and what is said of names that choose none."""

import pytest
from click.testing import CliRunner

from rntk_bench.cli import _selection, main
from rntk_bench.config import Experiment
from rntk_bench.errors import InputError
from rntk_bench.storage.records import protocol_id, write_record
from tests import factories as made

FIRST, SECOND = (protocol_id({"seed": seed}) for seed in (0, 1))


def record(dataset, method, seed=0):
    return made.record(dataset, method, 20 + len(dataset) + len(method), 40, None, {"seed": seed})


RECORDS = [
    record("Coffee", "rntk"),
    record("Coffee", "poly"),
    record("Ham", "rntk"),
    record("Beef", "rntk", seed=1),
]


def chosen(**names):
    return [RECORDS.index(each) for each in _selection.filter_records(RECORDS, **names)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"datasets": ["Coffee"]}, [0, 1]),
        ({"datasets": ["Ham", "Beef"], "methods": ["rntk"]}, [2, 3]),
        ({"protocols": [SECOND[:3]]}, [3]),
        ({"protocols": [FIRST, SECOND], "methods": ["poly"], "datasets": ["Coffee"]}, [1]),
    ],
)
def test_names_choose_records(names, expected, capsys):
    assert chosen(**names) == expected
    assert [line for line in capsys.readouterr().err.splitlines() if "protocol" not in line] == []


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"datasets": ["Ham", "Cofee"]}, "There is no record of dataset 'Cofee'; did you mean Cof"),
        ({"methods": ["rntk", "pol"]}, "There is no record of method 'pol'; did you mean poly?"),
        ({"methods": ["rntk", "Polynomal"]}, "no record of method 'Polynomal'; did you mean poly?"),
        ({"methods": ["rntk", "xyz"]}, "no record of method 'xyz'; there are poly, rntk."),
        ({"protocols": [FIRST, "zz"]}, f"no record of protocol 'zz'; there are {FIRST}, {SECOND}."),
        (
            {"datasets": ["Ham"], "methods": ["rntk", "poly"]},
            "The other options leave no record of method 'poly'; leave one of them out.",
        ),
        (
            {"datasets": ["Ham", "Coffee"], "methods": ["poly"]},
            "The other options leave no record of dataset 'Ham'; leave one of them out.",
        ),
    ],
)
def test_a_name_that_chooses_nothing_is_a_warning(names, sentence, capsys):
    assert chosen(**names)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Warning: ")
    assert sentence in line


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"datasets": ["Cofee"]}, "dataset 'Cofee'; did you mean Coffee?"),
        ({"datasets": ["Coffee"], "methods": ["plyo"]}, "method 'plyo'; did you mean poly?"),
        ({"datasets": ["Ham"], "methods": ["poly"]}, "leave no record of dataset 'Ham'"),
        ({"datasets": ["Coffee"], "protocols": [SECOND]}, "leave no record of dataset 'Coffee'"),
    ],
)
def test_where_nothing_is_left_it_is_an_error(names, sentence, capsys):
    with pytest.raises(InputError, match=sentence.replace("?", r"\?")):
        chosen(**names)
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected", "said"),
    [
        (["ham"], [2], "ham is read as Ham."),
        (["*e*"], [0, 1, 3], "'*e*' stands for Beef, Coffee."),
        (["B??f", "HAM"], [2, 3], "'B??f' stands for Beef."),
    ],
)
def test_datasets_are_those_with_a_record_in_any_case(words, expected, said, capsys):
    assert chosen(datasets=words) == expected
    assert f"Note: {said}" in capsys.readouterr().err.splitlines()


def test_a_list_is_like_a_plan_that_need_not_be_finished(tmp_path, capsys):
    path = tmp_path / "list.txt"
    path.write_text("Coffee\nWine\nCar\nFish\nYoga\n")
    assert chosen(datasets=[f"@{path}"]) == [0, 1]
    assert capsys.readouterr().err == (
        "Warning: There is no record of dataset Wine, Car, Fish, Yoga.\n"
    )


def test_an_unfinished_plan_is_a_note(capsys):
    plan = Experiment(datasets=("Coffee", "Wine", "Car"), methods=("rntk", "gru"))
    assert chosen(experiment=plan) == [0]
    assert capsys.readouterr().err == (
        "Note: Of the configuration without a record: dataset Wine, Car.\n"
        "Note: Of the configuration without a record: method gru.\n"
    )
    assert chosen(experiment=plan, datasets=["Ham"]) == [2]
    with pytest.raises(InputError, match="what the configuration plans"):
        chosen(experiment=Experiment(datasets=("Wine",)))


@pytest.mark.parametrize(
    "command",
    [
        ("table",),
        ("compare", "ranks"),
        ("plot", "cd"),
        ("plot", "box"),
        ("plot", "scatter", "rntk", "poly"),
        ("report",),
    ],
)
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (("-d", "Hamm"), "dataset 'Hamm'; did you mean Ham?"),
        (("-m", "rntkk"), "method 'rntkk'; did you mean rntk?"),
        (("--protocol", "zz"), f"protocol 'zz'; there are {FIRST}"),
    ],
)
def test_every_command_that_selects_says_so(tmp_path, monkeypatch, command, typed, sentence):
    monkeypatch.chdir(tmp_path)
    for each in RECORDS:
        write_record(tmp_path / "runs", each)
    outcome = CliRunner().invoke(main, [*command, "--results", "runs", *typed])
    assert outcome.exit_code == 2
    (error,) = outcome.stderr.splitlines()
    assert error.startswith("Error: There is no record of ")
    assert sentence in error
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("show", "Coffee", "ploy"), "method 'ploy'; did you mean poly?"),
        (("show", "Coffee", "--protocol", "zz"), f"protocol 'zz'; there are {FIRST}."),
        (("plot", "grid", "Coffee", "ploy"), "method 'ploy'; did you mean poly?"),
        (("plot", "grid", "Hamm"), "dataset 'Hamm'; did you mean Ham?"),
    ],
)
def test_so_do_commands_about_one_record(tmp_path, command, sentence):
    for each in RECORDS:
        write_record(tmp_path / "runs", each)
    outcome = CliRunner().invoke(main, [*command, "--results", str(tmp_path / "runs")])
    assert outcome.exit_code == 2
    assert sentence in outcome.stderr
