import numpy as np
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.storage.cache import GramCache, cache_folder


def run(*arguments):
    return CliRunner().invoke(main, ["cache", *map(str, arguments)])


@pytest.fixture
def cache_dir(tmp_path):
    cache = GramCache(cache_folder(tmp_path))
    for digit in "ab":
        cache.put(digit * 64, np.ones((16, 16)), symmetric=False)
    return tmp_path


def test_info_says_what_is_held(cache_dir):
    lines = run("info", "--cache-dir", cache_dir).stdout.splitlines()
    assert lines == [
        f"Folder:  {cache_dir / 'grams'}",
        "Entries: 2",
        "Size:    4.1 KiB (limit 4.0 GiB)",
    ]


def test_clear_says_what_it_freed(cache_dir):
    outcome = run("clear", "--cache-dir", cache_dir)
    assert outcome.stdout == f"Removed 2 entries, 4.1 KiB, from {cache_dir / 'grams'}.\n"
    assert "Entries: 0" in run("info", "--cache-dir", cache_dir).stdout


def test_a_folder_others_may_write_to_is_one_sentence(cache_dir):
    cache_folder(cache_dir).chmod(0o777)
    outcome = run("clear", "--cache-dir", cache_dir)
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("Error: Other users may write")


def test_a_folder_that_cannot_be_made_is_a_warning(tmp_path):
    (tmp_path / "grams").write_text("in the way")
    outcome = run("info", "--cache-dir", tmp_path)
    assert outcome.exit_code == 0
    assert outcome.stderr.startswith("Warning: Gram matrices are no longer stored")
    assert "Entries: 0" in outcome.stdout
