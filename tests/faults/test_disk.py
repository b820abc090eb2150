"""Full disks and folders that cannot be written: said at once, and what is stored is kept."""

import resource
import subprocess
import threading
from contextlib import contextmanager, suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from zipfile import ZipFile

import numpy as np
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.datasets import ARCHIVE
from rntk_bench.storage.locks import try_lock
from tests.faults import process_harness
from tests.faults.conftest import write_dataset


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


@contextmanager
def files_up_to(n_bytes):
    """No file of this process can grow larger: what a full disk or a quota does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def mounted(folder, *options):
    """A file system of its own at the folder; skips the test where that is not allowed."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", *options, "none", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a file system cannot be mounted here: {error}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder):
    """Leave no room at all."""
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def assert_stopped(outcome, reason):
    assert outcome.exit_code == 3, outcome.output
    assert reason in outcome.stderr
    assert "evaluations are finished and kept in" in outcome.stderr
    assert "Traceback" not in outcome.output


def test_a_record_that_does_not_fit_ends_the_run_and_the_others_stay(plan, tmp_path):
    first = invoke(*plan.arguments(tmp_path, "-d", "A", "-m", "rntk"))
    assert first.exit_code == 0
    kept = process_harness.records(tmp_path / "results")
    with files_up_to(1000):
        outcome = invoke(*plan.arguments(tmp_path, "--no-cache"))
    assert_stopped(outcome, "Cannot write the record")
    assert "1 of 12 evaluations are finished" in outcome.stderr
    assert outcome.stderr.startswith("Error: Cannot write the record")
    assert process_harness.records(tmp_path / "results") == kept
    assert process_harness.files(tmp_path / "results") == set(kept)
    assert invoke(*plan.arguments(tmp_path)).exit_code == 0
    assert process_harness.records(tmp_path / "results") == plan.undisturbed


def test_a_full_disk_is_noticed_before_anything_is_computed(plan, tmp_path, no_cell):
    with mounted(tmp_path / "results", "-o", "size=64k") as results:
        fill(results)
        outcome = invoke(*plan.arguments(tmp_path))
        assert_stopped(outcome, "No space left on device")


def test_a_disk_that_fills_up_ends_the_run_and_what_is_stored_stays(plan, tmp_path):
    with mounted(tmp_path / "results", "-o", "size=40k") as results:
        outcome = invoke(*plan.arguments(tmp_path))
        assert_stopped(outcome, "No space left on device")
        kept = process_harness.records(results)
        assert 0 < len(kept) < 12
        assert f"{len(kept)} of 12 evaluations are finished" in outcome.stderr
        assert kept.items() <= plan.undisturbed.items()
        assert process_harness.files(results) == set(kept)


def test_a_checkpoint_that_does_not_fit_is_no_failed_evaluation(tmp_path):
    write_dataset(tmp_path, "A", n=8, length=5)
    grid = "[grid.gru]\nn_layers = [1]\nwidth = [2]\nlearning_rate = [0.1]\n"
    (tmp_path / "tiny.toml").write_text(f"[network]\nmax_epochs = 1\nn_folds = 2\n{grid}")
    with files_up_to(100):
        outcome = invoke(
            *("run", "-d", "A", "-m", "gru", "-c", tmp_path / "tiny.toml", "--data-dir", tmp_path),
            *("--results", tmp_path / "results", "-j", 1),
        )
    assert_stopped(outcome, ".partial: File too large")
    assert process_harness.files(tmp_path / "results") == set()


@pytest.mark.parametrize("kind", ["bounded", "full"])
def test_a_full_cache_is_turned_off_and_the_run_goes_on(plan, tmp_path, kind):
    if kind == "bounded":  # records fit, Grams do not
        with files_up_to(20_000):
            outcome = invoke(*plan.arguments(tmp_path))
    else:
        (tmp_path / "cache").mkdir()
        with mounted(tmp_path / "cache", "-o", "size=100k,mode=700"):
            outcome = invoke(*plan.arguments(tmp_path))
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stderr.count("Gram matrices are no longer stored") == 1
    assert process_harness.records(tmp_path / "results") == plan.undisturbed


