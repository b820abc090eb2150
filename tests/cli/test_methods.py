import json

from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.config import Experiment
from rntk_bench.methods import METHODS
from tests.paths import CONFIGS

QUICK = str(CONFIGS / "quick.toml")


def methods(*arguments):
    return CliRunner().invoke(main, ["methods", *arguments])


def test_every_method_is_described_with_its_grid():
    outcome = methods()
    assert outcome.exit_code == 0
    blocks = dict(zip(METHODS, outcome.stdout.split("\n\n"), strict=True))
    for name, block in blocks.items():
        words, entry = block.split(), METHODS[name]
        assert words[0] == name
        assert entry.title in block
        assert ("run by default" in " ".join(words)) == (name in Experiment().methods)
        assert words[words.index("settings") + 1] == str(len(METHODS[name].settings))
        for axis, values in METHODS[name].grid.items():
            assert f"\n  {axis} " in block
            assert str(values[-1]).removesuffix(".0") in block


def test_json_holds_all_values():
    (found,) = json.loads(methods("-m", "ntk", "--json").stdout)
    assert found["name"] == "ntk"
    assert found["reference"] == METHODS["ntk"].reference
    assert found["settings"] == 540
    assert found["grid"] == {axis: list(values) for axis, values in METHODS["ntk"].grid.items()}


def test_a_configurations_methods_and_grids_are_shown():
    found = json.loads(methods("-c", QUICK, "--json").stdout)
    assert [entry["name"] for entry in found] == ["rntk", "ntk", "rbf", "poly"]
    assert found[2]["grid"] == {"alpha": [0.1, 1.0, 10.0]}
    (gru,) = json.loads(methods("-c", QUICK, "-m", "gru", "--json").stdout)
    assert gru["settings"] == 2


def test_an_unknown_method_is_one_sentence():
    outcome = methods("-m", "rnkt")
    assert outcome.exit_code == 2
    assert "did you mean 'rntk'?" in outcome.stderr


def test_the_search_is_the_methods_unless_the_configuration_says_otherwise(tmp_path):
    text = " ".join(methods("-m", "rntk-shared").stdout.split())
    assert "n_repeats 3 gram_scale centred" in text
    assert "bandwidth 0, 0.0625, 0.25, half" in text
    assert "n_repeats" not in methods("-m", "rbf").stdout
    (found,) = json.loads(methods("-m", "rntk-multiscale", "--json").stdout)
    assert (found["C"], found["n_repeats"], found["gram_scale"]) == ([10.0], 1, "none")
    path = tmp_path / "own.toml"
    path.write_text("[svm]\nC = [0.5]\nn_repeats = 2\n")
    (found,) = json.loads(methods("-m", "rntk-shared", "-c", str(path), "--json").stdout)
    assert (found["C"], found["n_repeats"], found["gram_scale"]) == ([0.5], 2, "centred")
