import pandas as pd
import pytest

from rntk_bench.errors import InputError
from rntk_bench.report.plots.regression import FIGURE_4, plot_figure_4, plot_regression, read_curves


def curves(methods=("rntk", "ntk")):
    rows = [(value, m, 9.0 + value, 0.5, 10) for value in (0.1, 0.2) for m in methods]
    return pd.DataFrame(rows, columns=["value", "method", "snr", "standard_error", "repeats"])


@pytest.fixture
def folder(tmp_path):
    for panel in FIGURE_4:
        curves().to_csv(tmp_path / f"{panel.name}.csv", index=False)
    return tmp_path


def test_figure_4_has_four_panels_and_one_legend(folder):
    drawn = read_curves(folder)
    drawn[1] = curves(("rbf", "ntk"))
    figure = plot_figure_4(drawn)
    assert [panel.get_title()[:3] for panel in figure.axes] == ["(a)", "(b)", "(c)", "(d)"]
    assert [panel.get_xscale() for panel in figure.axes] == ["linear", "log", "linear", "linear"]
    assert all(panel.get_legend() is None for panel in figure.axes)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["RNTK", "NTK", "RBF"]
    colours = [{c.get_label(): c[0].get_color() for c in panel.containers} for panel in figure.axes]
    assert colours[0]["NTK"] == colours[1]["NTK"] != colours[1]["RBF"]
    assert all(c.has_yerr for panel in figure.axes for c in panel.containers)


def test_a_panel_alone_is_drawn_the_same():
    panel = plot_regression(curves(), "noise", "noisy sine").axes[0]
    assert panel.get_title() == "noisy sine"
    assert [line.get_text() for line in panel.get_legend().get_texts()] == ["RNTK", "NTK"]
    bar = panel.containers[0]
    assert bar[0].get_ydata().tolist() == [9.1, 9.2]


@pytest.mark.parametrize("content", ["", "value,method\n1,rntk\n", "\x00", "a,b\n1,2,3\n"])
def test_a_file_without_curves_is_one_sentence(folder, content):
    (folder / "sine-noise.csv").write_text(content)
    with pytest.raises(InputError, match=r"sine-noise\.csv .*regress sine --vary noise"):
        read_curves(folder)


def test_words_for_numbers_are_one_sentence(folder):
    rows = curves().astype({"snr": object})
    rows.loc[0, "snr"] = "high"
    rows.to_csv(folder / "prices-train.csv", index=False)
    with pytest.raises(InputError, match=r"regress prices --prices FILE\.csv --vary train"):
        read_curves(folder)


def test_a_missing_file_names_the_command_that_makes_it(folder):
    (folder / "prices-length.csv").unlink()
    with pytest.raises(InputError, match=r"There is no .*prices-length\.csv; make it with 'rntk"):
        read_curves(folder)
