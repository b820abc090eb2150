import base64
import json
import lzma

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from rntk_bench.storage.integers import pack_counts, pack_integers, unpack_integers
from rntk_bench.storage.records import RecordError


@given(
    st_numpy.arrays(
        dtype=st.sampled_from(["<i8", ">i4", "u1", "<i2", "u8"]),
        shape=st_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9),
    )
)
def test_integers_come_back_as_they_were(integers):
    decoded = unpack_integers(json.loads(json.dumps(pack_integers(integers))))
    np.testing.assert_array_equal(decoded, integers)
    assert decoded.dtype == integers.dtype.newbyteorder("=")
    assert decoded.flags.writeable


def test_counts_are_compact():
    counts = np.full((900, 5, 10), 3)
    assert len(json.dumps(pack_integers(counts))) < counts.nbytes / 100


def test_only_integers_are_packed():
    with pytest.raises(TypeError, match="float64"):
        pack_integers(np.ones(3))


def packed(content):
    return base64.b64encode(lzma.compress(content, lzma.FORMAT_ALONE)).decode()


def with_dictionary_of(n_bytes, content):
    """Compressed content that asks the reader for so much memory."""
    compressed = bytearray(lzma.compress(content, lzma.FORMAT_ALONE))
    compressed[1:5] = n_bytes.to_bytes(4, "little")
    return base64.b64encode(compressed).decode()


@pytest.mark.parametrize(
    "encoded",
    [
        {},
        None,
        {"shape": [2], "dtype": "<i8"},
        {"shape": [2], "dtype": "<i8", "zlib": packed(bytes(16))},
        {"shape": [2], "dtype": "<i8", "lzma": packed(bytes(15))},
        {"shape": [2], "dtype": "<i8", "lzma": packed(bytes(17))},
        {"shape": [2], "dtype": "<i8", "lzma": packed(bytes(16))[:-8]},
        {"shape": [2], "dtype": "<i8", "lzma": with_dictionary_of(1 << 31, bytes(16))},
        {"shape": [2], "dtype": "<i8", "lzma": "no base64!"},
        {"shape": [2], "dtype": "<i8", "lzma": ""},
        {"shape": [2], "dtype": "<f8", "lzma": packed(bytes(16))},
        {"shape": [2], "dtype": "O", "lzma": packed(bytes(16))},
        {"shape": [-1, -2], "dtype": "<i8", "lzma": packed(bytes(16))},
        {"shape": ["2"], "dtype": "<i8", "lzma": packed(bytes(16))},
        {"shape": [1 << 40], "dtype": "|u1", "lzma": packed(bytes(16))},
    ],
)
def test_damaged_integers_are_one_sentence(encoded):
    with pytest.raises(RecordError, match="packed integers are damaged"):
        unpack_integers(encoded)


def test_counts_have_two_bytes_if_they_fit():
    for largest, dtype in ((2**15 - 1, "int16"), (2**15, "int32")):
        decoded = unpack_integers(pack_counts(np.array([-1, largest])))
        np.testing.assert_array_equal(decoded, [-1, largest])
        assert decoded.dtype == dtype
