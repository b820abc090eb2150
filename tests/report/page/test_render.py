import base64
import hashlib
import re
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from rntk_bench.datasets import load_dataset, resample_dataset
from rntk_bench.errors import ExtraError
from rntk_bench.report.page.labels import Labels
from rntk_bench.report.page.render import render_page
from rntk_bench.report.results.resamples import average_resamples
from rntk_bench.report.results.results import collect_results
from rntk_bench.storage.records import Record, read_records
from tests.factories import predicted
from tests.paths import REFERENCE

DATASETS = ("ArrowHead", "Coffee", "ECG200", "GunPoint", "Ham", "Meat", "UMD")
METHODS = ("rntk", "ntk", "rbf", "gru")
HOSTILE = '<script>alert("x")</script>&<b>'
VOID = {"meta", "input", "br", "img"}


@pytest.fixture(scope="module")
def records():
    return [
        record
        for record in read_records(REFERENCE)[0]
        if record.dataset in DATASETS and record.method in METHODS
    ]


@pytest.fixture(scope="module")
def html(records, tmp_path_factory):
    return render_page(collect_results(records), Labels(cache_dir=tmp_path_factory.mktemp("cache")))


class Parsed(HTMLParser):
    """Every element in order, with the check that what opens is closed."""

    def __init__(self, html):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def minimal(dataset, method, **changes):
    fields = {
        "status": "ok",
        "protocol": {"seed": 0},
        "data": {},
        "selection": None,
        "test": {"correct": 1, "n": 2},
        "warnings": [],
        "error": None,
        "timings": {},
        "environment": {},
        "created": "2024-01-01T00:00:00+00:00",
    }
    return Record(dataset=dataset, method=method, **(fields | changes))


def test_it_is_whole_and_asks_nothing_of_a_network(html):
    parsed = Parsed(html)
    identifiers = Counter(
        attributes["id"] for _, attributes in parsed.elements if "id" in attributes
    )
    assert [name for name, count in identifiers.items() if count > 1] == []
    for _, attributes in parsed.elements:
        assert not attributes.keys() & {"src", "srcset", "data", "action", "poster"}
        for name in ("href", "xlink:href"):
            target = attributes.get(name) or "#"
            assert target.startswith("#")
            assert target == "#" or target[1:] in identifiers
    assert set(re.findall(r"url\((.)", html)) == {"#"}
    assert "@import" not in html


def test_every_table_has_a_caption_and_headings_with_a_scope(html):
    parsed = Parsed(html)
    assert len(parsed.of("caption")) == len(parsed.of("table")) > 2 * len(DATASETS)
    assert {attributes["scope"] for attributes in parsed.of("th")} == {"col", "colgroup", "row"}
    assert all(attributes["aria-label"] for attributes in parsed.of("svg"))


def test_the_policy_allows_the_pages_own_script_only(html):
    [script] = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "default-src 'none'" in html


def test_the_same_records_make_the_same_page(html, records, tmp_path):
    again = collect_results(records[::-1])
    assert render_page(again, Labels(cache_dir=tmp_path)) == html


def test_it_holds_the_tables_the_figures_and_a_section_a_dataset(html):
    assert re.findall(r'<details class="dataset" id="dataset-(\w+)">', html) == sorted(DATASETS)
    assert "Best mean accuracy: " in html
    assert "Critical differences. Mean ranks over 7 datasets: " in html
    assert html.count("<svg") == 2 + 3
    assert "RNTK against GRU. Over 7 datasets RNTK is better on " in html
    # The page's ink, in light and in dark.
    assert "#000000" not in html
    assert "rntk-bench run -c rntk-7ad9149e.toml -d Coffee --data-dir UCRArchive_2018" in html
    assert "python -m pip install " in html


def test_labels_that_are_not_here_are_said_to_be_missing(html):
    packaged = {"ArrowHead", "Coffee", "GunPoint"}
    for name in DATASETS:
        section = html.split(f'id="dataset-{name}"')[1].split('<details class="dataset"')[0]
        assert ("Confusion matrix of the test set" in section) == (name in packaged)
        assert (f"fetch {name}" in section) == (name not in packaged)


