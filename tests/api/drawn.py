"""Tables drawn as text, and every whole-number table that fits one, by trying them all."""

from __future__ import annotations

from itertools import product

import pyarrow as pa


def drawn(picture: str) -> pa.Table:
    """A two-way table: codes of the columns in the first line, of the rows in the first column."""
    lines = [line.split() for line in picture.strip().splitlines()]
    rows = [
        (line[0], code, value) for line in lines[1:] for code, value in zip(lines[0], line[1:], strict=True)
    ]
    place, who, value = zip(*rows, strict=True)
    return pa.table({"place": list(place), "who": list(who), "value": list(value)})


def one_way(values: dict[str, str]) -> pa.Table:
    return pa.table({"who": list(values), "value": list(values.values())})


def intervals(
    shown: dict[tuple[int, int], int], rows: int, columns: int, least: int, most: dict[tuple[int, int], int]
) -> dict[tuple[int, int], tuple[int, int]]:
    """The ends of each hidden cell of a table with totals, by enumeration; -1 stands for a total.

    Every row total must be shown. `least`: the smallest value of a hidden cell; `most`: the
    greatest of some.
    """
    lines = []
    for row in range(rows):
        whole = shown[row, -1]
        spans = [[shown[row, c]] if (row, c) in shown else range(least, whole + 1) for c in range(columns)]
        lines.append([line for line in product(*spans) if sum(line) == whole])
    cells = [(r, c) for r in [*range(rows), -1] for c in range(columns)]
    ends: dict[tuple[int, int], tuple[int, int]] = {}
    for table in product(*lines):
        value = {(r, c): table[r][c] for r in range(rows) for c in range(columns)}
        value |= {(-1, c): sum(line[c] for line in table) for c in range(columns)}
        if any(value[cell] != shown[cell] if cell in shown else value[cell] < least for cell in cells):
            continue
        if any(value[cell] > greatest for cell, greatest in most.items()):
            continue
        for cell in cells:
            if cell not in shown:
                low, high = ends.get(cell, (value[cell], value[cell]))
                ends[cell] = min(low, value[cell]), max(high, value[cell])
    return ends
