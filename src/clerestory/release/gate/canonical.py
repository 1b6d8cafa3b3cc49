"""The one byte form of signed JSON: keys sorted, no blanks, UTF-8, LF at the end; no fractions.

Two readers can never take two meanings from bytes in this form: what is not exactly it is refused, and with
it keys that stand twice.
"""

from __future__ import annotations

import json
from typing import Any

from clerestory.errors import Refused

MAXIMUM_BYTES = 1 << 20
"""Signed documents larger than this are not read: a trust file of 1,000 people stays under it."""


def to_bytes(value: object) -> bytes:
    """The byte form of a JSON value."""
    said = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return (said + "\n").encode()


def parse(content: bytes, *, where: str, maximum: int = MAXIMUM_BYTES) -> Any:
    """The JSON value of these bytes. Raises Refused if they are too many or not in the one byte form."""
    try:
        if len(content) > maximum:
            raise ValueError("it is too large")
        said = json.loads(content.decode("utf-8"), parse_float=_no_fraction, parse_constant=_no_fraction)
        if to_bytes(said) != content:
            raise ValueError("it is not in the canonical form")
    except (ValueError, RecursionError) as problem:
        reason = str(problem) if type(problem) is ValueError else "it is not JSON"
        raise Refused(f"the document cannot be used: {reason}", where=where, fix=FIX) from None
    return said


FIX = "take it again from where it was signed; if nobody touched it, keep it for examination"


def _no_fraction(_: str) -> float:
    raise ValueError("it holds a fraction")
