import os
from pathlib import Path

import pytest

from rntk_bench.errors import InputError
from rntk_bench.storage.paths import expand_home, user_cache_folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_a_leading_tilde_is_the_home_folder(home):
    assert expand_home("~") == home
    assert expand_home("~/a/b") == home / "a" / "b"
    assert expand_home(Path("~/a")) == home / "a"
    for plain in ("a~", "a/~/b", "./~/b", "/~"):
        assert expand_home(plain) == Path(plain)


def test_the_home_folder_of_another_user(home):
    assert home not in expand_home("~root/x").parents
    assert expand_home("~root/x") == Path("~root").expanduser() / "x"


def test_a_user_that_does_not_exist_is_refused_unless_it_is_a_file(home):
    with pytest.raises(InputError, match=r"write the whole path, or '\./~nobody-here/x'"):
        expand_home("~nobody-here/x")
    home.with_name("~$open.csv").touch()
    assert expand_home("~$open.csv") == Path("~$open.csv")


def test_caches_are_the_users_or_where_he_says(home, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert user_cache_folder() == home / ".cache" / "rntk-bench"
    assert user_cache_folder(Path("there")) == Path("there")


def test_who_has_no_home_has_a_cache_among_the_temporary_files(home, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    folder = user_cache_folder()
    assert folder.is_absolute()
    assert home not in folder.parents
    assert str(os.getuid()) in folder.name
