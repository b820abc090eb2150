import re
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from rntk_bench.benchmark import runner
from rntk_bench.benchmark.cost import timed_estimate
from rntk_bench.benchmark.cost.memory import estimate_memory
from rntk_bench.cli import main
from rntk_bench.config import Experiment
from rntk_bench.datasets import load_dataset
from rntk_bench.methods import METHODS
from rntk_bench.networks import pool
from rntk_bench.storage.records import read_records
from tests.paths import CONFIGS

QUICK = str(CONFIGS / "quick.toml")


def invoke(*arguments, env=None):
    return CliRunner().invoke(main, [str(a) for a in arguments], env=env, catch_exceptions=False)


def test_run_then_table(tmp_path):
    results = tmp_path / "runs"
    done = invoke("run", "-d", "GunPoint", "-c", QUICK, "--results", results)
    assert done.exit_code == 0, done.output
    assert "GunPoint rntk: test" in done.output
    assert len(read_records(results)[0]) == 4
    again = invoke("run", "-d", "GunPoint", "-c", QUICK, "--results", results)
    assert again.output.count("[kept]") == 4
    table = invoke("table", "--results", results)
    assert table.exit_code == 0
    assert "Table 1" in table.output
    assert "GunPoint" in table.output


def test_options_come_from_the_environment_too(tmp_path, write_dataset):
    env = {
        "RNTK_BENCH_RESULTS": str(tmp_path / "elsewhere"),
        "RNTK_BENCH_DATA_DIR": str(write_dataset("Mine")),
        "RNTK_BENCH_CONFIG": QUICK,
        "RNTK_BENCH_JOBS": "1",
    }
    assert invoke("run", "-d", "Mine", "-m", "rbf", "-q", env=env).exit_code == 0
    assert len(read_records(tmp_path / "elsewhere")[0]) == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "--all"),
        (["-d", "GunPoint", "--all"], "-d and --all are 2 selections of datasets"),
        (["--all", "--archive"], "--all and --archive are 2 selections"),
        (["-d", "Nothing*"], "No dataset matches 'Nothing*'"),
        (["-d", "@none.txt"], "none.txt does not exist"),
        (["-d", "GunPoint", "-c", "quik"], "neither a configuration nor a file named 'quik'"),
        (["-d", "GunPoint", "--no-cache", "--cache-limit", "1GiB"], "--cache-limit has no use"),
        (["-d", "GunPoint", "-m", "rnkt"], "rntk"),
        (["-d", "GunPoint", "-j", "0"], "--jobs"),
        (["-d", "GunPoint", "-j", "-5"], "it is -5; give -1 for all cores, or a number from 1"),
        (["-d", "GunPoint", "-j", "100000"], "it is 100000"),
        (["-d", "GunPoint", "--dry-run", "--timeout", "9"], "--timeout has no effect on --dry-run"),
        (["-d", "GunPoint", "--seed", "-1"], "--seed"),
        (["-d", "GunPoint", "--seed", str(2**32)], "--seed"),
        (["-d", "GunPoint", "--timeout", "nan"], "nan is not a finite number"),
        (["-d", "GunPoint", "--timeout", "inf"], "inf is not a finite number"),
        (["-d", "GunPoint", "-c", "none.toml"], "none.toml"),
        (["-d", "GunPoint", "--cache-limit", "much"], "much"),
        (["-d", "GunPoint", "--overwrite", "never"], "--overwrite"),
    ],
)
def test_usage_errors_are_one_sentence_and_exit_2(tmp_path, arguments, named):
    result = invoke("run", *arguments, "--results", tmp_path / "runs")
    assert result.exit_code == 2
    assert named in result.output
    assert "Traceback" not in result.output


def test_a_mistyped_dataset_exits_2_and_the_others_go_on(tmp_path, write_dataset):
    data = write_dataset("Mine")
    result = invoke(
        *("run", "-d", "Minne", "-d", "Mine", "-m", "rbf", "--data-dir", data),
        *("--results", tmp_path / "runs", "-c", QUICK),
    )
    assert result.exit_code == 2
    assert "Minne failed" in result.output
    assert "Mine rbf: test" in result.output


