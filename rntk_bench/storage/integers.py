"""Compressed arrays of integers in run records: counts of correct predictions, and predictions."""

from __future__ import annotations

import base64
import lzma
import math
from typing import Any

import numpy as np

from rntk_bench.storage.records import RecordError

Integers = np.ndarray[Any, np.dtype[Any]]

_DTYPES = ("|u1", "<u2", "<u4", "<u8", "|i1", "<i2", "<i4", "<i8")
_MAX_BYTES = 1 << 26
_MAX_MEMORY = 1 << 25
_FILTERS = [{"id": lzma.FILTER_LZMA1, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 1 << 22}]


def pack_integers(integers: Integers) -> dict[str, Any]:
    """Compress an array of integers into a JSON value, without loss."""
    little_endian = integers.astype(integers.dtype.newbyteorder("<"), order="C")
    if little_endian.dtype.str not in _DTYPES:
        raise TypeError(f"expected integers, not {integers.dtype}")
    compressed = lzma.compress(little_endian.tobytes(), format=lzma.FORMAT_ALONE, filters=_FILTERS)
    return {
        "shape": list(integers.shape),
        "dtype": little_endian.dtype.str,
        "lzma": base64.b64encode(compressed).decode("ascii"),
    }


def pack_counts(counts: Integers) -> dict[str, Any]:
    """Compress numbers of series, or -1, as integers of two bytes, of four if there are larger."""
    fit = counts.max(initial=0) <= np.iinfo(np.int16).max
    return pack_integers(counts.astype(np.int16 if fit else np.int32))


def unpack_integers(encoded: dict[str, Any]) -> Integers:
    """Decode the result of `pack_integers`.

    Raises
    ------
    RecordError
        If the value is damaged, or the array has more than 64 MiB.
    """
    try:
        if encoded["dtype"] not in _DTYPES:
            raise ValueError
        dtype = np.dtype(encoded["dtype"])
        size = math.prod(encoded["shape"]) * dtype.itemsize
        if not 0 <= size <= _MAX_BYTES:
            raise ValueError
        stream = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MAX_MEMORY)
        # One byte more than expected reveals a longer stream without decompressing all of it.
        decompressed = stream.decompress(base64.b64decode(encoded["lzma"], validate=True), size + 1)
        if not stream.eof:
            raise ValueError
        little_endian = np.frombuffer(decompressed, dtype).reshape(encoded["shape"])
    except (KeyError, TypeError, ValueError, OverflowError, EOFError, lzma.LZMAError) as error:
        raise RecordError(
            "A record's packed integers are damaged; delete the record and run its dataset again."
        ) from error
    return little_endian.astype(dtype.newbyteorder("="))
