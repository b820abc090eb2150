"""Arrays of counts as small JSON values, for run records."""

from __future__ import annotations

import base64
import math
import zlib
from typing import Any

import numpy as np

from rntk_bench.storage.records import RecordError

Counts = np.ndarray[Any, np.dtype[Any]]

_DTYPES = ("|u1", "<u2", "<u4", "<u8", "|i1", "<i2", "<i4", "<i8")
_MAX_BYTES = 1 << 26


def encode_counts(counts: Counts) -> dict[str, Any]:
    """Pack an array of integers into a small JSON value, losing nothing."""
    little_endian = counts.astype(counts.dtype.newbyteorder("<"), order="C")
    if little_endian.dtype.str not in _DTYPES:
        raise TypeError(f"counts must be integers, not {counts.dtype}")
    packed = zlib.compress(little_endian.tobytes(), level=9)
    return {
        "shape": list(counts.shape),
        "dtype": little_endian.dtype.str,
        "zlib": base64.b64encode(packed).decode("ascii"),
    }


def decode_counts(encoded: dict[str, Any]) -> Counts:
    """Unpack what `encode_counts` packed.

    Raises
    ------
    RecordError
        The value is damaged, or would unpack to more than 64 MiB.
    """
    try:
        if encoded["dtype"] not in _DTYPES:
            raise ValueError
        dtype = np.dtype(encoded["dtype"])
        size = math.prod(encoded["shape"]) * dtype.itemsize
        if not 0 <= size <= _MAX_BYTES:
            raise ValueError
        stream = zlib.decompressobj()
        # One byte more than is due shows an overlong stream without unpacking it.
        unpacked = stream.decompress(base64.b64decode(encoded["zlib"], validate=True), size + 1)
        if not stream.eof:
            raise ValueError
        little_endian = np.frombuffer(unpacked, dtype).reshape(encoded["shape"])
    except (KeyError, TypeError, ValueError, OverflowError, zlib.error) as error:
        raise RecordError(
            "A record's packed counts are damaged; delete the record and run its dataset again."
        ) from error
    return little_endian.astype(dtype.newbyteorder("="))