def test_a_failed_evaluation_exits_1(tmp_path, write_dataset):
    config = tmp_path / "huge.toml"
    config.write_text('[experiment]\nmethods = ["rntk"]\n[grid.rntk]\nsigma_w = [1e200]\n')
    result = invoke(
        *("run", "-d", "Mine", "-c", config, "--data-dir", write_dataset("Mine")),
        *("--results", tmp_path / "runs"),
    )
    assert result.exit_code == 1
    assert "Mine rntk failed: No setting" in result.output
    assert result.stderr.splitlines()[-1].startswith(
        "1 of 1 evaluations failed; try them again with"
    )


def test_ctrl_c_keeps_what_is_finished_and_exits_130(tmp_path, write_dataset, monkeypatch):
    data = write_dataset("Mine")
    write_dataset("Other")
    load = runner.load_dataset

    def interrupted(name, **options):
        if name == "Other":
            raise KeyboardInterrupt
        return load(name, **options)

    monkeypatch.setattr(runner, "load_dataset", interrupted)
    result = invoke(
        *("run", "-d", "Mine", "-d", "Other", "-m", "rbf", "--data-dir", data),
        *("--results", tmp_path / "runs"),
    )
    assert result.exit_code == 130
    assert "1 of 2 evaluations are finished" in result.output
    assert len(read_records(tmp_path / "runs")[0]) == 1


def test_dry_run_prints_the_plan_and_computes_nothing(tmp_path):
    result = invoke("run", "-c", QUICK, "--dry-run", "--results", tmp_path / "runs")
    assert result.exit_code == 0
    assert "ItalyPowerDemand" in result.output
    assert "MiB" in result.output
    assert not (tmp_path / "runs").exists()


def test_dry_run_adds_up_each_method_and_announces_long_trials(monkeypatch):
    monkeypatch.setattr(timed_estimate, "measure_correction", lambda *given: 2.0)
    datasets = ("-d", "Coffee", "-d", "GunPoint")
    dry = invoke("run", *datasets, "-m", "rntk", "-m", "ntk", "--dry-run")
    times = {"rntk": 0.0, "ntk": 0.0}
    for line in dry.stdout.splitlines()[1:5]:
        times[line.split()[1]] += float(line.split()[4])
    said = re.search(r"By method: rntk (.*) s, ntk (.*) s\.", dry.stdout)
    assert [float(said[1]), float(said[2])] == pytest.approx(list(times.values()), abs=0.11)
    assert "Timing parts of 4 evaluations, for about 8 s ..." in dry.stderr
    one = invoke("run", "-d", "Coffee", "-m", "rntk", "--dry-run")
    assert "By method" not in one.stdout
    assert "stopped early" not in dry.stdout + one.stdout
    assert not one.stderr


def test_dry_run_says_that_its_times_of_networks_are_not_those_of_an_accelerator(monkeypatch):
    monkeypatch.setattr(pool, "accelerator", lambda: "a GPU")
    plan = ("run", "-c", QUICK, "-d", "Coffee", "--dry-run")
    said = "The times of networks are those of this CPU; a run trains on a GPU."
    assert said in invoke(*plan, "-m", "gru").stdout
    assert said not in invoke(*plan, "-m", "rbf").stdout
    monkeypatch.setattr(pool, "accelerator", lambda: None)
    assert "this CPU" not in invoke(*plan, "-m", "gru").stdout


def test_dry_run_says_what_a_long_plan_takes_on_clusters():
    short, long = (
        invoke("run", "-d", name, "-m", "rntk", "--dry-run", "-j", "1").stdout
        for name in ("Coffee", "StarLightCurves")
    )
    assert "cluster" not in short
    here = int(re.search(r"About (\d+) s with 1 jobs", long)[1])
    times = [int(seconds) for seconds in re.findall(r"(\d+) s on \d+", long.splitlines()[-1])]
    assert len(times) == 3
    assert here > times[0] > times[1] >= times[2] > 0
    assert times[0] >= here / 16 - 1


