"""What the README shows of `fit` and `predict` is what they print, and it names every estimator."""

import re
import shlex
import shutil
from pathlib import Path

from click.testing import CliRunner

from rntk_bench import estimators
from rntk_bench.cli import main
from rntk_bench.data import locate

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def section(title):
    """The text from a heading to the next of any level."""
    return re.split(r"\n#+ ", README.partition(f"# {title}\n")[2])[0]


def test_the_commands_print_what_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in locate("GunPoint").paths:
        shutil.copy(path, path.name)
    shown = section("`rntk-bench fit` and `rntk-bench predict`").split("```")[1].strip()
    for example in shown.removeprefix("$ ").split("\n$ "):
        line, _, expected = example.partition("\n")
        program, *arguments = shlex.split(line)
        assert program == "rntk-bench"
        done = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        timeless = [re.sub(r"\[\d+\.\d s\]", "", text).rstrip() for text in (done.stdout, expected)]
        assert timeless[0] == timeless[1]


def test_every_estimator_is_named():
    for name in (*estimators.__all__, "PanelKernel", "PanelClassifier"):
        assert name in section("Estimators")
