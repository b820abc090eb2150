"""Our readers and sktime's give the same numbers and labels."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sktime.datasets import load_from_tsfile, load_from_ucr_tsv_to_dataframe

from rntk_bench.datasets.labels import class_name
from rntk_bench.datasets.readers import read_split
from tests.paths import shared

DATA = Path(find_spec("sktime").submodule_search_locations[0], "datasets", "data")
FILES = sorted(DATA.glob("*/*_T*.ts"))
REGRESSION = ("Covid3Month", "Tecator")


def sktimes_series(X):
    """The series of a nested data frame, of shape (T, m) each, without padding."""
    for _, row in X.iterrows():
        series = np.column_stack([np.asarray(dimension, dtype=float) for dimension in row])
        yield series[: 1 + np.flatnonzero(~np.isnan(series).all(axis=1))[-1]]


def assert_same_series(split, X):
    assert len(split.series) == len(X)
    for ours, sktimes in zip(split.series, sktimes_series(X), strict=True):
        np.testing.assert_array_equal(ours.reshape(len(ours), -1), sktimes)


def assert_same(path):
    split = read_split(path)
    X, y = load_from_tsfile(str(path))
    assert_same_series(split, X)
    # sktime turns a file into lower case before it reads it.
    assert [label.casefold() for label in split.labels] == y.tolist()


def test_every_dataset_that_sktime_carries_is_compared():
    assert len(FILES) >= 22


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_datasets_that_sktime_carries(path):
    if path.parent.name in REGRESSION:
        assert_same_series(read_split(path, "partial"), load_from_tsfile(str(path))[0])
    else:
        assert_same(path)


def written(path, rows, *, last="@classLabel true Up down 3", univariate="true", missing="false"):
    path.write_text(
        f"# A comment\n@problemName Made\n@timeStamps false\n@missing {missing}\n"
        f"@univariate {univariate}\n{last}\n\n@data\n" + "".join(f"{row}\n" for row in rows),
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (["1,2.5,-3e-7:Up", "4,5,6:down", " 7 , 8 ,9 : 3 "], {}),
        (["1,2,3:Up", "", "4:down", "5,6:3"], {}),
        (["1,2:3,4:5,6:Up", "7,8:9,10:11,12:down"], {"univariate": "false"}),
        (["1,2:3,4:Up", "7:9:down", "1,2,3:4,5,6:3"], {"univariate": "false"}),
        (["1,2,?,?:Up", "4,?,?,?:down", "1,2,3,4:3"], {"missing": "true"}),
        (["1,2,NaN:Up", "4,5,6:down"], {"missing": "true"}),
        (["1,2,3:?,?,?:Up", "1,2,3:1,2,3:down"][1:], {"univariate": "false", "missing": "true"}),
        (["1,?:3,?:Up", "7,8:9,1:down"], {"univariate": "false", "missing": "true"}),
        (["+1,.5,5.:3", "-0,1e3,1E-3:3"], {}),
    ],
    ids=[
        *("equal lengths", "unequal lengths", "multivariate", "multivariate of unequal lengths"),
        *("padded with ?", "padded with NaN", "multivariate of one series"),
        *("multivariate and padded", "spellings of numbers"),
    ],
)
def test_files_of_every_kind(tmp_path, rows, options):
    assert_same(written(tmp_path / "Made_TRAIN.ts", rows, **options))


@pytest.mark.parametrize(
    ("last", "rows"),
    [
        ("@targetLabel true", ["1,2,3:0.5", "4,5,6:-1"]),
        ("@targetLabel true", ["1,2:3,4:0.5", "4,5:6,7:-1"]),
    ],
)
def test_series_of_a_regression(tmp_path, last, rows):
    univariate = str(len(rows[0].split(":")) == 2).lower()
    path = written(tmp_path / "Made_TRAIN.ts", rows, last=last, univariate=univariate)
    assert_same_series(read_split(path, "partial"), load_from_tsfile(str(path))[0])


def assert_same_columns(path):
    split = read_split(path)
    X, y = load_from_ucr_tsv_to_dataframe(str(path))
    assert [class_name(label) for label in split.labels] == [class_name(str(label)) for label in y]
    assert len(split.series) == len(X)
    for ours, sktimes in zip(split.series, sktimes_series(X), strict=True):
        # pandas, which sktime uses here, may miss the nearest number by one.
        np.testing.assert_allclose(ours, sktimes[:, 0], rtol=3e-16)


@pytest.mark.parametrize(
    "rows",
    [
        [["1", "0.5", "-2e-3"], ["-1", "3", "4"]],
        [["1", "0.5", "NaN"], ["2", "3", "4"]],
        [["a", "0.5", "1"], ["b", "3", "4"]],
        [["1.0", "0.1", "1e-300"], ["2.0", "123456789.123456789", "4"]],
    ],
    ids=["integers", "padded", "words", "decimals"],
)
def test_columns(tmp_path, rows):
    path = tmp_path / "Made_TRAIN.tsv"
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    assert_same_columns(path)


@pytest.mark.parametrize("name", ["AllGestureWiimoteX", "Coffee", "PowerCons", "UMD"])
@pytest.mark.parametrize("split", ["TRAIN", "TEST"])
def test_columns_of_the_archive(name, split):
    assert_same_columns(shared("ucr", name, f"{name}_{split}.tsv"))
