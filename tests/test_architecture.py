"""The order of the folders that the manual tells."""

import re
import tomllib

from tests.paths import ROOT


def test_the_manuals_table_has_the_order_that_imports_have():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [layers] = [each["layers"] for each in contracts["contracts"] if each["type"] == "layers"]
    depth = {name: i for i, layer in enumerate(layers) for name in layer.split(" | ")}
    text = (ROOT / "docs" / "architecture.md").read_text()
    cells = re.findall(r"^\| (`.*`) \|", text, flags=re.MULTILINE)
    names = [
        re.sub(r"\.py$|/$", "", name).replace("/", ".")
        for cell in cells
        for name in re.findall(r"`([^`]+)`", cell)
    ]
    assert set(names) == set(depth)
    assert [depth[name] for name in names] == sorted(depth[name] for name in names)
