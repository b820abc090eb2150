"""Downloads by sktime's real code, from servers on this machine."""

import errno
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from zipfile import ZipInfo

import pytest

from rntk_bench.datasets import (
    download,
    fetch_dataset,
    load_dataset,
    locate,
    needs_download,
    sktime_process,
)
from rntk_bench.datasets.sktime_process import DownloadError, SktimeProcess
from rntk_bench.errors import DataError, StorageError
from rntk_bench.storage.locks import try_lock
from tests.datasets.loopback import NAME, SPLITS, WHOLE, Hub, Mirror, refusing_address, zipped


@pytest.fixture(scope="module")
def sktime():
    """One process for all tests that do not end it: sktime takes long to import."""
    with pytest.MonkeyPatch.context() as patch, SktimeProcess() as process:
        patch.setenv("no_proxy", "*")
        process.list_sources(NAME, None)
        yield process


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.delenv("RNTK_BENCH_MIRROR", raising=False)


@pytest.fixture
def servers():
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(server)


@pytest.fixture
def mirror(servers):
    return servers(Mirror())


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def fetch(cache, sktime):
    """Fetch from a mirror without pauses."""

    def fetch(mirror, **options):
        options = {"sktime": sktime, "sleep": lambda seconds: None} | options
        return fetch_dataset(NAME, cache_dir=cache, mirror=mirror, **options)

    return fetch


@pytest.fixture
def complaint(cache, fetch):
    """Fetch in vain, check that nothing stays behind, and return the error's sentence."""

    def complain(mirror, **options):
        with pytest.raises(DataError) as caught:
            fetch(mirror, **options)
        assert list((cache / "datasets").iterdir()) == []
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return complain


def splits_in(folder):
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert files.pop("SHA256SUMS")
    return files


def bird_chicken():
    columns = "\t".join(["0.5"] * 512)
    rows = "".join(f"{i % 2}\t{columns}\n" for i in range(20))
    return zipped({f"BirdChicken_{split}.tsv": rows for split in ("TRAIN", "TEST")})


def test_success(cache, fetch, mirror):
    folder = fetch(f"{mirror.url}/")
    assert folder == cache / "datasets" / NAME
    assert splits_in(folder) == SPLITS
    assert [path.name for path in folder.parent.iterdir()] == [NAME]
    assert mirror.requests == {f"/TSC/{NAME}.zip": 1}


def test_the_cache_is_asked_first(cache, fetch, mirror):
    for _ in range(2):
        fetch(mirror.url)
    assert mirror.requests.total() == 1
    assert load_dataset(NAME, cache_dir=cache).source == "cache"


@pytest.mark.parametrize("damage", [lambda text: text[:-30], lambda text: text.replace(b"3", b"4")])
def test_a_download_that_was_damaged_since_is_downloaded_again(cache, fetch, mirror, damage):
    folder = fetch(mirror.url)
    path = folder / f"{NAME}_TEST.ts"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match="is damaged on this machine"):
        load_dataset(NAME, cache_dir=cache, download=False)
    assert needs_download(locate(NAME, cache_dir=cache))
    fetch(mirror.url)
    assert splits_in(folder) == SPLITS
    assert mirror.requests.total() == 2


def test_a_download_without_digests_is_taken_as_it_is(cache, fetch, mirror):
    folder = fetch(mirror.url)
    (folder / "SHA256SUMS").unlink()
    assert not needs_download(locate(NAME, cache_dir=cache))


def test_the_half_download_of_a_killed_process_is_removed(cache, fetch, mirror):
    left = cache / "datasets" / ".Beef.partial"
    left.mkdir(parents=True)
    (left / "Beef_TRAIN.ts").write_text("half")
    folder = fetch(mirror.url)
    assert list(folder.parent.iterdir()) == [folder]


def test_a_download_under_way_elsewhere_is_waited_for(cache, fetch, sktime, mirror):
    elsewhere = cache / "elsewhere"
    other = fetch_dataset(NAME, cache_dir=elsewhere, mirror=mirror.url, sktime=sktime)
    (cache / "datasets").mkdir()
    waited = []

    def arrive(seconds):
        waited.append(seconds)
        other.rename(cache / "datasets" / NAME)

    with try_lock(cache / "datasets" / f".{NAME}.lock"):
        fetch(mirror.url, sleep=arrive)
    assert len(waited) == 1
    assert mirror.requests.total() == 1


def test_loading_downloads_from_the_mirror_in_the_environment(cache, mirror, monkeypatch):
    mirror.answers = [bird_chicken()]
    monkeypatch.setenv("RNTK_BENCH_MIRROR", f"{mirror.url}/")
    assert load_dataset("BirdChicken", cache_dir=cache).source == "download"
    assert load_dataset("BirdChicken", cache_dir=cache).source == "cache"
    assert mirror.requests == {"/TSC/BirdChicken.zip": 1}


