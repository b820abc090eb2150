import numpy as np
import pytest

from rntk_bench.networks.series import (
    chunks,
    mini_batches,
    pad_series,
    pad_to_common_shape,
    round_up_size,
)


def test_rounded_sizes_are_few_and_close():
    assert [round_up_size(count) for count in (0, 1, 2, 3, 5, 8, 9)] == [0, 1, 2, 4, 8, 8, 16]
    for count in range(1, 3000):
        assert count <= round_up_size(count) < 2 * count + (count == 1)
        assert count <= round_up_size(count, 4) <= count * 17 / 16
    assert len({round_up_size(count, 4) for count in range(1024, 2049)}) == 17


def test_series_are_at_the_end_of_their_rows():
    packed = pad_series(
        [np.arange(1.0, 4.0), np.arange(1.0, 41.0), np.ones(2)], np.array([0, 2, 1]), 3
    )
    assert packed.X.shape == (4, 40, 1)
    np.testing.assert_array_equal(packed.lengths, [3, 40, 2, 0])
    np.testing.assert_array_equal(packed.X[0, -3:, 0], [1, 2, 3])
    assert not packed.X[0, :-3].any()
    np.testing.assert_array_equal(packed.y[:3], [0, 2, 1])
    several = pad_series(np.ones((2, 5, 3)), np.array([0, 1]), 2)
    assert several.X.shape == (2, 5, 3)


@pytest.mark.parametrize("n", [1, 31, 32, 33, 100])
def test_every_epoch_has_every_row_once_in_batches_of_nearly_equal_sizes(n):
    rows = np.arange(n) * 3
    batches, count = mini_batches(rows, 32, 7, np.random.default_rng(0))
    assert batches.shape[:2] == (7, round_up_size(count))
    assert count == -(-n // 32)
    for epoch in batches:
        assert sorted(epoch[epoch >= 0]) == list(rows)
        sizes = (epoch >= 0).sum(axis=1)
        assert sizes[:count].max() - sizes[:count].min() <= 1
        assert not sizes[count:].any()
    if n > 1:
        assert (batches[0] != batches[1]).any()


@pytest.mark.parametrize("n", [0, 1, 64, 65, 300])
def test_chunks_hold_every_row_in_order(n):
    rows, count = chunks(np.arange(n))
    np.testing.assert_array_equal(rows[rows >= 0], np.arange(n))
    assert count == -(-n // 64) or (n == 0 and count == 0)
    assert not (rows[count:] >= 0).any()


def test_arrays_are_padded_to_their_largest_shape():
    padded = pad_to_common_shape([np.zeros((2, 3), np.int32), np.zeros((1, 4), np.int32)])
    assert [array.shape for array in padded] == [(2, 4), (2, 4)]
    assert (padded[0][:, 3] == -1).all()
    assert (padded[1][1] == -1).all()
