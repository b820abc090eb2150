import pytest

from rntk_bench.datasets.csv_series import read_column, read_prices
from rntk_bench.errors import DataError
from tests.paths import shared


def write(tmp_path, text):
    path = tmp_path / "prices.csv"
    path.write_text(text)
    return path


def test_closes_are_in_the_order_of_their_dates(tmp_path):
    path = write(tmp_path, "Date,Open,Close\n2014-01-03,1,12.5\n2014-01-02,1,11\n2014-02-01,1,13\n")
    assert read_prices(path) == (11.0, 12.5, 13.0)
    assert read_prices(path, close="Open") == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Date,Open\n2014-01-02,1\n", "no column 'Close'; there are Date, Open"),
        ("Day,Close\n2014-01-02,1\n", "no column 'Date'"),
        ("Date,Close\n2014-01-02,1\n2014-01-03,\n", "line 3: column 'Close' is empty"),
        ("Date,Close\n2014-01-02,much\n", "line 2: column 'Close' holds 'much'"),
        ("Date,Close\n2014-01-02,inf\n", "holds 'inf', but must hold a number"),
        ("Date,Close\nyesterday,1\n", "holds 'yesterday', but must hold a date"),
        ("Date,Close\n2014-01-02,1\n2014-01-02,2\n", "line 3: the date 2014-01-02 occurs twice"),
        ("", "cannot be read as CSV"),
        ('Date,Close\n"2014-01-02,1\n', "cannot be read as CSV"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path, text, named):
    path = write(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_prices(path)
    assert named in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_or_binary_file_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv"):
        read_prices(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01" * 9)
    with pytest.raises(DataError, match=r"binary\.csv"):
        read_prices(tmp_path / "binary.csv")


def test_a_column_is_read_in_the_order_of_its_lines(tmp_path):
    path = write(tmp_path, "t,load\n3,1.5\n1,-2e3\n")
    assert read_column(path, "load").tolist() == [1.5, -2000.0]
    assert read_column(write(tmp_path, "\nt,load\n3,1.5\n1,2\n\n,,\n"), "load").tolist() == [1.5, 2]
    with pytest.raises(DataError, match="line 3: column 'load' is empty"):
        read_column(write(tmp_path, "t,load\n3,1.5\n1,\n"), "load")
    with pytest.raises(DataError, match=r"did you mean 'load'. There are t, load"):
        read_column(path, "Load")


@pytest.mark.parametrize("blank", ["", '""', " ", ","])
def test_a_blank_line_among_the_values_of_a_series_is_no_value(tmp_path, blank):
    """Pandas writes a missing value of a single column as two quotation marks."""
    with pytest.raises(DataError, match="line 3 is blank, but must hold a number"):
        read_column(write(tmp_path, f"load\n1.5\n{blank}\n2\n"), "load")
    assert read_column(write(tmp_path, f"load\n1.5\n2\n{blank}\n"), "load").tolist() == [1.5, 2]


def test_lines_longer_than_the_header_do_not_shift_the_columns(tmp_path):
    with pytest.raises(DataError, match="more fields than its header"):
        read_column(write(tmp_path, "t,load\n3,1.5,7\n1,2,8\n"), "load")


@pytest.mark.parametrize("text", ['"no\nte",b\n1,2\n', "a,b\n1,2\n3,4,5\n"])
def test_the_reason_is_one_line(tmp_path, text):
    with pytest.raises(DataError) as caught:
        read_column(write(tmp_path, text), "load")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "dates",
    [
        ["2021-03-12 00:00:00-05:00", "2021-03-15 00:00:00-04:00", "2021-03-16 00:00:00-04:00"],
        ["2021-03-26T17:30:00+01:00", "2021-03-29T17:30:00+0200", "2021-03-30T15:30:00Z"],
        ["2021-03-26 17:30:00.25+01", "2021-03-29 17:30:00.5 +02", "2021-03-30"],
    ],
)
def test_dates_of_several_time_zones_are_in_the_order_of_the_days(tmp_path, dates):
    third, second, first = zip(dates, (3, 2, 1), strict=True)
    rows = "".join(f"{date},{close}\n" for date, close in (second, first, third))
    assert read_prices(write(tmp_path, f"Date,Close\n{rows}")) == (3.0, 2.0, 1.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Date;Close\n2014-01-02;1\n", "has semicolons between its fields"),
        ("Date,Close,Close\n2014-01-02,1,2\n", "several columns called 'Close'"),
        ("Date,Close\n", "has no rows below its header"),
        ('Date,Close\n2014-01-02,"1,5"\n', "use a decimal point, not a comma"),
        ("Date,Close\n2014-01-02,NA\n", "holds 'NA', but must hold a number"),
    ],
)
def test_prices_have_one_meaning_or_the_reason(tmp_path, text, sentence):
    with pytest.raises(DataError) as caught:
        read_prices(write(tmp_path, text))
    assert sentence in str(caught.value)


def test_real_prices():
    closes = read_prices(shared("stock", "GOOG.csv"))
    assert len(closes) == 1258
    assert closes[0] == pytest.approx(552.963501)