@pytest.mark.parametrize("left_over", [[], [f"{NAME}_TRAIN.ts"]])
def test_left_over_folders_are_replaced(cache, fetch, mirror, left_over):
    folder = cache / "datasets" / NAME
    folder.mkdir(parents=True)
    for name in left_over:
        (folder / name).write_text("half a file", encoding="utf-8")
    fetch(mirror.url)
    assert splits_in(folder) == SPLITS


def test_other_stems_folders_and_formats_in_the_archive(fetch, mirror):
    others = {"README.md": b"", f"{NAME}_TRAIN.txt": b"x", "__MACOSX/._X_TRAIN.ts": b"x"}
    renamed = {f"folder/Other{name.removeprefix(NAME)}": text for name, text in SPLITS.items()}
    mirror.answers = [zipped(others | renamed)]
    assert splits_in(fetch(mirror.url)) == SPLITS


def variants(suffix):
    return {name.replace("_T", f"_{suffix}_T"): b"x" for name in SPLITS}


def test_the_exact_name_is_taken_among_variants(fetch, mirror):
    packed = {f"{NAME}/{name}": text for name, text in (SPLITS | variants("eq")).items()}
    mirror.answers = [zipped(packed | variants("nmv"))]
    assert splits_in(fetch(mirror.url)) == SPLITS


def test_a_variant_alone_is_other_data(complaint, mirror):
    mirror.answers = [zipped(variants("eq"))]
    assert "does not hold one training and one test file" in complaint(mirror.url)


def test_a_failure_that_may_pass_is_tried_again_after_a_pause(fetch, mirror):
    mirror.answers = [503, WHOLE]
    pauses = []
    fetch(mirror.url, sleep=pauses.append)
    assert pauses == [0, 2]


@pytest.mark.parametrize(
    ("status", "n_tries"), [(404, 1), (403, 1), (429, 2), (408, 2), (500, 2), (503, 2)]
)
def test_only_what_may_pass_is_tried_again(complaint, mirror, status, n_tries):
    mirror.answers = [status]
    said = f"{NAME} cannot be downloaded ({mirror.url}/{NAME}.zip: HTTP Error {status}"
    assert said in complaint(mirror.url)
    assert mirror.requests.total() == n_tries


def test_addresses_at_which_nobody_listens_and_that_are_none(complaint):
    assert re.search("http://127[^;]*: [^;]*Connection refused", complaint(refusing_address()))
    assert f"nonsense/{NAME}.zip: unknown url type" in complaint("nonsense")


def test_a_connection_that_ends_half_way(complaint, mirror):
    mirror.answers, mirror.announced = [WHOLE[:5000]], len(WHOLE)
    assert f"got only 5000 out of {len(WHOLE)} bytes" in complaint(mirror.url)
    assert mirror.requests.total() == 2


