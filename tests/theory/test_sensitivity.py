import math
from dataclasses import replace

import numpy as np
import pytest

from rntk_bench import RNTK
from rntk_bench.datasets import Dataset, InputScaling
from rntk_bench.errors import DataError, KernelError
from rntk_bench.kernels.gradients.inputs import input_gradient
from rntk_bench.theory.sensitivity import (
    FIGURE_3_VALUES,
    REFERENCE_KERNELS,
    SensitivityProfile,
    dataset_sensitivity,
    figure_3_curves,
    step_sensitivity,
)


def dataset(lengths, classes=2, dimensions=()):
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((T, *dimensions)) for T in lengths]
    if len(set(lengths)) == 1:
        X = np.stack(X)
    y = np.arange(len(lengths)) % classes
    return Dataset("Test", X, y, X, y, tuple("abc"[:classes]), "folder")


def curve(frame, pairs="all", column="sensitivity"):
    return frame.loc[frame["pairs"] == pairs, column].to_numpy()


def test_sensitivity_is_the_norm_of_each_steps_gradient():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((2, 3, 5, 4))
    gradient = input_gradient(RNTK(), X, Y)
    s = step_sensitivity(RNTK(), X, Y)
    assert s.shape == (3, 5)
    np.testing.assert_allclose(s**2, (gradient**2).sum(axis=2))
    one = step_sensitivity(RNTK(), X[..., 0], Y[..., 0])
    np.testing.assert_array_equal(one, np.abs(input_gradient(RNTK(), X[..., 0], Y[..., 0])))


def test_figure_3_has_eight_panels_around_two_centres():
    curves = figure_3_curves(seed=0, n_pairs=2, n_steps=6)
    panels = curves.groupby(["activation", "parameter"])
    assert panels.ngroups == 8
    for (activation, parameter), panel in panels:
        assert tuple(panel["value"].unique()) == FIGURE_3_VALUES[activation][parameter]
        centre = panel[panel["centre"]]
        assert centre["value"].unique() == [getattr(REFERENCE_KERNELS[activation], parameter)]
        assert list(centre["step"]) == [1, 2, 3, 4, 5, 6]
        assert (panel.groupby("value")["normalised"].max() == 1.0).all()
    # All panels of a row have the same curve in their centre.
    for _, row in curves[curves["centre"]].groupby("activation"):
        assert row.groupby("step")["sensitivity"].nunique().eq(1).all()


def test_figure_3_repeats_with_its_seed():
    first, again, other = (figure_3_curves(seed, 2, 4) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def test_figure_3_shows_what_the_paper_says():
    curves = figure_3_curves(seed=0, n_pairs=50)

    def first_thirds(activation, parameter):
        chosen = curves[(curves["activation"] == activation) & (curves["parameter"] == parameter)]
        return [
            SensitivityProfile.from_sensitivity(curve["sensitivity"].to_numpy()).thirds[0]
            for _, curve in chosen.groupby("value")
        ]

    # A smaller sigma_w moves ReLU's sensitivity to the last steps, a larger one to the first.
    fractions = first_thirds("relu", "sigma_w")
    assert fractions == sorted(fractions)
    assert fractions[0] < 0.02
    assert fractions[-1] > 0.6
    # sigma_h makes the first steps less important, for erf more so.
    for activation in ("relu", "erf"):
        fractions = first_thirds(activation, "sigma_h")
        assert fractions == sorted(fractions, reverse=True)
    # Without biases and sigma_h, sigma_u merely scales ReLU's kernel.
    fractions = first_thirds("relu", "sigma_u")
    np.testing.assert_allclose(fractions, fractions[0])


def test_all_pairs_of_a_small_dataset_are_drawn_once():
    data = dataset([6] * 4)
    frame = dataset_sensitivity(data, RNTK(1.3), n_pairs=1000)
    X = InputScaling("unit-norm")(data.X_train)
    x, y = np.nonzero(~np.eye(4, dtype=bool))
    s = step_sensitivity(RNTK(1.3), X[x], X[y])
    same = data.y_train[x] == data.y_train[y]
    for name, rows in (("all", s), ("same class", s[same]), ("different classes", s[~same])):
        np.testing.assert_allclose(curve(frame, name), rows.mean(axis=0))
        assert (curve(frame, name, "n") == len(rows)).all()
        normalised = rows.mean(axis=0) / s.mean(axis=0).max()
        np.testing.assert_allclose(curve(frame, name, "normalised"), normalised)
    assert list(curve(frame, column="step")) == [1, 2, 3, 4, 5, 6]


def test_different_lengths_count_back_from_the_last_step():
    data = dataset([3, 5, 4], dimensions=(2,))
    frame = dataset_sensitivity(data, RNTK(), n_pairs=6)
    assert list(curve(frame, column="step")) == [-4, -3, -2, -1, 0]
    assert list(curve(frame, column="n")) == [2, 4, 6, 6, 6]
    X = InputScaling("unit-norm")(data.X_train)
    first = [step_sensitivity(RNTK(), X[1][None], X[j][None])[0, 0] for j in (0, 2)]
    np.testing.assert_allclose(curve(frame)[0], np.mean(first))


def test_a_seed_draws_the_same_pairs_again():
    data = dataset([5] * 20)
    first, again, other = (dataset_sensitivity(data, RNTK(), 10, seed) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)
    assert (curve(first, column="n") == 10).all()


def test_groups_without_pairs_are_left_out():
    frame = dataset_sensitivity(dataset([4] * 3, classes=1), RNTK())
    assert set(frame["pairs"]) == {"all", "same class"}


def test_a_single_series_and_a_constant_kernel_are_refused():
    with pytest.raises(DataError, match="Test has a single training series"):
        dataset_sensitivity(dataset([4]), RNTK())
    with pytest.raises(KernelError, match="does not depend on the series of Test"):
        dataset_sensitivity(dataset([4, 4]), replace(RNTK(), sigma_u=0.0))


@pytest.mark.parametrize(
    ("s", "thirds", "ratio", "early_steps"),
    [
        ([1, 1, 2, 2, 3, 3], (2 / 12, 4 / 12, 6 / 12), 3.0, "level"),
        ([1, 5, 20], (1 / 26, 5 / 26, 20 / 26), 20.0, "vanish"),
        ([20, 5, 1], (20 / 26, 5 / 26, 1 / 26), 20.0, "explode"),
        ([0, 1, 1], (0.0, 0.5, 0.5), math.inf, "vanish"),
        ([1, 19], (0.05, 0.0, 0.95), 19.0, "vanish"),
        ([2], (1.0, 0.0, 1.0), 1.0, "level"),
    ],
)
def test_profile(s, thirds, ratio, early_steps):
    profile = SensitivityProfile.from_sensitivity(np.array(s, dtype=float))
    np.testing.assert_allclose(profile.thirds, thirds)
    assert profile.ratio == ratio
    assert profile.early_steps == early_steps
