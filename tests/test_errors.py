import importlib
import pickle
import re
from pathlib import Path

import pytest

import rntk_bench
from rntk_bench.errors import ExtraError, RntkBenchError, format_bytes, one_line, short_repr

PACKAGE = Path(rntk_bench.__file__).parent
CAUGHT = {"NumberError"}  # tells a reader of text where a number is wrong; users never meet it


def every_error():
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for name in re.findall(r"^class (\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE):
            if name.endswith("Error") and not name.startswith("_") and name not in CAUGHT:
                module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
                found.append(getattr(importlib.import_module(module), name))
    return found


ERRORS = every_error()


def test_the_list_is_whole():
    assert {"ExtraError", "RecordError", "ModelError", "TimeLimitError"} <= {
        error.__name__ for error in ERRORS
    }


@pytest.mark.parametrize("error", ERRORS)
def test_errors_reach_other_processes_whole(error):
    assert issubclass(error, RntkBenchError)
    arguments = ("A figure", "matplotlib", "figures") if error is ExtraError else ("No such file.",)
    raised = error(*arguments)
    again = pickle.loads(pickle.dumps(raised))
    assert type(again) is error
    assert (str(again), again.exit_code) == (str(raised), raised.exit_code)


def test_an_extra_says_how_to_install_it():
    said = str(ExtraError("A figure", "matplotlib", "figures"))
    assert said == "A figure needs matplotlib; install it with pip install 'rntk-bench[figures]'."


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\nb", "'a\\nb'"),
        (10**5000, "a number of thousands of digits"),
        ("x" * 100, "'" + "x" * 79 + "..."),
    ],
    ids=["line break", "huge", "long"],
)
def test_values_in_messages_are_short_and_on_one_line(value, expected):
    assert short_repr(value) == expected


def test_what_cannot_be_printed_is_escaped_on_one_line():
    assert one_line("a b\tc\nd\x1b[31m\u2028é\udce9") == r"a b\tc\nd\x1b[31m\u2028é\udce9"


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (1 << 20, "1.0 MiB"),
        (5 << 29, "2.5 GiB"),
        (312.4 * 2**20, "312 MiB"),
        (5 << 40, "5.0 TiB"),
        (5 << 50, "5120 TiB"),
    ],
)
def test_sizes_are_readable(n_bytes, text):
    assert format_bytes(n_bytes) == text
