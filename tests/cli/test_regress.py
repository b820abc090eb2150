import os
from math import sin

import numpy as np
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.storage.locks import output_lock

TINY = (
    '[experiment]\nmethods = ["rbf", "poly"]\n[grid.rbf]\nalpha = [0.1]\n'
    "[grid.poly]\ndegree = [1]\nr = [1.0]\n"
)


def invoke(*arguments):
    return CliRunner().invoke(main, ["regress", *map(str, arguments)], catch_exceptions=False)


def config(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def test_a_panel_is_drawn_and_tabled(tmp_path):
    out = tmp_path / "out"
    common = ("-c", config(tmp_path), "--repeats", 3, "-j", 1, "--out", out)
    done = invoke("sine", "--vary", "noise", "--value", 0.1, "--value", 0.01, *common)
    assert done.exit_code == 0, done.output
    assert "RBF" in done.output
    assert sorted(path.name for path in out.iterdir()) == [
        f"sine-noise.{kind}" for kind in ("csv", "pdf", "png")
    ]
    lines = (out / "sine-noise.csv").read_text().splitlines()
    assert lines[0] == "value,method,snr,standard_error,repeats"
    assert [line.split(",")[:2] for line in lines[1:3]] == [["0.01", "rbf"], ["0.01", "poly"]]


def test_eigenvalues_that_do_not_converge_are_one_sentence(tmp_path, monkeypatch):
    def diverge(grams):
        raise np.linalg.LinAlgError("Eigenvalues did not converge")

    monkeypatch.setattr(np.linalg, "eigh", diverge)
    common = ("-c", config(tmp_path), "--repeats", 1, "-j", 1, "--out", tmp_path / "out", "-q")
    done = invoke("sine", "--value", 0, *common)
    assert done.exit_code == 2
    assert done.output == (
        "Error: The eigenvalues of a Gram do not converge; scale the series, or leave out the "
        "settings with extreme parameters.\n"
    )


def test_prices_are_read_from_a_file(tmp_path):
    path = tmp_path / "shares.csv"
    days = [f"{2000 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}" for n in range(1000)]
    path.write_text(
        "Date,Close\n" + "".join(f"{day},{100 + n % 7 + n / 50}\n" for n, day in enumerate(days))
    )
    common = ("-c", config(tmp_path), "--repeats", 1, "-j", 1, "--out", tmp_path / "out", "-q")
    done = invoke("prices", "--prices", path, "--vary", "train", "--value", 10, *common)
    assert (done.exit_code, done.output) == (0, "")
    assert (tmp_path / "out" / "prices-train.png").exists()
    short = tmp_path / "short.csv"
    short.write_text("".join(path.read_text().splitlines(keepends=True)[:900]))
    refused = invoke("prices", "--prices", short, *common)
    assert refused.exit_code == 2
    assert "975" in refused.output


def test_two_commands_do_not_mix_their_repeats(tmp_path):
    out = tmp_path / "out"
    common = ("--value", 0, "-c", config(tmp_path), "--repeats", 1, "-j", 1, "--out", out)
    out.mkdir()
    with output_lock(out / "sine-length.csv"):
        refused = invoke("sine", *common)
        assert refused.exit_code == 3
        assert refused.stderr.startswith(f"Error: Process {os.getpid()} is writing ")
        assert refused.stderr.count("\n") == 1
        assert invoke("sine", "--vary", "train", "--value", 10, *common[2:]).exit_code == 0
    assert not (out / "sine-length.csv").exists()
    assert invoke("sine", *common).exit_code == 0


def test_prices_are_not_overwritten_by_their_curve(tmp_path):
    path = tmp_path / "prices-length.csv"
    path.write_text("Date,Close\n" + "".join(f"{2000 + n}-01-01,{n % 7}\n" for n in range(1000)))
    refused = invoke(
        *("prices", "--prices", path, "-c", config(tmp_path), "--repeats", 1, "--out", tmp_path)
    )
    assert refused.exit_code == 2
    assert "would be overwritten" in refused.stderr
    assert path.read_text().startswith("Date")


def test_the_help_of_prices_offers_what_prices_have(tmp_path):
    assert "sigma_n" in invoke("sine", "-h").output
    assert "sigma_n" not in invoke("prices", "-h").output


def test_usage_errors_are_one_sentence_and_exit_2(tmp_path):
    out = ("--out", tmp_path / "out")
    for arguments, named in (
        (("sine", "-m", "gru"), "kernels only"),
        (("sine", "--value", "1.5"), "integer"),
        (("sine", "--value", "2000", "-m", "rbf", "--repeats", "1", "-j", "1"), "T_var"),
        (("sine", "-j", "0"), "--jobs"),
        (("sine", "--vary", "train", "--value", "1e9", "-m", "rbf"), "use fewer segments"),
        (("prices",), "--prices"),
        (("prices", "--prices", tmp_path / "none.csv"), "none.csv"),
        (("prices", "--prices", "x.csv", "--vary", "noise"), "--vary"),
    ):
        result = invoke(*arguments, *out)
        assert result.exit_code == 2, result.output
        assert named in result.output
        assert "Traceback" not in result.output


def test_the_users_own_series_is_predicted(tmp_path):
    path, out = tmp_path / "load.csv", tmp_path / "out"
    path.write_text("t,my load\n" + "".join(f"{t},{50 + 9 * sin(t / 5)}\n" for t in range(200)))
    done = invoke("csv", path, "--column", "my load", "-m", "rntk", "-m", "rbf", "--out", out)
    assert done.exit_code == 0, done.output
    assert "RNTK" in done.output
    assert "sigma_w=" in done.output
    lines = (out / "load-my_load.csv").read_text().splitlines()
    assert lines[0] == "step,truth,rntk,rbf"
    assert len(lines) == 51
    step, truth, rntk, _ = map(float, lines[1].split(","))
    assert (step, truth) == (150, round(50 + 9 * sin(30), 8))
    assert abs(rntk - truth) < 0.5
    assert (out / "load-my_load.png").exists()
    for arguments, named in (
        (("--column", "none"), "no column"),
        (("--column", "t", "--length", "150"), "too few"),
    ):
        refused = invoke("csv", path, *arguments, "-m", "rbf", "--out", out)
        assert refused.exit_code == 2
        assert named in refused.output


def test_values_that_cannot_be_scored_are_refused(tmp_path):
    days = [f"{2000 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}" for n in range(1000)]
    common = ("-m", "rbf", "-c", config(tmp_path), "--out", tmp_path / "out")
    for values, named in (
        (["0.1"] * 1000, "constant"),
        (["3"] * 750 + ["4"] * 250, "constant"),
        ([f"{n % 5 + 1}e300" for n in range(1000)], "too large"),
    ):
        path = tmp_path / "shares.csv"
        rows = [f"{day},{value}" for day, value in zip(days, values, strict=True)]
        path.write_text("\n".join(["Date,Close", *rows]))
        for arguments in (
            ("prices", "--prices", path, "--repeats", 1, "-j", 1),
            ("csv", path, "--column", "Close"),
        ):
            refused = invoke(*arguments, *common)
            assert refused.exit_code == 2, refused.output
            assert named in refused.output
            assert "nan" not in refused.output
            assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("method", ["rntk-shared", "rntk-multiscale"])
def test_kernels_that_depend_on_the_training_set_are_refused(method, tmp_path):
    refused = invoke("sine", "-m", method, "--out", tmp_path)
    assert refused.exit_code == 2
    assert f"{method} depends on the training series; choose another" in refused.stderr
