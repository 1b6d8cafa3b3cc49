"""Arrow columns made from numpy arrays without a Python object per row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clerestory.templates.generator.draws import Ints

Column = Any  # a pyarrow array; pyarrow ships no types
Mask = NDArray[np.bool_]


def coded(values: Sequence[str] | Ints, index: Ints, *, null: Mask | None = None) -> Column:
    """Text from a short list of values, dictionary-encoded; null where the mask says so.

    The dictionary holds each value once and only those that a row has: a Parquet file keeps the whole
    dictionary, and names of people who are not in the rows have no business in it.
    """
    words = np.asarray(values)
    shown = index if null is None else index[~null]
    used = np.flatnonzero(np.bincount(shown, minlength=len(words)))
    kept, place = np.unique(words[used], return_inverse=True)
    number = np.zeros(len(words), dtype=np.int32)  # one width, so that the years of a dataset share a schema
    number[used] = place
    return pa.DictionaryArray.from_arrays(pa.array(number[index], mask=null), text_array(kept))


def dates(days: Ints, *, null: Mask | None = None) -> Column:
    """Dates from day numbers."""
    return pa.array(days.astype(np.int32), mask=null).view(pa.date32())


def numbers(values: Ints, kind: Any = None, *, null: Mask | None = None) -> Column:
    """Numbers as they are."""
    return pa.array(values, type=kind, mask=null)


def digits(values: Ints, width: int) -> NDArray[np.uint8]:
    """(n, width) the decimal digits of each number as ASCII, zeros in front."""
    out = np.empty((len(values), width), dtype=np.uint8)
    left = values.astype(np.int64)
    for place in range(width - 1, -1, -1):
        left, digit = np.divmod(left, 10)
        out[:, place] = digit + ord("0")
    return out


def spelled(*pieces: bytes | NDArray[np.uint8], rows: int, null: Mask | None = None) -> Column:
    """Text of one fixed width: constants and (n, k) blocks of ASCII, side by side."""
    blocks = [
        np.broadcast_to(np.frombuffer(piece, dtype=np.uint8), (rows, len(piece)))
        if isinstance(piece, bytes)
        else piece
        for piece in pieces
    ]
    matrix = np.ascontiguousarray(np.concatenate(blocks, axis=1))
    offsets = np.arange(rows + 1, dtype=np.int32) * matrix.shape[1]
    text = pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(matrix))
    return blank(text, null)


def blank(column: Column, null: Mask | None) -> Column:
    """The column, null where the mask says so."""
    return column if null is None or not null.any() else pc.if_else(pa.array(null), None, column)


def text_array(values: NDArray[Any]) -> Column:
    """Plain text from a numpy array of strings."""
    return pa.array(values.tolist(), type=pa.string())
