"""Who is behind a cell: how many contributors it has, and the largest contributions.

One query for each combination of layers of a block (sets that have nothing in common are asked about
together), the same on every backend: what each contributor adds up to in each box, ranked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import ibis
import numpy as np
from ibis import Value

from clerestory.confidential.design import SourceDesign
from clerestory.confidential.original import Contributions
from clerestory.confidential.records import Records
from clerestory.confidential.tabulate.encode import Digit, staged
from clerestory.confidential.tabulate.fields import person_of
from clerestory.confidential.tabulate.measures import column_of, measure_columns
from clerestory.confidential.tabulate.rollup import Grid, layers_of

_TABLE = "clerestory_contributions"


def contributions_of(
    records: Records, design: SourceDesign, asked: Sequence[tuple[str, Sequence[Grid]]], *, top: int
) -> Contributions:
    """The contributions to the cells of some grids, each with the measure that its cells sum ("": records).

    top: how many of the largest are kept. Records that do not say whose they are count as the largest
    contributor's: no cell is thought to be spread over more people than it is.
    """
    base, digits = _base(records, design, [measure for measure, _ in asked])
    size = len(design.space)
    found = Contributions(
        np.full(size, -1, dtype=np.int64),
        np.zeros((size, top), dtype=np.int64),
        np.zeros(size, dtype=np.int64),
    )
    for measure, grids in asked:
        for grid in grids:
            _fill(records, design, base, digits, grid, _column(measure), found)
    return found


def _base(records: Records, design: SourceDesign, measures: Sequence[str]) -> tuple[Any, Mapping[str, Digit]]:
    """The records with a digit for each variable, their contributor, and what they add."""
    plan = design.plan
    holding = person_of(records, plan.holding) if plan.holding else None
    sums = measure_columns(records, plan)
    extra: dict[str, Value] = {
        _column(measure): sums[column_of(measure, "total")] for measure in measures if measure
    }
    if "" in measures:
        extra[_column("")] = ibis.literal(1, "int64")
    if holding is not None:
        extra["holding"] = holding
    stage = staged(records, [plan.variables[name] for name in design.order], extra)
    columns = {f"d{place}": own.value for place, own in enumerate(stage.digits)}
    base = stage.table.select(**columns, **{name: stage.table[name] for name in extra})
    if records.dialect == "duckdb":
        base = records.keep(_TABLE, base)
    digits = {
        own.variable.name: replace(own, value=base[f"d{place}"]) for place, own in enumerate(stage.digits)
    }
    return base, digits


def _fill(
    records: Records,
    design: SourceDesign,
    base: Any,
    digits: Mapping[str, Digit],
    grid: Grid,
    amount: str,
    found: Contributions,
) -> None:
    """Writes what is found about the boxes of a grid to their cells."""
    top = found.largest.shape[1]
    contributors = np.zeros(grid.box_shape, dtype=np.int64)
    largest = np.zeros((*grid.box_shape, top), dtype=np.int64)
    total = np.zeros(grid.box_shape, dtype=np.int64)
    sides = [
        (digits[design.order[side.axis]], layers_of(side.members), side.atoms[design.categories[side.axis]])
        for side in grid.sides
    ]
    for layer in product(*(layers for _, layers, _ in sides)):
        columns = {
            f"at_{place}": own.translated(of_atom[atoms]).cast("int64")
            for place, ((own, _, atoms), of_atom) in enumerate(zip(sides, layer, strict=True))
        }
        shape = tuple(int(of_atom.max()) + 1 for of_atom in layer)
        answer = records.integers(_ranked(base, columns, shape, amount, top))
        index = np.unravel_index(answer["code"], shape) if shape else ()
        rank, known = answer["rank"], answer["unknown"] == 0
        mine = tuple(side[known] for side in index)
        largest[(*mine, rank[known])] = answer["amount"][known]
        first = rank == 0
        head = tuple(side[first] for side in index)
        contributors[head] = np.maximum(answer["known"][first], 1)
        total[head] = answer["whole"][first]
        largest[(*head, 0)] += answer["loose"][first]
    grid.fill(found.contributors, contributors)
    grid.fill(found.largest, largest)
    grid.fill(found.total, total)


def _ranked(
    base: Any, columns: Mapping[str, Value], shape: Sequence[int], amount: str, top: int
) -> ibis.Table:
    """The largest contributions to each box, by rank; beside them how many known contributors it has, what
    records without one add up to (loose), and what all add up to (whole)."""
    told_apart = "holding" in base.columns
    placed = base.select(
        amount=base[amount], **({"holding": base["holding"]} if told_apart else {}), **columns
    )
    code = ibis.literal(0, "int64")
    for name, length in zip(columns, shape, strict=True):
        placed = placed.filter(placed[name] >= 0)
        code = code * length + placed[name]
    if told_apart:
        loose = placed["holding"].isnull()
        placed = placed.select(
            code=code,
            holding=placed["holding"],
            unknown=ibis.ifelse(loose, 1, 0),
            # Nobody knows whether records without a contributor cancel each other out.
            amount=ibis.ifelse(loose, placed["amount"].abs(), placed["amount"]),
        )
        each = placed.group_by(["code", "holding", "unknown"]).aggregate(amount=ibis._["amount"].sum().abs())
    else:
        each = placed.select(code=code, unknown=ibis.literal(0, "int64"), amount=placed["amount"].abs())
    whole = ibis.window(group_by="code")
    order = ibis.window(group_by="code", order_by=[ibis._["unknown"], ibis.desc("amount")])
    ranked = each.mutate(
        rank=ibis.row_number().over(order),
        known=(1 - ibis._["unknown"]).sum().over(whole),
        loose=(ibis._["unknown"] * ibis._["amount"]).sum().over(whole),
        whole=ibis._["amount"].sum().over(whole),
    )
    ranked = ranked.filter(ibis._["rank"] < top)
    return ranked.select("code", "rank", "unknown", "amount", "known", "loose", "whole")


def _column(measure: str) -> str:
    return f"amount {measure}" if measure else "amount"
