from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from rntk_bench.datasets import ARCHIVE
from rntk_bench.report.results.join import join_published
from rntk_bench.report.results.published import read_published, select_columns
from rntk_bench.report.results.results import Results, collect_results
from rntk_bench.report.tables.paper import table1, table2
from rntk_bench.storage.records import read_records
from tests.paths import REFERENCE, shared

OWN = Results(
    methods=["rntk"],
    datasets=["Coffee", "Ham", "Mine"],
    accuracy={
        ("Coffee", "rntk"): Fraction(27, 28),
        ("Ham", "rntk"): Fraction(75, 105),
        ("Mine", "rntk"): Fraction(2, 3),
    },
    failed=set(),
    smaller_grid=set(),
    notes=["A note."],
    n_test={"Mine": 3},
)


@pytest.fixture
def read(tmp_path):
    def from_text(text, name="some.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return read_published(path)

    return from_text


def test_a_column_stands_beside_one_s_own(read):
    joined, report = join_published(OWN, read("dataset,DTW\nham,60\ncoffee,100\nmine,33.3\n"))
    assert joined.methods == ["rntk", "DTW"]
    assert joined.published == ["DTW"]
    assert joined.accuracy["Ham", "DTW"] == Fraction(63, 105)
    assert joined.notes == ["A note.", "Published, from some.csv: DTW."]
    assert report == ["some.csv: 3 of 3 datasets found; read as percent: DTW."]
    assert OWN.methods == ["rntk"]


@pytest.mark.parametrize(
    "text", ["0.9643", "0.9642", "0.964286", "0.96428571428571430157", "0.964", "0.96"]
)
def test_rounding_neither_makes_nor_breaks_a_tie(read, text):
    joined, _ = join_published(OWN, read(f"dataset,DTW\nCoffee,{text}\n"))
    assert joined.accuracy["Coffee", "DTW"] == Fraction(27, 28)


def test_what_no_count_gives_and_what_has_no_test_size_stays_as_printed(read):
    joined, _ = join_published(OWN, read("dataset,mean of 30\nCoffee,0.9700\n"))
    assert joined.accuracy["Coffee", "mean of 30"] == Fraction("0.97")
    unknown = Results(["rntk"], ["Mine"], {}, set(), set(), [])
    joined, _ = join_published(unknown, read("dataset,a\nMine,0.667\n"))
    assert joined.accuracy["Mine", "a"] == Fraction("0.667")


def test_names_that_are_taken_carry_their_file_s(read):
    text = "dataset,RNTK,gru,DTW\nCoffee,1,1,1\n"
    joined, _ = join_published(
        OWN, read(text, "one.csv") + read(text, "two.csv") + read(text, "x/two.csv")
    )
    *names, last = joined.methods
    assert names[:7] == [
        *("rntk", "RNTK (one)", "gru (one)", "DTW"),
        *("RNTK (two)", "gru (two)", "DTW (two)"),
    ]
    assert last.endswith("two.csv)")
    assert len(set(joined.methods)) == len(joined.methods)
    assert [str(column) for column in table2(joined).columns][-1] == last


def test_the_report_says_what_did_not_match(read):
    columns = read("dataset,a,b\nCofee,0.5,\nHam,,\nBeef,0.1,0.2\nMine,50,\n")
    joined, report = join_published(OWN, columns)
    assert joined.methods == ["rntk", "a"]
    assert report == [
        "some.csv: 2 of 3 datasets found; read as percent: a and fractions: b.",
        "some.csv has no row for Coffee.",
        "some.csv: the names nearest to Coffee are Cofee.",
        "some.csv: neither the archive nor the table has Cofee.",
        "some.csv has no entry of a for Ham.",
        "some.csv has no entry of b for Ham, Mine.",
        "some.csv: a is read as percent, so that Cofee has 0.5 %.",
        "some.csv: a is read as percent, so that Beef has 0.1 %.",
    ]


def test_a_table_of_one_s_own_is_read_back(read):
    columns = read("dataset,Seed 1\nCoffee,96.43\nHam,failed\nMine,66.67\n")
    joined, _ = join_published(OWN, columns)
    assert joined.accuracy["Coffee", "Seed 1"] == OWN.accuracy["Coffee", "rntk"]
    assert joined.accuracy["Mine", "Seed 1"] == Fraction(2, 3)
    assert ("Ham", "Seed 1") not in joined.accuracy


@pytest.fixture(params=["generated", "published"])
def published(request, tmp_path):
    """A file with accuracies of every dataset in the archive, as fractions with six decimals."""
    if request.param == "published":
        return shared("published", "default_split_accuracy.csv")
    path = tmp_path / "accuracies.csv"
    rng = np.random.default_rng(0)
    lines = ["dataset,ROCKET,1NN-DTW,1NN-ED"]
    for name, entry in ARCHIVE.items():
        n_correct = [entry.n_test, *rng.integers(entry.n_test, size=2)]
        lines.append(",".join([name, *(f"{n / entry.n_test:.6f}" for n in n_correct)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_every_published_column_joins_the_reference_records(published):
    n_columns = published.read_text(encoding="utf-8").partition("\n")[0].count(",")
    records, _ = read_records(REFERENCE)
    results = collect_results([r for r in records if r.method in ("rntk", "ntk", "rbf", "poly")])
    columns = read_published(published)
    joined, report = join_published(results, columns)
    assert len(joined.published) == len(columns) == n_columns
    assert not any(column.percent for column in columns)
    assert report[0].startswith(f"{published.name}: 54 of 54 datasets found")
    # published to six decimals, and now counts of right answers again
    for dataset in ("Coffee", "Ham", "GunPoint"):
        for method in joined.published:
            assert joined.n_test[dataset] % joined.accuracy[dataset, method].denominator == 0


def test_rocket_leads_the_kernels_on_the_reference_datasets(published):
    records, _ = read_records(REFERENCE)
    few = set(product(("Coffee", "GunPoint", "UMD"), ("rntk", "ntk")))
    results = collect_results([r for r in records if (r.dataset, r.method) in few])
    columns = read_published(published)
    joined, _ = join_published(results, select_columns(columns, ["ROCKET"]))
    rows = {row[0].value: row for row in table1(joined, with_paper=False).rows}
    assert rows["ROCKET"][2].bold
    assert not rows["RNTK"][2].bold
