import re
import tomllib

import rntk_bench
from rntk_bench.version import __version__
from tests.paths import ROOT


def test_the_version_is_written_in_one_place_and_cited():
    assert rntk_bench.__version__ == __version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    assert ROOT / project["tool"]["hatch"]["version"]["path"] == ROOT / "rntk_bench" / "version.py"
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", citation, flags=re.MULTILINE) == [__version__]