def test_dry_run_and_run_leave_out_inputs_that_repeat_another(tmp_path, write_dataset):
    data = write_dataset("Mine")
    methods = ("-m", "rntk-shared", "-m", "rntk-multiscale", "--results", tmp_path / "r")
    for more, n_settings in ((("-d", "Mine", "--data-dir", data), 36), (("-d", "Coffee"), 12)):
        dry = invoke("run", *methods, *more, "--dry-run")
        assert dry.exit_code == 0, dry.output
        assert [line.split()[2] for line in dry.stdout.splitlines()[1:3]] == [str(n_settings), "1"]
    assert invoke("run", *methods, "-d", "Mine", "--data-dir", data).exit_code == 0
    shown = " ".join(
        invoke("show", "Mine", "rntk-shared", "--results", tmp_path / "r").stdout.split()
    )
    assert "of 36; other pairs" in shown
    assert "lag_step=1" in shown


def test_dry_run_knows_what_has_a_record(tmp_path, write_dataset, monkeypatch):
    config = tmp_path / "small.toml"
    config.write_text("[grid.rbf]\nalpha = [1]\n[grid.poly]\ndegree = [1]\nr = [1.0]\n")
    data = write_dataset("Mine")
    common = ("run", "-d", "Mine", "-c", config, "--data-dir", data, "--results", tmp_path / "r")
    assert invoke(*common, "-m", "rbf").exit_code == 0

    def planned(*more):
        dry = invoke(*common, "-m", "rbf", "-m", "poly", "--dry-run", *more)
        assert dry.exit_code == 0, dry.output
        return [line.split()[3] for line in dry.stdout.splitlines()[1:3]], dry.stdout

    # The evaluations that are missing share the time for trials.
    monkeypatch.setattr(timed_estimate, "ALL_SECONDS", 0.1)
    trials = []
    monkeypatch.setattr(
        timed_estimate, "measure_correction", lambda *given: trials.append(given[-1]) or 1.0
    )
    jobs = planned("--overwrite", "always")[0]
    assert "kept" not in jobs
    states, said = planned()
    assert states == ["kept", jobs[1]]
    assert said.endswith("1 of 2 evaluations have a record and are kept.\n")
    assert trials == [0.05, 0.05, 0.1]
    (data / "Mine" / "Mine_TRAIN.tsv").write_text((data / "Mine" / "Mine_TEST.tsv").read_text())
    assert planned()[0] == jobs  # the record is of other data


def test_resamples_are_run_kept_and_named(tmp_path, write_dataset):
    results = tmp_path / "runs"
    common = ("run", "-d", "Mine", "-m", "rbf", "--data-dir", write_dataset("Mine"))
    common = (*common, "-c", QUICK, "--results", results)
    done = invoke(*common, "--resample", "1-2,0")
    assert done.exit_code == 0, done.output
    titles = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert titles == ["Mine rbf", "Mine rbf resample 1", "Mine rbf resample 2"]
    again = invoke(*common, "--resample", "0-3")
    assert again.stdout.count("[kept]") == 3
    assert len(list(results.glob("Mine/*.json"))) == 4
    dry = invoke(*common, "--resample", "0-5", "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert dry.stdout.splitlines()[1].endswith("  2 of 6 resamples")
    assert dry.stdout.endswith("4 of 6 evaluations have a record and are kept.\n")
    assert invoke(*common, "--resample", "0-3", "--dry-run").stdout.splitlines()[1].endswith("kept")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("x", "'x' names no resamples; write 3, 0-29 or 0,5,7."),
        ("1,,2", "'1,,2' names no resamples"),
        ("-1", "'-1' names no resamples"),
        ("3-1", "3-1 ends before it starts"),
        ("4294967296", "4294967296 is no seed; the largest is 4294967295"),
        ("0-4294967295", "0-4294967295 are more than 10000"),
    ],
)
@pytest.mark.parametrize("command", ["run", "status"])
def test_what_names_no_resamples_is_refused(command, value, sentence):
    outcome = invoke(command, "-d", "Mine", "--resample", value)
    assert outcome.exit_code == 2
    assert sentence in outcome.stderr


