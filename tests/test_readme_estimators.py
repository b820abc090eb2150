"""What the README shows of the estimators and of their commands is what they do."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.data import locate

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def section(title):
    """The text from a heading to the next of any level."""
    return re.split(r"\n#+ ", README.partition(f"# {title}\n")[2])[0]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_commands_print_what_is_shown():
    for path in locate("GunPoint").paths:
        shutil.copy(path, path.name)
    (shown,) = blocks(section("`rntk-bench fit` and `rntk-bench predict`"), "")
    for example in shown.removeprefix("$ ").split("\n$ "):
        line, _, expected = example.partition("\n")
        program, *arguments = shlex.split(line)
        assert program == "rntk-bench"
        done = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        timeless = [re.sub(r"\[\d+\.\d s\]", "", text).rstrip() for text in (done.stdout, expected)]
        assert timeless[0] == timeless[1]


@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")  # sktime's own
@pytest.mark.parametrize("position", range(3))
def test_the_examples_run(position):
    example = blocks(section("Estimators"), "python")[position]
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    if position == 0:
        assert names["model"].score(names["X"][30:], names["y"][30:]) >= 0.9


def test_every_estimator_is_named():
    import rntk_bench.estimators as package
    from rntk_bench.estimators import sktime_faces

    assert len(blocks(section("Estimators"), "python")) == 3
    for name in (*package.__all__, sktime_faces.PanelKernel.__name__, "PanelClassifier"):
        assert name in section("Estimators")