def flipped(data, position):
    return data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (WHOLE[:5000], "File is not a zip file"),
        (b"<html>Please log in</html>", "File is not a zip file"),
        (flipped(WHOLE, 3000), "Bad CRC-32|while decompressing"),
        (zipped({"README.md": "nothing"}), "does not hold one training and one test file"),
        (
            zipped({name: text for name, text in SPLITS.items() if "TRAIN" in name}),
            "does not hold one training and one test file",
        ),
        (
            zipped({name: text.replace(b"0.", b"?", 1) for name, text in SPLITS.items()}),
            f": {NAME}/{NAME}_TRAIN.ts, row .* is not a number",
        ),
        (
            zipped({name: text[: len(text) // 2] for name, text in SPLITS.items()}),
            f": {NAME}/{NAME}_TRAIN.ts, row",
        ),
        (
            zipped({name: text.rsplit(b"\n", 9)[0] for name, text in SPLITS.items()}),
            "the archive's ItalyPowerDemand has 67 training series, but this copy has",
        ),
    ],
)
def test_bad_archives(complaint, mirror, body, reason):
    mirror.answers = [body]
    sentence = complaint(mirror.url)
    assert re.search(reason, sentence)
    assert f"{NAME} cannot be downloaded ({mirror.url}/{NAME}.zip: " in sentence


OUTSIDE = (
    "../evil",
    "../../../../../evil",
    "/tmp/rntk-bench-evil",
    "a/../../../../evil",
    "..\\evil",
)


@pytest.mark.parametrize("entry", OUTSIDE)
def test_entries_that_point_outside_stay_inside_and_are_dropped(tmp_path, fetch, mirror, entry):
    mirror.answers = [zipped(SPLITS | {f"{entry}.ts": "x"})]
    assert splits_in(fetch(mirror.url)) == SPLITS
    assert [path for path in tmp_path.rglob("*") if "evil" in path.name] == []
    assert not Path("/tmp/rntk-bench-evil.ts").exists()


def test_a_link_in_an_archive_is_not_followed(tmp_path, complaint, mirror):
    (tmp_path / "secret").write_bytes(SPLITS[f"{NAME}_TRAIN.ts"])
    link = ZipInfo(f"{NAME}_TRAIN.ts")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    entries = {link: str(tmp_path / "secret"), f"{NAME}_TEST.ts": SPLITS[f"{NAME}_TEST.ts"]}
    mirror.answers = [zipped(entries)]
    assert f"{NAME}_TRAIN.ts, row 1: there are values before the @data line" in complaint(
        mirror.url
    )


@pytest.mark.parametrize(
    "entries",
    [{f"{NAME}_TRAIN.ts": bytes(2**26)}, {f"{i}.ts": b"" for i in range(500)}],
    ids=["bytes", "files"],
)
def test_what_is_unpacked_is_bounded(complaint, mirror, monkeypatch, entries):
    monkeypatch.setattr(sktime_process, "MAX_BYTES", 2**20)
    mirror.answers = [zipped(SPLITS | entries)]
    assert "it takes more than 1 MiB" in complaint(mirror.url)
    assert mirror.requests.total() == 1


@pytest.fixture
def use_addresses(monkeypatch):
    """Put other addresses in place of those that sktime knows, in processes that start later."""
    command = sktime_process._COMMAND

    def use(*addresses):
        replaced = f"_data_io.CLASSIF_URLS = {list(addresses)!r}"
        script = f"from sktime.datasets import _data_io\n{replaced}\n{command}"
        monkeypatch.setattr(sktime_process, "_COMMAND", script)

    return use


def test_sktimes_addresses_are_tried_in_turn(fetch, complaint, servers, monkeypatch, use_addresses):
    stalling, missing, damaged, good = (servers(Mirror()) for _ in range(4))
    stalling.stalls = True
    missing.answers = [404]
    damaged.answers = [b"no zip"]
    hub = servers(Hub({}))
    hub.down = 404
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    use_addresses(stalling.url, missing.url, damaged.url)
    with monkeypatch.context() as patch:
        patch.setattr(sktime_process, "STALL_S", 2.0)
        sentence = complaint(None, sktime=None)
    assert stalling.left.wait(10)
    assert "(Hugging Face sktime/tsc-datasets: " in sentence
    assert f"{stalling.url}/{NAME}.zip: no byte arrived for 2 s; " in sentence
    assert f"{missing.url}/{NAME}.zip: HTTP Error 404: Not Found; " in sentence
    assert f"{damaged.url}/{NAME}.zip: File is not a zip file)" in sentence
    use_addresses(missing.url, damaged.url, good.url, stalling.url)
    assert splits_in(fetch(None, sktime=None)) == SPLITS
    assert [each.requests.total() for each in (stalling, missing, damaged, good)] == [2, 2, 4, 1]


def test_the_hub_is_asked_before_the_archives(
    tmp_path, cache, fetch, servers, mirror, monkeypatch, use_addresses
):
    pytest.importorskip("huggingface_hub", minversion="2.0")
    others = {"README.md": b"#", "Beef/Beef_TRAIN.ts": b"x", f"{NAME}/{NAME}.txt": b"About it."}
    files = others | {f"{NAME}/{name}": text for name, text in SPLITS.items()}
    hub = servers(Hub(files))
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    use_addresses(mirror.url)
    with SktimeProcess() as sktime:
        assert splits_in(fetch(None, sktime=sktime)) == SPLITS
        assert [path for path in hub.requests if "/resolve/" in path and NAME not in path] == []
        assert mirror.requests.total() == 0
        unusable = {
            "down": files,
            "without it": others,
            "damaged": files | {f"{NAME}/{NAME}_TEST.ts": b"x"},
            "pointing outside": files | {f"{NAME}/../../../../../evil.ts": b"x"},
        }
        for n_requests, (what, hub.files) in enumerate(unusable.items(), start=1):
            hub.down = 404 if what == "down" else 0
            shutil.rmtree(cache)
            assert splits_in(fetch(None, sktime=sktime)) == SPLITS
            assert mirror.requests.total() == n_requests, what
    assert [path for path in tmp_path.rglob("*") if "evil" in path.name] == []


def test_a_missing_package_is_a_reason_and_a_hint(complaint, monkeypatch):
    class Lacking(SktimeProcess):
        def list_sources(self, name, mirror):
            return {"Hugging Face sktime/tsc-datasets": "huggingface-hub>=2.0"}

    reason = "needs huggingface-hub>=2.0, pip install 'rntk-bench[hub]'"
    assert f"(Hugging Face sktime/tsc-datasets: {reason})" in complaint(None, sktime=Lacking())
    monkeypatch.setattr(download, "has_hub", lambda: False)
    assert "pip install 'rntk-bench[hub]'" in download.missing_source_hint()
    monkeypatch.setenv("RNTK_BENCH_MIRROR", "https://example.org")
    assert download.missing_source_hint() == ""


def test_another_sktime_is_said_to_be_the_reason(complaint, monkeypatch):
    command = "from sktime.datasets import _data_io\ndel _data_io._cache_dataset\n"
    monkeypatch.setattr(sktime_process, "_COMMAND", command + sktime_process._COMMAND)
    sentence = complaint(None, sktime=None)
    assert "(sktime: module 'sktime.datasets._data_io' has no attribute" in sentence


def test_a_full_disk_is_not_the_sources_fault(cache, fetch):
    asked = []

    class Full(SktimeProcess):
        def list_sources(self, name, mirror):
            return {"first": None, "second": None}

        def download(self, name, mirror, source, folder):
            asked.append(source)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StorageError, match=r"No space .* --cache-dir"):
        fetch(None, sktime=Full())
    assert asked == ["first"]
    assert list((cache / "datasets").iterdir()) == []


