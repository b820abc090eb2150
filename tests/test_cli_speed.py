from click.testing import CliRunner

from rntk_bench.cli import main


def test_speed_prints_ratios_and_agreement():
    result = CliRunner().invoke(main, ["speed", "-d", "GunPoint", "--kernels", "2"])
    assert result.exit_code == 0, result.output
    assert "Gram         1 thread" in result.output
    assert "times faster" in result.output
    assert "0 of 500 predictions differ" in result.output


def test_unequal_lengths_are_refused():
    result = CliRunner().invoke(main, ["speed", "-d", "PLAID", "--kernels", "1"])
    assert result.exit_code == 2
    assert "different lengths" in result.output
