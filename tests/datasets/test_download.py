"""Downloads from a server on this machine that behaves well, badly, or maliciously."""

import errno
import io
import os
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from rntk_bench.datasets import download, fetch_dataset, load_dataset, locate, needs_download
from rntk_bench.errors import DataError
from rntk_bench.storage.locks import try_lock

NAME = "ItalyPowerDemand"
SPLITS = {
    f"{NAME}_{split}.ts": Path(
        find_spec("sktime").submodule_search_locations[0], "datasets", "data", NAME
    )
    .joinpath(f"{NAME}_{split}.ts")
    .read_bytes()
    for split in ("TRAIN", "TEST")
}


def zipped(entries):
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


WHOLE = zipped(SPLITS)


class Mirror:
    """A server whose answers are a status or the bytes of a body, one after the other."""

    def __init__(self):
        self.answers = []
        self.announced = None
        self.requests = Counter()
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                mirror.requests[self.path] += 1
                answer = mirror.answers.pop(0) if len(mirror.answers) > 1 else mirror.answers[0]
                body = answer if isinstance(answer, bytes) else b""
                self.send_response(200 if body else answer)
                self.send_header("Content-Length", str(mirror.announced or len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/TSC"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def mirror():
    with Mirror() as server:
        server.answers = [WHOLE]
        yield server


@pytest.fixture
def second_mirror():
    with Mirror() as server:
        server.answers = [WHOLE]
        yield server


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def complaint(cache):
    """Fetch in vain, check that nothing stays behind, and return the error's sentence."""

    def fetch(*mirrors):
        with pytest.raises(DataError) as caught:
            fetch_dataset(NAME, cache_dir=cache, mirrors=mirrors, sleep=lambda seconds: None)
        assert list((cache / "datasets").iterdir()) == []
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return fetch


def refusing_address():
    """Return an address that nobody listens at."""
    with Mirror() as server:
        return server.url


def splits_in(folder):
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert files.pop("SHA256SUMS")
    return files


def test_success(cache, mirror):
    folder = fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url])
    assert folder == cache / "datasets" / NAME
    assert splits_in(folder) == SPLITS
    assert [path.name for path in folder.parent.iterdir()] == [NAME]
    assert mirror.requests == {f"/TSC/{NAME}.zip": 1}


def test_the_cache_is_asked_first(cache, mirror):
    for _ in range(2):
        fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url])
    assert mirror.requests.total() == 1
    assert load_dataset(NAME, cache_dir=cache).source == "cache"


@pytest.mark.parametrize("damage", [lambda text: text[:-30], lambda text: text.replace(b"3", b"4")])
def test_a_download_that_was_damaged_since_is_downloaded_again(cache, mirror, damage):
    folder = fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url])
    path = folder / f"{NAME}_TEST.ts"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match="is damaged on this machine"):
        load_dataset(NAME, cache_dir=cache, download=False)
    assert needs_download(locate(NAME, cache_dir=cache))
    fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url])
    assert splits_in(folder) == SPLITS
    assert mirror.requests.total() == 2


def test_a_download_without_digests_is_taken_as_it_is(cache, mirror):
    folder = fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url])
    (folder / "SHA256SUMS").unlink()
    assert not needs_download(locate(NAME, cache_dir=cache))


def test_the_half_download_of_a_killed_process_is_removed(cache, mirror):
    left = cache / "datasets" / ".Beef.partial"
    left.mkdir(parents=True)
    (left / "Beef_TRAIN.ts").write_text("half")
    folder = fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url])
    assert list(folder.parent.iterdir()) == [folder]


def test_a_download_under_way_elsewhere_is_waited_for(cache, mirror):
    other = cache / "elsewhere" / "datasets" / NAME
    fetch_dataset(NAME, cache_dir=cache / "elsewhere", mirrors=[mirror.url])
    (cache / "datasets").mkdir()
    waited = []

    def arrive(seconds):
        waited.append(seconds)
        other.rename(cache / "datasets" / NAME)

    with try_lock(cache / "datasets" / f".{NAME}.lock"):
        fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url], sleep=arrive)
    assert len(waited) == 1
    assert mirror.requests.total() == 1


def test_a_full_disk_is_not_the_mirrors_fault(cache, mirror, second_mirror, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(download, "_unpack", full)
    with pytest.raises(DataError, match=r"No space .* --cache-dir"):
        fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url, second_mirror.url])
    assert not second_mirror.requests
    assert list((cache / "datasets").iterdir()) == []


def test_loading_downloads_from_the_mirror_in_the_environment(cache, mirror, monkeypatch):
    columns = "\t".join(["0.5"] * 512)
    mirror.answers = [
        zipped(
            {
                f"BirdChicken_{split}.tsv": "".join(f"{i % 2}\t{columns}\n" for i in range(20))
                for split in ("TRAIN", "TEST")
            }
        )
    ]
    monkeypatch.setenv("RNTK_BENCH_MIRROR", f"{mirror.url}/")
    assert load_dataset("BirdChicken", cache_dir=cache).source == "download"
    assert load_dataset("BirdChicken", cache_dir=cache).source == "cache"
    assert mirror.requests == {"/TSC/BirdChicken.zip": 1}


@pytest.mark.parametrize("left_over", [[], [f"{NAME}_TRAIN.ts"]])
def test_left_over_folders_are_replaced(cache, mirror, left_over):
    folder = cache / "datasets" / NAME
    folder.mkdir(parents=True)
    for name in left_over:
        (folder / name).write_text("half a file", encoding="utf-8")
    fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url])
    assert splits_in(folder) == SPLITS