def test_what_records_say_is_escaped(records):
    hostile = [
        minimal(HOSTILE, HOSTILE, status="failed", test=None, error=HOSTILE),
        minimal(HOSTILE, "ntk", warnings=[HOSTILE], environment={"cpu": HOSTILE}),
        minimal("Coffee", "ntk", data={"source": HOSTILE}, timings={HOSTILE: 1.0}),
    ]
    html = render_page(collect_results([*records[:3], *hostile]), Labels())
    Parsed(html)
    assert HOSTILE not in html
    assert html.count("<script>") == 1
    assert "<b>" not in html
    assert "&lt;script&gt;alert(" in html


def test_records_that_hold_little_make_a_page(tmp_path):
    records = [
        minimal("Toy", "rntk"),
        minimal("Toy", "ntk", status="failed", test=None, error="It broke."),
        minimal("Other", "rntk"),
    ]
    html = render_page(collect_results(records), Labels(cache_dir=tmp_path))
    Parsed(html)
    assert "<dt>Failed</dt><dd>1</dd>" in html
    assert "<dt>Without a record</dt><dd>1</dd>" in html
    assert "NTK: It broke." in html
    assert "holds no cross-validation" in html
    assert "Not drawn. A comparison needs at least two methods" in html


def test_counts_that_are_damaged_are_a_sentence_of_the_section(records):
    [record, *_] = [record for record in records if record.method == "rntk"]
    damaged = replace(record, selection=record.selection | {"n_correct": {"lzma": "?"}})
    assert "packed integers are damaged" in render_page(collect_results([damaged]), Labels())


def test_without_matplotlib_the_extra_is_named(records, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ExtraError, match=r"pip install 'rntk-bench\[figures\]'"):
        render_page(collect_results(records), Labels())


def test_the_page_tells_how_a_networks_folds_do(records, tmp_path):
    network = next(
        record
        for record in records
        if (record.dataset, record.method) == ("UMD", "gru")
        and record.protocol["final"] == "retrain"
    )
    counts = ("fold_correct", "ensemble_correct")
    test = {key: value for key, value in network.test.items() if key not in counts}
    network = replace(network, test=test)
    told = replace(
        network,
        selection=network.selection | {"best_fold": 1},
        test=network.test | {"fold_correct": [48, 96, 72, 36, None], "ensemble_correct": 108},
    )
    html = render_page(collect_results([told]), Labels(cache_dir=tmp_path))
    assert (
        "The folds' networks on the test series: 33.33, 66.67, 50.00, 25.00, none % by fold, "
        "75.00 % by the mean of their probabilities; tested: one trained on all series." in html
    )
    assert "folds' networks" not in render_page(
        collect_results([network]), Labels(cache_dir=tmp_path)
    )


def test_means_over_resamples_say_so_and_the_rest_is_of_one_resample(tmp_path):
    data = load_dataset("ArrowHead", download=False)
    made = [
        replace(
            predicted(resample_dataset(data, k), method, {"resample": k} if k else {}),
            test={"correct": 140 + 7 * k, "n": 175},
        )
        for k in range(3)
        for method in ("rbf", "rntk")
    ]
    html = render_page(average_resamples(collect_results(made)), Labels(cache_dir=tmp_path))
    Parsed(html)
    assert html.count("84.00 ± 2.31") >= 2  # 80, 84 and 88 percent
    assert "means over resamples with their standard errors; everything else is" in html
    assert "of resample 0, where 0 is the archive&#39;s split." in html
    assert "-d ArrowHead --resample 0-2" in html
    assert "<dt>Results</dt><dd>6</dd>" in html
    alone = render_page(collect_results(made[:2]), Labels(cache_dir=tmp_path))
    assert "resample" not in alone
    assert "80.00" in alone
