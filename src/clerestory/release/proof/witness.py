"""proof/SOURCE.json: whole-number tables that agree with all that is published of a source.

The first table is written out; every other one as its steps from the first. Only what is not shown is
written: hidden cells, and the boxes, overlaps and slacks that the relations of the source imply. Where an
implied count is known exactly, but not by taking one row after another, the rows that tell it stand here too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from clerestory.errors import Refused
from clerestory.tables.space import IntArray

FORMAT = "clerestory-proof/1"
MAXIMUM_BYTES = 1 << 30
LARGEST = 2**50
"""No number in a proof is larger, so that sums in 64 bits cannot run over (see verify_proof)."""

Step = tuple[IntArray, IntArray]


@dataclass(frozen=True, eq=False)
class Bound:
    """Rows that bound an implied count from one side: scale * x = (scale * e - weights @ rows) @ x, as every
    row is 0. position: in the proof's columns; above: whether it bounds from above; rows: sorted, with
    weights, none 0."""

    position: int
    above: bool
    scale: int
    rows: IntArray
    weights: IntArray


@dataclass(frozen=True, eq=False)
class SourceProof:
    """The witnesses of a source, over the variables of its relations (cells first).

    columns: (n,) positions of the variables that are not shown, sorted; base: (n,) their values in the first
    table. steps: for each further table, positions in `columns`, sorted, and the differences, none 0.
    bounds: of implied counts that are known exactly, those that need it.
    """

    source: str
    variables: int
    columns: IntArray
    base: IntArray
    steps: tuple[Step, ...]
    bounds: tuple[Bound, ...] = ()

    def to_bytes(self) -> bytes:
        """The one byte form: one table a line, positions as differences from the one before."""
        head = json.dumps(
            {"format": FORMAT, "source": self.source, "variables": self.variables}, separators=(",", ":")
        )
        lines = ",\n".join(f"[{_gaps(places)},{_numbers(change)}]" for places, change in self.steps)
        inside = f"\n{lines}\n" if lines else ""
        bounds = ",\n".join(
            f"[{bound.position},{int(bound.above)},{bound.scale},{_gaps(bound.rows)},{_numbers(bound.weights)}]"
            for bound in self.bounds
        )
        known = f"\n{bounds}\n" if bounds else ""
        return (
            f'{head[:-1]},\n"columns":{_gaps(self.columns)},\n"base":{_numbers(self.base)},\n'
            f'"steps":[{inside}],\n"bounds":[{known}]}}\n'
        ).encode()


def _numbers(values: IntArray) -> str:
    return f"[{','.join(map(str, values.tolist()))}]"


def _gaps(positions: IntArray) -> str:
    return _numbers(np.diff(positions, prepend=0))


def parse(content: bytes, *, where: str) -> SourceProof:
    """The proof these bytes hold. Raises Refused if they are not exactly its canonical form."""
    try:
        if len(content) > MAXIMUM_BYTES:
            raise ValueError("it is too large")
        proof = _read(json.loads(content.decode("utf-8")))
        if proof.to_bytes() != content:
            raise ValueError("it is not in the canonical form")
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as problem:
        reason = str(problem) if type(problem) is ValueError else "a key is missing or of the wrong kind"
        raise Refused(
            f"the proof cannot be used: {reason}", where=where, fix="make it again: clerestory prove RELEASE"
        ) from None
    return proof


def _read(said: Any) -> SourceProof:
    if said["format"] != FORMAT or type(said["variables"]) is not int:
        raise ValueError(f"it is not of the format {FORMAT}")
    columns = _positions(said["columns"], said["variables"])
    base = _whole(said["base"])
    if len(base) != len(columns):
        raise ValueError("the first table has another number of values")
    steps = []
    for places, change in said["steps"]:
        step = (_positions(places, len(columns)), _whole(change))
        if len(step[0]) != len(step[1]) or not np.all(step[1]):
            raise ValueError("a table's steps are not one a position, or one is 0")
        steps.append(step)
    bounds = tuple(_bound(bound, len(columns)) for bound in said["bounds"])
    return SourceProof(str(said["source"]), said["variables"], columns, base, tuple(steps), bounds)


def _bound(said: Any, columns: int) -> Bound:
    position, above, scale, rows, weights = said
    bound = Bound(position, above == 1, scale, _positions(rows, 2**31), _whole(weights))
    if not (type(position) is int and 0 <= position < columns and type(scale) is int and 0 < scale < 2**20):
        raise ValueError("a bound is about no column, or its scale is not a positive number")
    if len(bound.rows) != len(bound.weights) or np.any(np.abs(bound.weights) >= 2**20):
        raise ValueError("a bound's weights are not one a row, or too large")
    return bound


def _whole(numbers: Any) -> IntArray:
    if not all(type(number) is int and -LARGEST <= number <= LARGEST for number in numbers):
        raise ValueError("a number is not whole, or too large")
    return np.array(numbers, dtype=np.int64)


def _positions(gaps: Any, end: int) -> IntArray:
    _whole(gaps)
    positions = list(accumulate(gaps))
    if any(gap <= 0 for gap in gaps[1:]) or (positions and not 0 <= positions[0] <= positions[-1] < end):
        raise ValueError("positions are not rising, or outside")
    return np.array(positions, dtype=np.int64)