@pytest.fixture
def mirror(tmp_path):
    """The address of a server that has the dataset Beef."""
    name, entry = "Beef", ARCHIVE["Beef"]
    rng = np.random.default_rng(0)
    (tmp_path / "mirror").mkdir()
    with ZipFile(tmp_path / "mirror" / f"{name}.zip", "w") as archive:
        for split, n in (("TRAIN", entry.n_train), ("TEST", entry.n_test)):
            rows = [
                "\t".join(map(repr, [1 + i % entry.n_classes, *rng.random(entry.length).tolist()]))
                for i in range(n)
            ]
            archive.writestr(f"{name}_{split}.tsv", "\n".join(rows))

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path / "mirror"))

        def log_message(self, *arguments):
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *arguments):
            """Clients may go away."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", ["bounded", "full"])
def test_a_download_that_does_not_fit_says_so(tmp_path, mirror, monkeypatch, kind):
    monkeypatch.setenv("RNTK_BENCH_MIRROR", mirror)
    cache = tmp_path / "cache"
    if kind == "bounded":
        with files_up_to(50_000):
            outcome = invoke("fetch", "Beef", "--cache-dir", cache)
        assert "File too large" in outcome.stderr
        assert list((cache / "datasets").iterdir()) == []
    else:
        with mounted(cache, "-o", "size=200k"):
            outcome = invoke("fetch", "Beef", "--cache-dir", cache)
            assert list((cache / "datasets").iterdir()) == []
        assert "No space left on device" in outcome.stderr
    assert outcome.exit_code == 3
    assert outcome.stderr.startswith("Error: The download of Beef cannot be written to")
    assert outcome.stderr.count("\n") == 1
    assert invoke("fetch", "Beef", "--cache-dir", cache).exit_code == 0


@pytest.fixture
def no_cell(monkeypatch):
    """Fails a test that computes anything."""

    def computed(*arguments, **options):
        pytest.fail("something was computed first")

    for place in (
        "benchmark.backend.KernelEvaluation",
        "regression.snr_curves.run_repeat",
        "theory.convergence.compute_convergence",
        "theory.training_dynamics.compute_training_dynamics",
        "theory.sensitivity.figure_3_curves",
        "theory.sensitivity.dataset_sensitivity",
        "regression.forecast.compute_forecast",
    ):
        monkeypatch.setattr(f"rntk_bench.{place}", computed)


@pytest.fixture(params=["below a file", "read-only"])
def unwritable(request, tmp_path):
    """A folder that even the superuser cannot write to."""
    if request.param == "below a file":
        (tmp_path / "file").write_text("in the way")
        yield tmp_path / "file" / "folder"
        return
    folder = tmp_path / "read-only"
    with mounted(folder, "-o", "ro,mode=700"):
        yield folder


def test_results_that_cannot_be_written_are_noticed_at_the_start(
    plan, tmp_path, unwritable, no_cell
):
    outcome = invoke(*plan.arguments(tmp_path, "--results", unwritable))
    assert_stopped(outcome, f"Cannot write the record {unwritable}")
    assert "0 of 12 evaluations" in outcome.stderr


def test_complete_results_may_be_read_only(plan, tmp_path):
    results = tmp_path / "results"
    assert invoke(*plan.arguments(tmp_path)).exit_code == 0
    with mounted(tmp_path / "bind", "-o", "size=1m") as bind:
        subprocess.run(["mount", "--bind", str(results), str(bind)], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", str(bind)], check=True)
        try:
            outcome = invoke(*plan.arguments(tmp_path, "--results", bind))
        finally:
            subprocess.run(["umount", str(bind)], check=True)
    assert outcome.exit_code == 0, outcome.output
    assert outcome.output.count("[kept]") == 12


def test_a_cache_that_cannot_be_written_is_said_at_the_start(plan, tmp_path, unwritable):
    outcome = invoke(*plan.arguments(tmp_path, "--cache-dir", unwritable, "-d", "A"))
    assert outcome.exit_code == 0, outcome.output
    assert outcome.output.startswith("Warning: Gram matrices are no longer stored")
    assert outcome.output.count("Warning") == 1


CSV = "Close\n" + "\n".join(map(str, range(200))) + "\n"


@pytest.mark.parametrize(
    "command",
    [
        ("figure", "2", "--quick"),
        ("figure", "3", "--quick"),
        ("figure", "training", "--quick"),
        ("regress", "sine", "--repeats", 10, "-j", 1),
        ("regress", "csv", "CSV", "--column", "Close"),
        ("sensitivity", "-d", "A", "--data-dir", "DATA"),
    ],
    ids=lambda command: " ".join(map(str, command[:2])),
)
def test_every_command_notices_its_folder_at_the_start(
    plan, tmp_path, unwritable, no_cell, command
):
    (tmp_path / "own.csv").write_text(CSV)
    places = {"CSV": tmp_path / "own.csv", "DATA": plan.data}
    outcome = invoke(*(places.get(word, word) for word in command), "--out", unwritable)
    assert outcome.exit_code == 3, outcome.output
    assert outcome.stderr.startswith(f"Error: Cannot write {unwritable}")
    assert outcome.stderr.count("\n") == 1


def test_a_record_that_another_process_writes_is_not_removed(plan, tmp_path):
    (tmp_path / "results" / "A").mkdir(parents=True)
    with try_lock(tmp_path / "results" / "A" / ".other.json.0123456789ab.tmp"):
        assert invoke(*plan.arguments(tmp_path, "-d", "A", "-m", "rbf")).exit_code == 0
        assert (tmp_path / "results" / "A" / ".other.json.0123456789ab.tmp").exists()


def test_a_gram_that_does_not_fit_is_refused_before_it_is_begun(tmp_path):
    series = tmp_path / "series.tsv"
    np.savetxt(series, np.random.default_rng(0).standard_normal((300, 8)), delimiter="\t")
    with files_up_to(100_000):
        outcome = invoke(
            "gram", series, "--no-labels", "-m", "rntk", "-o", tmp_path / "gram.npy", "-j", "1"
        )
    assert outcome.exit_code == 3, outcome.output
    assert "gram.npy.unfinished" in outcome.stderr
    assert "Traceback" not in outcome.output
    assert not (tmp_path / "gram.npy").exists()