def test_the_archives_split_is_run_without_sktime(tmp_path, write_dataset):
    arguments = ["run", "-d", "Mine", "-m", "rbf", "--data-dir", str(write_dataset("Mine"))]
    code = (
        "import sys; from rntk_bench.cli import main\n"
        f"try: main({[*arguments, '--results', str(tmp_path / 'runs')]})\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "sys.exit('sktime' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_has_a_record_needs_no_memory(tmp_path):
    common = ("run", "-d", "Coffee", "-m", "rbf", "-c", QUICK, "--results", tmp_path)
    assert invoke(*common).exit_code == 0
    for more in ((), ("--dry-run",)):
        assert invoke(*common, "--memory-limit", "1MiB", *more).exit_code == 0
    assert invoke(*common, "--memory-limit", "1MiB", "--overwrite", "always").exit_code == 2


@pytest.mark.parametrize("command", ["run -d Coffee", "gram a.tsv -o b.npy"])
def test_no_memory_at_all_is_refused(command):
    result = invoke(*command.split(), "--memory-limit", "0B")
    assert result.exit_code == 2
    assert "'--memory-limit': it is less than a byte" in result.stderr


def test_a_plan_that_does_not_fit_is_refused_with_the_numbers_before_it_starts(tmp_path):
    results = tmp_path / "runs"
    for also in ((), ("--dry-run",)):
        common = ("-d", "GunPoint", "-d", "CricketY", "-m", "rbf", "--results", results, *also)
        result = invoke("run", *common, "--memory-limit", "20MiB")
        assert result.exit_code == 2
        assert "GunPoint: rbf takes about" in result.stderr
        assert "may take 20.0 MiB" in result.stderr
        assert "(2 evaluations of the plan do not fit.)" in result.stderr
    assert not results.exists()


def test_own_data_that_do_not_fit_fail_and_get_the_jobs_that_fit(tmp_path, write_dataset):
    data = write_dataset("Mine", n=80)
    needs = estimate_memory(load_dataset("Mine", data_dir=data), METHODS["rbf"], Experiment())
    common = ("run", "-d", "Mine", "-m", "rbf", "--data-dir", data, "--results", tmp_path / "runs")
    failed = invoke(*common, "--memory-limit", f"{needs - 1}B")
    assert failed.exit_code == 1
    assert "--memory-limit" in failed.stderr
    done = invoke(*common, "--memory-limit", f"{needs}B", "--overwrite", "failed", "-j", "2")
    assert done.exit_code == 0
    fitting = ("--memory-limit", f"{needs}B", "-j", "2")
    dry = invoke(*common, *fitting, "--overwrite", "always", "--dry-run")
    assert dry.stdout.splitlines()[1].split()[:2] == ["Mine", "rbf"]
    assert dry.stdout.splitlines()[1].split()[3] == "1"


def test_networks_run_and_are_tabled_like_every_other_method(tmp_path, write_dataset):
    results, data = tmp_path / "runs", write_dataset("Mine")
    config = tmp_path / "tiny.toml"
    axes = "n_layers = [1]\nwidth = [4]\nlearning_rate = [0.1]\n"
    config.write_text(f"[network]\nmax_epochs = 3\n[grid.gru]\n{axes}[grid.rbf]\nalpha = [1]\n")
    common = ("-d", "Mine", "-c", config, "-m", "gru", "-m", "rbf", "--data-dir", data)
    plan = invoke("run", *common, "--dry-run", "--results", results)
    assert plan.exit_code == 0
    assert "gru" in plan.output
    done = invoke("run", *common, "--results", results)
    assert done.exit_code == 0, done.output
    assert "Mine gru: test" in done.output
    assert "epochs=" in done.output
    assert not list(results.rglob("*.partial"))
    assert invoke("run", *common, "--results", results).output.count("[kept]") == 2
    table = invoke("table", "1", "--results", results)
    assert "GRU" in table.output
    assert "RBF" in table.output


def test_a_plan_of_networks_says_what_it_takes_if_none_stops_early(tmp_path):
    literal = CONFIGS / "networks-literal.toml"
    result = invoke("run", "-c", literal, "-d", "Coffee", "--dry-run", "--results", tmp_path)
    assert "if no network stopped early" in result.output


@pytest.mark.usefixtures("_interrupts")
def test_ctrl_c_in_the_training_of_a_network_ends_it_at_once(tmp_path):
    config = tmp_path / "small.toml"
    rates = [10.0**-k for k in range(1, 5)]
    config.write_text(f"[grid.gru]\nn_layers = [1]\nwidth = [4]\nlearning_rate = {rates}\n")
    command = (
        *(sys.executable, "-m", "rntk_bench", "run", "-d", "GunPoint", "-m", "gru", "-c", config),
        *("--results", tmp_path / "runs"),
    )
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.rglob("*.partial")):
            assert process.poll() is None
            time.sleep(0.1)
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert time.monotonic() - asked < 5
    assert process.returncode == 130
    assert "0 of 1 evaluations are finished" in said
    assert "Traceback" not in said


def test_all_is_the_papers_list(tmp_path):
    result = invoke("run", "--all", "--dry-run", "-m", "rbf", "--results", tmp_path)
    assert result.exit_code == 0
    assert "MiddlePhalanxOutlineAgeGroup" in result.output
    assert "UWaveGestureLibraryZ" in result.output


def test_help_and_version_are_fast_and_import_nothing_heavy():
    script = (
        "import sys; from rntk_bench.cli import main\n"
        "try: main(['run', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numba', 'sktime', 'sklearn', 'pandas', 'scipy', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--dry-run" in done.stdout
    version = invoke("--version")
    assert version.exit_code == 0
    assert invoke("-h").exit_code == 0


def test_python_dash_m_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "rntk_bench", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Usage: " in done.stdout


def test_a_failed_download_is_said_before_anything_is_compiled(tmp_path, monkeypatch):
    from rntk_bench.benchmark import warmup

    compiled = []
    monkeypatch.setattr(warmup, "warm_up", compiled.append)
    monkeypatch.setenv("RNTK_BENCH_MIRROR", (tmp_path / "nowhere").as_uri())
    monkeypatch.setattr("rntk_bench.datasets.download.PAUSES_S", (0.0,))
    arguments = ("-m", "rbf", "-c", QUICK, "--results", tmp_path / "runs")
    failed = invoke("run", "-d", "Beef", *arguments)
    assert failed.exit_code == 2
    assert "Beef cannot be downloaded" in failed.output
    assert compiled == []
    assert invoke("run", "-d", "GunPoint", *arguments).exit_code == 0
    assert len(compiled) == 1
    assert invoke("run", "-d", "GunPoint", *arguments).exit_code == 0
    assert len(compiled) == 1


def test_a_name_with_a_line_break_takes_one_line(tmp_path):
    failed = invoke("run", "-d", "Gun\nPoint", "-m", "rbf", "--results", tmp_path / "runs")
    assert failed.exit_code == 2
    assert failed.stderr.count("\n") == 1
    assert "Gun\\nPoint" in failed.stderr


def test_an_error_in_a_grid_names_the_configuration(tmp_path):
    path = tmp_path / "mine.toml"
    for table, said in (("rntk]\nsigma = [1]", "grid.rntk.sigma is not"), ("rbff]\n", "no method")):
        path.write_text(f"[grid.{table}\n")
        outcome = invoke("run", "-d", "Coffee", "-c", path)
        assert outcome.exit_code == 2
        assert outcome.stderr.startswith(f"Error: {path}: ")
        assert said in outcome.stderr


def test_ctrl_c_while_the_commands_are_imported_is_no_traceback():
    code = (
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'rntk_bench.cli': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from rntk_bench.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")
