"""What `protect` and `audit` share: reading a frame or a file, and checking what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clerestory.confidential.standalone import Columns, read_file, read_frame
from clerestory.confidential.standalone.shape import MAXIMUM_CELLS
from clerestory.errors import InputError
from clerestory.policy import Policy

PERCENT = 10.0
"""p of the p% rule, and what hidden sums are uncertain by, unless asked for otherwise."""


def read(frame: Any, wanted: Any, name: str) -> Columns:
    """The wanted columns of a frame, or of the file at a path. Raises InputError."""
    if isinstance(frame, str | Path):
        return read_file(Path(frame), wanted)
    return read_frame(frame, wanted, where=f"frame {name!r}")


def checked_percent(within: float) -> None:
    """Raises InputError unless the percentage is above 0 and below 100."""
    if not 0 < within < 100:
        raise InputError("within is above 0 and below 100 percent", where="within", fix="10, say")


def checked_policy(minimum_count: int, interval_width: int) -> Policy:
    """A policy of these two numbers. Raises InputError if one is less than 1."""
    for said, number in (("minimum_count", minimum_count), ("interval_width", interval_width)):
        if number < 1:
            raise InputError(f"{said} is less than 1", where=said, fix="the default profile has 11 and 9")
    return Policy(
        profile="standalone",
        source="as asked for",
        minimum_count=minimum_count,
        interval_width=interval_width,
        maximum_cells=MAXIMUM_CELLS,
    )


def distinct(names: Sequence[str], value: str | None, what: str) -> None:
    """Raises InputError if the column is a dimension too."""
    if value in names:
        raise InputError(f"{value!r} is a dimension and the {what}", where=what, fix="name another column")
