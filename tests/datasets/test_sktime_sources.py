"""What is used of sktime is as it is used, and every failure gets one plain reason."""

import errno
import inspect
from types import SimpleNamespace
from urllib.error import ContentTooShortError, HTTPError, URLError
from zipfile import BadZipFile

import pytest
from skbase.utils.dependencies import _check_soft_dependencies
from sktime.datasets import _data_io, load_UCR_UEA_dataset
from sktime.datasets._dataset_downloader import DatasetDownloader, URLDownloader

from rntk_bench.datasets import sktime_sources
from rntk_bench.datasets.sktime_sources import describe_failure, list_sources


@pytest.fixture(autouse=True)
def _downloader(monkeypatch):
    """Undo what a process that only downloads leaves as it is."""
    monkeypatch.setattr(_data_io, "DatasetDownloader", DatasetDownloader)


def test_sktimes_signatures():
    """If this fails, another sktime has to be read: see the module's docstring."""
    assert [*inspect.signature(_data_io._cache_dataset).parameters][:3] == [
        *("url", "name", "extract_path"),
    ]
    assert [*inspect.signature(DatasetDownloader.download).parameters] == [
        *("self", "download_path", "force_download"),
    ]
    assert "_cache_dataset(CLASSIF_URLS, name" in inspect.getsource(_data_io._load_dataset)
    assert "return _load_dataset(" in inspect.getsource(load_UCR_UEA_dataset)


def test_the_sources_and_their_order_are_sktimes():
    archives = [f"{address}/Beef.zip" for address in _data_io.CLASSIF_URLS]
    assert len(archives) > 1
    sources = list_sources("Beef")
    assert [*sources] == ["Hugging Face sktime/tsc-datasets", *archives]
    has_hub = _check_soft_dependencies("huggingface-hub>=2.0", severity="none")
    assert [*sources.values()] == [None if has_hub else "huggingface-hub>=2.0", None, None]


@pytest.mark.parametrize(
    ("installed", "has_hub"), [("0.36.2", False), ("1.33.0", False), ("2.0.0", True), ("2.4", True)]
)
def test_a_hub_that_writes_outside_its_folder_is_not_asked(monkeypatch, installed, has_hub):
    monkeypatch.setattr(sktime_sources, "version", lambda package: installed)
    assert sktime_sources.has_hub() is has_hub


def test_a_mirror_takes_their_place():
    mirror = "https://example.org/TSC"
    assert list_sources("Beef", mirror) == {f"{mirror}/Beef.zip": None}


def test_a_kind_of_source_that_is_new_has_a_name():
    assert sktime_sources._source(SimpleNamespace()) == "SimpleNamespace"


def raised(*errors):
    """Errors that were raised one while another was handled, the first one innermost."""
    for error, cause in zip(errors[1:], errors, strict=False):
        error.__context__ = cause
    return errors[-1]


def http_error(status):
    return HTTPError("http://example.org", status, "Some words", None, None)


class HubError(Exception):
    def __init__(self, status):
        super().__init__(f"{status} Client Error.\n\nRepository not found.")
        self.response = SimpleNamespace(status_code=status)


@pytest.mark.parametrize(
    ("error", "reason", "final", "disk"),
    [
        (raised(http_error(404), RuntimeError("at")), "HTTP Error 404: Some words", True, None),
        (raised(http_error(503), RuntimeError("at")), "HTTP Error 503: Some words", False, None),
        (HubError(404), "404 Client Error", True, None),
        (HubError(429), "429 Client Error", False, None),
        (
            raised(ConnectionRefusedError(errno.ECONNREFUSED, "No"), URLError("no"), HubError(500)),
            f"[Errno {errno.ECONNREFUSED}] No",
            False,
            None,
        ),
        (URLError("unknown host."), "unknown host", False, None),
        (ContentTooShortError("got only 5 out of 9 bytes", None), "got only 5 out", False, None),
        (BadZipFile("File is not a zip file"), "File is not a zip file", False, None),
        (ValueError("unknown url type: 'x'"), "unknown url type: 'x'", True, None),
        (
            raised(OSError(errno.ENOSPC, "Full"), RuntimeError("at")),
            f"[Errno {errno.ENOSPC}] Full",
            False,
            errno.ENOSPC,
        ),
        (EOFError(), "EOFError", False, None),
    ],
)
def test_failures(error, reason, final, disk):
    described = describe_failure(error)
    assert described["reason"].startswith(reason)
    assert (described["final"], described["disk"]) == (final, disk)


def test_what_is_downloaded_lies_in_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", None)
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "Beef.zip").write_bytes(b"no archive")
    folder = tmp_path / "folder"
    folder.mkdir()
    source = f"{mirror.as_uri()}/Beef.zip"
    with pytest.raises(RuntimeError, match="not a zip file"):
        sktime_sources.download("Beef", mirror.as_uri(), source, str(folder))
    assert sktime_sources.tempfile.gettempdir() == str(folder)
    assert isinstance(sktime_sources._plan("Beef", mirror.as_uri())[source], URLDownloader)
