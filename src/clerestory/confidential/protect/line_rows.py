"""Rows over 0-1 variables that need no program: what a line tells by arithmetic alone.

Source: the bridge-less rows of Fischetti and Salazar-Gonzalez (2001), see rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.protect.rows import Reader, Row
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]


def line_rows(reader: Reader, primary: BoolArray) -> list[Row]:
    """Of each line of cells, that no cell on it is hidden alone. primary: (boxes,) always hidden."""
    rules, found = reader.rules, []
    matrix = rules.matrix.tocsr()
    for line in range(matrix.shape[0]):
        inside = matrix.indices[matrix.indptr[line] : matrix.indptr[line + 1]]
        if inside.max(initial=0) >= reader.cells:
            continue
        boxes = reader.boxes[inside[reader.hideable[inside]]].tolist()
        own = sum(bool(primary[box]) for box in boxes)
        if own == 1:
            found.append(Row({box: 1.0 for box in boxes if not primary[box]}, 1.0))
        elif not own:
            found += [
                Row({box: -1.0 if box == one else 1.0 for box in boxes}, 0.0)
                for one in boxes
                if len(boxes) <= 12
            ]
    return found


def small_rest_rows(reader: Reader, hidden: BoolArray, primary: BoolArray, limit: IntArray) -> list[Row]:
    """Rows that the pattern breaks because known parts leave a small count of a known whole.

    hidden, primary: (boxes,). limit: (variables,) from which a count is not small. Where the parts that are
    shown leave too little, one of them must be hidden or the whole, unless a part hidden now is shown.
    """
    rules, table, cells = reader.rules, reader.table, reader.cells
    known = np.zeros(rules.variables, dtype=bool)
    known[:cells] = ~(hidden[reader.boxes] & reader.hideable)
    matrix = rules.matrix.tocsr()
    lines: dict[tuple[int, int], list[list[int]]] = {}
    for line in np.flatnonzero(rules.parents >= 0).tolist():
        inside = matrix.indices[matrix.indptr[line] : matrix.indptr[line + 1]].tolist()
        parent = int(rules.parents[line])
        lines.setdefault((parent, int(rules.axes[line])), []).append([v for v in inside if v != parent])

    def cover(variable: int, axis: int) -> tuple[int, list[int], list[int]]:
        """The largest sum of known disjoint parts along the axis, these parts, and what is not covered."""
        if known[variable]:
            return int(table[variable]), [variable], []
        best: tuple[int, list[int], list[int]] = (0, [], [variable])
        for children in lines.get((variable, axis), []):
            parts = [cover(child, axis) for child in children]
            total = sum(p[0] for p in parts)
            if total > best[0]:
                left = [variable, *(v for p in parts for v in p[2])]
                best = (total, [v for p in parts for v in p[1]], left)
        return best

    found = []
    for (parent, axis), choices in lines.items():
        if not known[parent] or parent >= cells:
            continue
        for children in choices:
            parts = [cover(child, axis) for child in children]
            rest = int(table[parent]) - sum(p[0] for p in parts)
            if not 0 < rest < limit[parent]:
                continue
            need = float(limit[parent] - rest)
            terms: dict[int, float] = {}
            if reader.hideable[parent]:
                terms[int(reader.boxes[parent])] = need
            for part in sorted({v for p in parts for v in p[1]}):
                if part < cells and reader.hideable[part]:
                    box = int(reader.boxes[part])
                    terms[box] = max(terms.get(box, 0.0), min(float(table[part]), need))
            least = need
            for left in sorted({v for p in parts for v in p[2] if v < cells}):
                box = int(reader.boxes[left])
                if not primary[box] and box not in terms:
                    terms[box] = -need
                    least -= need
            found.append(Row(terms, least))
    return found