def test_names_outside_the_archive_are_not_asked_for(cache):
    with pytest.raises(DataError, match=r"'\.\./x' is not one of the archive's 128 datasets"):
        fetch_dataset("../x", cache_dir=cache, mirror="http://127.0.0.1:9")


def test_a_cache_that_cannot_be_written(tmp_path, mirror):
    (tmp_path / "datasets").write_text("in the way", encoding="utf-8")
    with pytest.raises(StorageError, match="ItalyPowerDemand cannot be written to"):
        fetch_dataset(NAME, cache_dir=tmp_path, mirror=mirror.url)


def test_an_interruption_leaves_nothing_behind(cache, fetch, mirror):
    def interrupt(seconds):
        if seconds:
            raise KeyboardInterrupt

    mirror.answers = [500]
    with pytest.raises(KeyboardInterrupt):
        fetch(mirror.url, sleep=interrupt)
    assert list((cache / "datasets").iterdir()) == []


FETCH = (sys.executable, "-m", "rntk_bench", "fetch", "BirdChicken")


@pytest.fixture
def start(cache, monkeypatch, mirror):
    """Start `rntk-bench fetch` in a process of its own."""
    monkeypatch.setenv("RNTK_BENCH_MIRROR", mirror.url)
    with ExitStack() as stack:

        def start():
            process = subprocess.Popen(
                [*FETCH, "--cache-dir", cache],
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,  # a group of processes, to which a terminal sends Ctrl-C
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.usefixtures("_interrupts")
@pytest.mark.parametrize(
    ("send", "number", "code"),
    [("killpg", signal.SIGINT, 130), ("kill", signal.SIGTERM, 143)],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_a_signal_ends_a_download_and_leaves_nothing(cache, start, mirror, send, number, code):
    mirror.stalls = True
    process = start()
    assert mirror.stalled.wait(60)
    getattr(os, send)(process.pid, number)
    assert process.wait(30) == code
    assert process.stderr.read() == "Interrupted.\n"
    assert mirror.left.wait(10)
    assert list((cache / "datasets").iterdir()) == []


def test_a_killed_command_ends_the_download_and_the_next_one_starts_afresh(cache, start, mirror):
    mirror.answers, mirror.stalls = [bird_chicken()], True
    killed = start()
    assert mirror.stalled.wait(60)
    killed.kill()
    assert mirror.left.wait(30)
    assert [path.name for path in (cache / "datasets").iterdir() if path.suffix == ".partial"]
    mirror.stalls = False
    assert start().wait(60) == 0
    assert [path.name for path in (cache / "datasets").iterdir()] == ["BirdChicken"]


def test_two_commands_share_one_download(cache, start, mirror):
    mirror.answers = [bird_chicken()]
    assert [process.wait(60) for process in [start(), start()]] == [0, 0]
    assert mirror.requests.total() == 1
    assert [path.name for path in (cache / "datasets").iterdir()] == ["BirdChicken"]


def test_a_process_that_was_ended_is_started_again(fetch, sktime, mirror):
    sktime._process.kill()
    with pytest.raises(DownloadError, match="was ended from outside"):
        sktime.list_sources(NAME, mirror.url)
    assert splits_in(fetch(mirror.url)) == SPLITS
