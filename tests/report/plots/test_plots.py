"""The pictures of results: what they show, and that nothing in them overlaps."""

import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from rntk_bench.errors import InputError
from rntk_bench.report.plots import figures
from rntk_bench.report.plots.box import plot_box
from rntk_bench.report.plots.cd import plot_cd
from rntk_bench.report.plots.grid import plot_grid
from rntk_bench.report.plots.scatter import plot_scatter
from rntk_bench.storage.records import read_records
from tests.paths import REFERENCE

RECORDS, _ = read_records(REFERENCE)
NAMES = ["RNTK", "NTK", "RBF", "Polynomial", "Gaussian RNN", "Identity RNN", "GRU"]
MORE = ["1NN-DTW-learned-w", "H-InceptionTime", "ROCKET", "HC2", "Gaussian RNN with small batches"]


def table(names, n_datasets=20):
    rng = np.random.default_rng(len(names))
    rows = (
        75 + rng.normal(scale=6, size=(n_datasets, 1)) + rng.normal(size=(n_datasets, len(names)))
    )
    return pd.DataFrame(rows + 0.5 * np.arange(len(names)), columns=names).clip(0, 100).round(2)


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def beyond(figure):
    """Labels of ticks that are not drawn, since they lie beyond an axis's ends."""
    for axis in (axis for panel in figure.axes for axis in (panel.xaxis, panel.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not low <= tick.get_loc() <= high:
                yield from (tick.label1, tick.label2)


def check_layout(figure):
    """All texts lie inside the picture, and no two of them share more than a pixel."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = set(figure.findobj(Text)).difference(beyond(figure))
    shown = [text for text in drawn if text.get_text() and text.get_visible()]
    boxes = [(text.get_text(), text.get_window_extent(canvas.renderer)) for text in shown]
    for name, box in boxes:
        assert box.x0 > -1, name
        assert box.y0 > -1, name
        assert box.x1 < figure.bbox.x1 + 1, name
        assert box.y1 < figure.bbox.y1 + 1, name
    for (a, first), (b, second) in combinations(boxes, 2):
        width = min(first.x1, second.x1) - max(first.x0, second.x0)
        height = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert min(width, height) < 1, (a, b)


@pytest.mark.parametrize("names", [NAMES, NAMES + MORE, NAMES[:2]], ids=len)
@pytest.mark.parametrize("nemenyi", [False, True])
def test_a_critical_difference_diagram_names_every_method_once(names, nemenyi):
    figure = plot_cd(table(names), nemenyi=nemenyi)
    check_layout(figure)
    shown = texts(figure)
    for name in names:
        label = rf"(\d+\.\d\d  )?{re.escape(name)}(  \d+\.\d\d)?"
        assert sum(re.fullmatch(label, text) is not None for text in shown) == 1
    assert any(text.startswith("CD = ") for text in shown) == nemenyi
    assert any("Wilcoxon" in text and "Holm" in text for text in shown)


def test_bars_join_what_does_not_differ_and_dots_are_their_members():
    rows = table(NAMES)
    rows["GRU"] = rows["RNTK"] - 30
    figure = plot_cd(rows, alpha=1e-12)
    bars = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [len(bar.get_xdata()) for bar in bars] == [len(NAMES)]
    bars = [line for line in plot_cd(rows).axes[0].lines if line.get_marker() == "o"]
    assert bars
    assert all(7.0 not in bar.get_xdata() for bar in bars)


@pytest.mark.parametrize("names", [NAMES, NAMES + MORE], ids=len)
def test_a_box_is_drawn_for_each_method_the_best_on_top(names):
    rows = table(names)
    figure = plot_box(rows)
    check_layout(figure)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == rows.median().sort_values().index.tolist()


def test_a_scatter_plot_counts_wins_ties_and_losses():
    rows = pd.DataFrame({"A": [90, 80, 70, 60, 0.0], MORE[-1]: [80, 80, 71, 62, None]})
    figure = plot_scatter(rows, "A", MORE[-1])
    check_layout(figure)
    assert {"A better: 1", f"{MORE[-1]} better: 2", "equal: 1", "4 datasets"} <= set(texts(figure))
    points = [scatter.get_offsets().tolist() for scatter in figure.axes[0].collections]
    assert points == [[[80, 90]], [[71, 70], [62, 60]], [[80, 80]]]


def reference(dataset, method):
    return next(r for r in RECORDS if (r.dataset, r.method) == (dataset, method))


def gunpoint(method):
    return reference("GunPoint", method)


@pytest.mark.parametrize(
    ("method", "x", "y"),
    [
        ("rntk", "sigma_w", "sigma_b"),
        ("ntk", "sigma_w", "sigma_b"),
        ("rbf", "alpha", "C"),
        ("poly", "degree", "r"),
        ("rntk-extended", "sigma_w", "sigma_b"),
        ("rnn-identity", "learning_rate", "width"),
    ],
)
def test_every_methods_grid_has_a_heat_map(method, x, y):
    record = next(
        r
        for r in RECORDS
        if (r.dataset, r.method) == ("GunPoint", method)
        and (y == "C" or len(r.protocol["grid"][y]) > 1)
    )
    figure = plot_grid(record)
    check_layout(figure)
    panel = figure.axes[0]
    assert panel.get_xlabel() == figures.SYMBOLS.get(x, x)
    assert panel.get_ylabel() == figures.SYMBOLS.get(y, y)


def test_a_heat_map_marks_the_chosen_setting_and_the_ties():
    record = reference("Coffee", "rntk")
    setting, grid = record.selection["setting"], record.protocol["grid"]
    panel = plot_grid(record).axes[0]
    best, chosen = panel.lines[:2]
    assert (chosen.get_xdata()[0], chosen.get_ydata()[0]) == (
        grid["sigma_w"].index(setting["sigma_w"]),
        grid["sigma_b"].index(setting["sigma_b"]),
    )
    colours = panel.collections[0].get_array()
    marked = list(zip(best.get_ydata(), best.get_xdata(), strict=True))
    assert len(marked) > 1
    assert {colours[place] for place in marked} == {100 * record.selection["accuracy"]}
    assert best.get_label() == f"best: {record.selection['ties']} settings tie"


def test_the_axes_of_a_heat_map_can_be_chosen():
    record = gunpoint("ntk")
    panel = plot_grid(record, y="n_layers").axes[0]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("$\\sigma_w$", "$L$")
    panel = plot_grid(record, x="C").axes[0]
    assert panel.get_xlabel() == "$C$"
    for axes in ({"x": "width"}, {"x": "C", "y": "C"}):
        with pytest.raises(InputError):
            plot_grid(record, **axes)


ODD = ["a $$ b", r"$\foo$", "A$B$C", r"\$x\$", "_first", "<b>", "N" * 3000, "\u4e2d"]
DRAWN = [*ODD[:4], "\xa0_first", "<b>", "N" * 59 + "…", "\u4e2d"]


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_names_are_drawn_as_they_are(kind):
    rows = table(ODD)
    for figure in (plot_cd(rows), plot_box(rows)):
        figures.render(figure, kind)
        labels = figure.findobj(Text)
        shown = {text._preprocess_math(text.get_text()) for text in labels}  # what is set
        assert all(mathematics is False for _, mathematics in shown)
        for name in DRAWN:
            assert any(name in text for text, _ in shown), name
    for name in ODD[:6]:
        figure = plot_scatter(rows.assign(RNTK=50.0), name, "RNTK")
        figures.render(figure, kind)
        (legend,) = figure.legends
        assert len(legend.get_texts()) == 3


def test_a_long_name_makes_a_short_name_of_a_file():
    a, b = (figures.safe_file_name("N" * 3000 + end) for end in "ab")
    assert a != b
    assert len(a) == len(b) == figures.MAX_NAME_LENGTH
    assert figures.safe_file_name("scatter-RNTK-A B") == "scatter-RNTK-A_B"
