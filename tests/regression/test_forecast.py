import numpy as np
import pytest

from rntk_bench.errors import InputError
from rntk_bench.kernels import RBF
from rntk_bench.methods import KernelMethod
from rntk_bench.regression.experiment import snr
from rntk_bench.regression.forecast import compute_forecast

METHOD = KernelMethod("rbf", {"alpha": (0.01, 0.1, 1.0)}, RBF)


def test_scores_are_those_of_the_predictions():
    values = 7.0 + 3.0 * np.sin(np.arange(240) / 6) + np.linspace(0, 1, 240)
    forecast = compute_forecast(values, [METHOD], window_length=12, n_train=60)
    assert forecast.start == 180
    np.testing.assert_array_equal(forecast.y_true, values[180:])
    (row,) = forecast.scores.itertuples()
    errors = forecast.predictions["rbf"] - values[180:]
    assert row.rmse == pytest.approx(np.sqrt(np.mean(errors**2)))
    assert row.mae == pytest.approx(np.mean(np.abs(errors)))
    mean, std = values[:180].mean(), values[:180].std()
    standardised = (forecast.y_true - mean) / std
    assert row.snr == pytest.approx(snr(standardised, (forecast.predictions["rbf"] - mean) / std))
    assert row.snr > 15
    assert list(forecast.to_frame()["step"]) == list(range(180, 240))


def test_the_unit_does_not_matter_and_no_prediction_depends_on_later_values():
    values = np.sin(np.arange(120) / 4)
    forecast = compute_forecast(values, [METHOD])
    scaled = compute_forecast(5.0 + 1e3 * values, [METHOD])
    np.testing.assert_allclose(
        scaled.predictions["rbf"], 5.0 + 1e3 * forecast.predictions["rbf"], rtol=1e-6
    )
    changed = values.copy()
    changed[100:] = 9.0
    later = compute_forecast(changed, [METHOD])
    np.testing.assert_allclose(
        later.predictions["rbf"][:10], forecast.predictions["rbf"][:10], rtol=1e-9
    )


def test_too_short_and_constant_series_are_refused():
    with pytest.raises(InputError, match="too few"):
        compute_forecast(np.arange(15.0), [METHOD])
    with pytest.raises(InputError, match="too few"):
        compute_forecast(np.arange(3.0), [METHOD])
    with pytest.raises(InputError, match="constant"):
        compute_forecast(np.ones(100), [METHOD])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.full(100, 0.1), "constant"),  # whose standard deviation is not 0 in floating point
        (np.where(np.arange(100) < 75, 3.0, np.arange(100)), "constant"),
        (1e300 * np.sin(np.arange(100)), "too large"),
        (1e-300 * np.sin(np.arange(100)), "too small"),
        (np.where(np.arange(100) < 80, np.sin(np.arange(100)), 1e200), "too far apart"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_values_that_cannot_be_standardised_are_refused(values, sentence):
    with pytest.raises(InputError, match=sentence):
        compute_forecast(values, [METHOD])
