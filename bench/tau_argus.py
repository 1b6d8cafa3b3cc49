"""tau-ARGUS as a peer: the `pytauargus` package from PyPI, which carries its engine with HiGHS.

It reads microdata in fixed-width codes and protects one table after another, each by itself.
"""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.protection_cases import Records
from clerestory.tables import CellSpace, Dimension, TableDesign

TOTAL = "Total"


def hide(
    space: CellSpace, records: Records, folder: Path, *, suppress: str, rule: str, holding: bool = False
) -> NDArray[np.bool_]:
    """(cells,) what tau-ARGUS hides: in every table that has the cell, as one that shows it shows it.

    suppress: "MOD" or "OPT" with its arguments but for the table, such as "OPT,60"; rule: a safety rule.
    """
    from pytauargus import protect  # type: ignore[import-untyped]

    shown = np.zeros(len(space), dtype=bool)
    hidden = np.zeros(len(space), dtype=bool)
    for number, layout in enumerate(space.layouts):
        design = layout.design
        own = folder / f"table{number}"
        own.mkdir(parents=True)
        micro, hierarchies = _microdata(space, records, design, own, holding=holding)
        kind, _, more = suppress.partition(",")
        with chdir(own):  # its engine leaves logs where it runs
            found = protect(
                micro,
                [dimension.name for dimension in design.dimensions],
                response="response",
                safety_rules=rule,
                suppress=f"{kind}(1{',' + more if more else ''})",
                holding_var="holding" if holding else None,
                hrc=hierarchies,
                hierleadstring="@",
                totcode=TOTAL,
                workdir=str(own / "work"),
            ).tables[0]
        place = {
            tuple(row): cell for row, cell in zip(layout.coords.tolist(), layout.cells.tolist(), strict=True)
        }
        nodes = [_nodes(dimension) for dimension in design.dimensions]
        for row, status in zip(found.rows, found.status(), strict=True):
            codes = tuple(own[row[d.name]] for own, d in zip(nodes, design.dimensions, strict=True))
            if codes in place:
                (hidden if status in ("U", "M") else shown)[place[codes]] = True
    return hidden & ~shown


def _code(node: int) -> str:
    return f"n{node:04d}"


def _nodes(dimension: Dimension) -> dict[str, int]:
    """Position of a node by its code in the peer's files."""
    return {TOTAL: 0} | {_code(i): i for i in range(1, len(dimension.nodes))}


def _microdata(
    space: CellSpace, records: Records, design: TableDesign, folder: Path, *, holding: bool
) -> tuple[dict[str, list[object]], dict[str, str]]:
    """Columns of codes, one row a record; and the files of its hierarchies."""
    axes = {axis.name: axis for axis in space.axes}
    keep = np.ones(len(next(iter(records.codes.values()))), dtype=bool)
    for axis, members in design.select.items():
        keep &= members[records.codes[axis]]
    micro: dict[str, list[object]] = {}
    hierarchies: dict[str, str] = {}
    for dimension in design.dimensions:
        leaf = np.zeros(len(axes[dimension.axis].categories), dtype=np.int64)
        for node in dimension.leaves():
            leaf[dimension.members[node]] = node
        codes = np.array([_code(n) for n in range(len(dimension.nodes))])
        micro[dimension.name] = codes[leaf[records.codes[dimension.axis][keep]]].tolist()
        if len(dimension.levels) > 1:
            path = folder / f"{dimension.name}.hrc"
            path.write_text("\n".join(_hierarchy(dimension)) + "\n", encoding="ascii")
            hierarchies[dimension.name] = str(path)
    if records.weight is not None and design.unit.kind == "sum":
        micro["response"] = records.weight[keep].tolist()
    else:
        micro["response"] = [1] * int(keep.sum())
    if holding and records.holding is not None:
        micro["holding"] = [f"h{n:05d}" for n in records.holding[keep].tolist()]
    return micro, hierarchies


def _hierarchy(dimension: Dimension) -> list[str]:
    def below(node: int, depth: int) -> list[str]:
        lines: list[str] = []
        for child in dimension.children(node):
            lines += ["@" * depth + _code(child), *below(child, depth + 1)]
        return lines

    return below(0, 0)
