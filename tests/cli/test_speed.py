import pytest
from click.testing import CliRunner

from rntk_bench.cli import main


def test_speed_prints_ratios_and_agreement():
    result = CliRunner().invoke(main, ["speed", "-d", "GunPoint", "--kernels", "2"])
    assert result.exit_code == 0, result.output
    assert "Gram         1 thread" in result.output
    assert "times faster" in result.output
    assert "0 of 500 predictions are correct on one side only" in result.output


def test_unequal_lengths_are_refused():
    result = CliRunner().invoke(main, ["speed", "-d", "PLAID", "--kernels", "1"])
    assert result.exit_code == 2
    assert "different lengths" in result.output


def test_a_repeat_of_the_regression_is_timed():
    result = CliRunner().invoke(main, ["speed", "--regression", "--kernels", "3"])
    assert result.exit_code == 0, result.output
    assert "3 kernels and 20 ridges in 5 folds" in result.output
    difference = float(result.output.rsplit(" ", 1)[1].strip(" )\n"))
    assert difference < 1e-4


@pytest.mark.parametrize(
    ("options", "unused", "flag"),
    [
        ("--regression -d Coffee", "--dataset", "--regression"),
        ("--regression --data-dir .", "--data-dir", "--regression"),
        ("--regression --cache-dir .", "--cache-dir", "--regression"),
        ("--regression -m gru", "--method", "--regression"),
        ("--regression -c none.toml", "--config", "--regression"),
        ("--regression --whole", "--whole", "--regression"),
        ("--regression --variants", "--variants", "--regression"),
        ("--variants --kernels 3", "--kernels", "--variants"),
        ("--variants -m gru", "--method", "--variants"),
        ("--variants --whole", "--whole", "--variants"),
        ("--variants -c none.toml", "--config", "--variants"),
        ("-m gru --kernels 3", "--kernels", "--method"),
    ],
)
def test_an_option_without_effect_is_refused(options, unused, flag):
    result = CliRunner().invoke(main, ["speed", *options.split()])
    assert result.exit_code == 2
    assert result.stderr == f"Error: {unused} has no effect with {flag}; leave it out.\n"
