"""Identifiers that cannot be anybody's: every form is one that no agency issues.

Source of the forms: data/synthetic_safe_identifiers.csv.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clerestory.templates.generator.columns import Column, Mask, blank, digits, spelled
from clerestory.templates.generator.draws import Ints

_MILLION = 1_000_000
_ALPHABET = np.frombuffer(b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789", dtype=np.uint8)


def cii_digits(person: Ints) -> NDArray[np.uint8]:
    """(n, 8) digits of each person's state identification number."""
    return digits((person.astype(np.int64) * 41_387_977 + 27_182_818) % 100_000_000, 8)


def cii(number: NDArray[np.uint8], *, null: Mask | None = None) -> Column:
    """Z and eight digits; a real one starts with A."""
    return spelled(b"Z", number, rows=len(number), null=null)


def driver_license(person: Ints, *, null: Mask | None = None) -> Column:
    """Q0 and six digits; past the first million people a letter follows, which no real number has."""
    block, place = np.divmod(person.astype(np.int64), _MILLION)
    number = digits((place * 387_977 + 141_421) % _MILLION, 6)
    if not block.any():
        return spelled(b"Q0", number, rows=len(person), null=null)
    return _with_letter(number, block, null)


def _with_letter(number: NDArray[np.uint8], block: Ints, null: Mask | None) -> Column:
    head = np.broadcast_to(np.frombuffer(b"Q0", dtype=np.uint8), (len(number), 2))
    letter = (block + ord("A") - 1).astype(np.uint8)[:, None]
    matrix = np.concatenate([head, number, letter], axis=1)
    used = np.ones(matrix.shape, dtype=bool)
    used[:, 8] = block > 0
    offsets = np.zeros(len(number) + 1, dtype=np.int32)
    np.cumsum(8 + (block > 0), out=offsets[1:])
    text = pa.StringArray.from_buffers(len(number), pa.py_buffer(offsets), pa.py_buffer(matrix[used]))
    return blank(text, null)


def serial(number: Ints, *, null: Mask | None = None) -> Column:
    """SYN and seven characters, different for every number below 32 ** 7."""
    left = (number.astype(np.int64) * 7_625_597_485 + 3_141_592_653) % 32**7
    out = np.empty((len(number), 7), dtype=np.uint8)
    for place in range(6, -1, -1):
        left, digit = np.divmod(left, 32)
        out[:, place] = _ALPHABET[digit]
    return spelled(b"SYN", out, rows=len(number), null=null)


def running(prefix: str, number: Ints, width: int, *, null: Mask | None = None) -> Column:
    """A prefix that says SYN and a running number."""
    return spelled(prefix.encode(), digits(number, width), rows=len(number), null=null)