def test_other_stems_folders_and_formats_in_the_archive(cache, mirror):
    others = {"README.md": b"", f"{NAME}_TRAIN.txt": b"x", "__MACOSX/._X_TRAIN.ts": b"x"}
    renamed = {f"folder/Other{name.removeprefix(NAME)}": text for name, text in SPLITS.items()}
    mirror.answers = [zipped(others | renamed)]
    folder = fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url])
    assert splits_in(folder) == SPLITS


def variants(suffix):
    return {name.replace("_T", f"_{suffix}_T"): b"x" for name in SPLITS}


def test_the_exact_name_is_taken_among_variants(cache, mirror):
    packed = {f"{NAME}/{name}": text for name, text in (SPLITS | variants("eq")).items()}
    mirror.answers = [zipped(packed | variants("nmv"))]
    assert splits_in(fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url])) == SPLITS


def test_a_variant_alone_is_other_data(complaint, mirror):
    mirror.answers = [zipped(variants("eq"))]
    assert "does not hold one training and one test file" in complaint(mirror.url)


def test_the_second_mirror_is_reached(cache, mirror, second_mirror):
    mirror.answers = [404]
    fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url, second_mirror.url])
    assert second_mirror.requests.total() == 1


def test_a_passing_failure_is_retried_with_growing_pauses(cache, mirror):
    mirror.answers = [503, 429, WHOLE]
    pauses = []
    fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url], sleep=pauses.append)
    assert pauses == [0, 1, 4]


def test_a_missing_file_is_not_asked_for_again(complaint, mirror):
    mirror.answers = [404]
    assert f"{NAME} cannot be downloaded ({mirror.url}: HTTP Error 404" in complaint(mirror.url)
    assert mirror.requests.total() == 1


def test_every_mirrors_reason_is_told(complaint, mirror):
    mirror.answers = [500]
    address = refusing_address()
    sentence = complaint(address, mirror.url, "nonsense")
    assert re.search(f"{address}: [^;]*Connection refused", sentence)
    assert f"{mirror.url}: HTTP Error 500" in sentence
    assert "nonsense: unknown url type" in sentence
    assert mirror.requests.total() == len(download.PAUSES_S)


def test_a_connection_that_ends_half_way(complaint, mirror):
    mirror.answers, mirror.announced = [WHOLE[:5000]], len(WHOLE)
    assert f"5000 of {len(WHOLE)} bytes" in complaint(mirror.url)


def test_an_interruption_leaves_nothing_behind(cache, mirror):
    def interrupt(seconds):
        if seconds:
            raise KeyboardInterrupt

    mirror.answers = [500]
    with pytest.raises(KeyboardInterrupt):
        fetch_dataset(NAME, cache_dir=cache, mirrors=[mirror.url], sleep=interrupt)
    assert list((cache / "datasets").iterdir()) == []


def flipped(data, position):
    return data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (WHOLE[:5000], "File is not a zip file"),
        (b"<html>Please log in</html>", "File is not a zip file"),
        (flipped(WHOLE, 3000), "Bad CRC-32|the archive is damaged"),
        (zipped({"README.md": "nothing"}), "does not hold one training and one test file"),
        (
            zipped({name: text for name, text in SPLITS.items() if "TRAIN" in name}),
            "does not hold one training and one test file",
        ),
        (zipped(SPLITS | {"../../evil.ts": "x"}), r"'\.\./\.\./evil\.ts' points outside"),
        (zipped(SPLITS | {"/tmp/evil.ts": "x"}), "'/tmp/evil.ts' points outside"),
        (
            zipped({name: text.replace(b"0.", b"?", 1) for name, text in SPLITS.items()}),
            f": {NAME}/{NAME}_TRAIN.ts, row .* is not a number",
        ),
        (
            zipped({name: text[: len(text) // 2] for name, text in SPLITS.items()}),
            f": {NAME}/{NAME}_TRAIN.ts, row",
        ),
    ],
)
def test_bad_archives(complaint, mirror, body, reason):
    mirror.answers = [body]
    sentence = complaint(mirror.url)
    assert re.search(reason, sentence)
    assert f"{NAME} cannot be downloaded ({mirror.url}: " in sentence


def test_the_archives_size_is_bounded(complaint, mirror, monkeypatch):
    monkeypatch.setattr(download, "MAX_FILE_BYTES", len(WHOLE) - 1)
    assert "the archive is larger than" in complaint(mirror.url)


def test_the_unpacked_size_is_bounded(complaint, mirror, monkeypatch):
    monkeypatch.setattr(download, "MAX_FILE_BYTES", len(WHOLE))
    mirror.answers = [zipped({name: bytes(len(WHOLE) + 1) for name in SPLITS})]
    assert f"{NAME}_TRAIN.ts' is larger than" in complaint(mirror.url)


def test_names_outside_the_archive_are_not_asked_for(cache):
    with pytest.raises(DataError, match=r"'\.\./x' is not one of the archive's 128 datasets"):
        fetch_dataset("../x", cache_dir=cache, mirrors=["http://127.0.0.1:9"])


def test_a_cache_that_cannot_be_written(tmp_path, mirror):
    (tmp_path / "datasets").write_text("in the way", encoding="utf-8")
    with pytest.raises(DataError, match="ItalyPowerDemand cannot be written to"):
        fetch_dataset(NAME, cache_dir=tmp_path, mirrors=[mirror.url])
