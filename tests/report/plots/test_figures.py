import sys

import pandas as pd
import pytest

from rntk_bench.errors import ExtraError, StorageError
from rntk_bench.report.plots import figures


def picture():
    figure, axes = figures.create(1, 2, (4.0, 2.0))
    assert axes.shape == (1, 2)
    axes[0, 0].plot([1, 2], [3, 4])
    return figure


def test_the_same_numbers_make_the_same_three_files(tmp_path):
    rows = pd.DataFrame({"x": [1.0, 2.0], "y": [0.1, 1 / 3]})
    for folder in ("a", "b"):
        paths = figures.save(picture(), tmp_path / folder, "test", rows)
        assert [path.name for path in paths] == ["test.png", "test.pdf", "test.csv"]
    for path in paths:
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert paths[1].read_bytes().startswith(b"%PDF")
    assert paths[2].read_text() == "x,y\n1,0.1\n2,0.3333333333\n"
    assert len(list((tmp_path / "a").iterdir())) == 3


def test_a_picture_can_be_svg_and_is_the_same_each_time():
    svg = figures.render(picture(), "svg")
    assert b"<svg" in svg
    assert svg == figures.render(picture(), "svg")


def test_a_caption_is_broken_into_lines():
    figure = picture()
    figures.add_caption(figure, "word " * 30)
    assert figure.get_suptitle().count("\n") == 2


def test_a_files_name_has_no_spaces_and_slashes():
    assert figures.safe_file_name("a/b (c)-1.5") == "a_b_c_-1.5"
    assert figures.safe_file_name("价格") == "价格"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"Cannot write .*; choose another with --out"):
        figures.check_output_folder(tmp_path / "file" / "figures")


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ExtraError, match=r"pip install 'rntk-bench\[figures\]'"):
        figures.create(1, 1, (1.0, 1.0))


def test_without_matplotlib_nothing_long_is_begun(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ExtraError, match=r"pip install 'rntk-bench\[figures\]'"):
        figures.check_output_folder(tmp_path / "figures")
