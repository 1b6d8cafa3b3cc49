"""Protects one table: counts or sums of the records in a frame or a file."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from clerestory.api.inputs import PERCENT, checked_percent, checked_policy, distinct, read
from clerestory.api.protected import ProtectedTable
from clerestory.confidential.protect.publish import Protection, public_tables
from clerestory.confidential.protect.publish import protect as protect_cells
from clerestory.confidential.standalone import (
    SumRules,
    contributions,
    count_cells,
    hide_sums,
    protection_levels,
    read_tree,
)
from clerestory.confidential.standalone.shape import checked_names, refuse_taken
from clerestory.errors import InputError
from clerestory.policy import CALHHS_DDG_2_0
from clerestory.tables import PublicCells, PublicTable, Status, column_name

FEWEST = 3
"""Contributors that a published sum has, unless asked for otherwise."""
_SEED = re.compile(r"([0-9a-fA-F]{2}){8,}")


def protect(
    frame: Any,
    dims: Sequence[str],
    value: str | None = None,
    *,
    hierarchies: Mapping[str, Any] | None = None,
    margins: Sequence[Sequence[str]] | None = None,
    minimum_count: int = CALHHS_DDG_2_0.minimum_count,
    interval_width: int = CALHHS_DDG_2_0.interval_width,
    sum: str | None = None,
    contributor: str | None = None,
    p: float | None = None,
    pq: tuple[float, float] | None = None,
    dominance: tuple[int, float] | None = None,
    minimum_contributors: int | None = None,
    within: float = PERCENT,
    decimals: int | None = None,
    seed: str | None = None,
    name: str = "table",
    progress: Callable[[str], None] | None = None,
) -> ProtectedTable:
    """The table of a frame, in which every hidden number is proven uncertain.

    frame: any dataframe that narwhals knows, or the path of a CSV or Parquet file: records, or counts at the
    finest level in the column `value`. dims: its columns to count by; no value is a category of its own.
    hierarchies: by dimension, see read_tree. margins: which dimensions are crossed (default: all of them);
    totals are implied. Counts from 1 to minimum_count - 1 are small; hidden ones are uncertain by
    interval_width.

    sum: the column of records that is added up instead of counting them; its contributors are the rows, or
    those that `contributor` names. Rules: p (percent), pq, dominance (n, k percent), minimum_contributors;
    p = 10 and three contributors if none is given. Every hidden sum can be larger and smaller by its rule's
    protection level, and by `within` percent. decimals: digits kept, as many as there are if None.

    seed: hexadecimal, at least 16 digits, secret; drawn if None.
    Raises InputError; Refused if no pattern protects the table; Undecided at the limits of the audit.
    """
    names, asked = checked_names(dims, hierarchies, margins)
    levels = [f"{column_name(d)}_level" for d in hierarchies or ()]
    refuse_taken([*(column_name(d) for d in names), *levels, "value", "status"])
    distinct(names, value, "value")
    secret = secrets.token_hex(16) if seed is None else seed
    if not _SEED.fullmatch(secret):
        raise InputError(
            "a seed is at least 16 hexadecimal digits", where="seed", fix="leave it out to draw one"
        )
    drawn = int.from_bytes(hashlib.sha256(bytes.fromhex(secret)).digest()[:8], "big")
    rules = _sum_rules(sum, value, contributor, p, pq, dominance, minimum_contributors, within, decimals)
    trees = {d: read_tree(d, said) for d, said in (hierarchies or {}).items()}
    if rules is not None and sum is not None:
        distinct(names, sum, "sum")
        rows = read(frame, [*names, sum, *([contributor] if contributor else [])], name)
        found = contributions(
            rows,
            names,
            name=name,
            amount=sum,
            contributor=contributor,
            trees=trees,
            margins=asked,
            depth=rules.depth,
            decimals=decimals,
        )
        done = hide_sums(found, protection_levels(found, rules), within=within, seed=drawn, progress=progress)
        public = PublicCells(found.space, np.where(done.hidden, 0, found.sums), done.hidden)
        return _protected(
            public_tables(public)[0],
            primary=int(done.primary[found.space.layouts[0].cells].sum()),
            level="level 2: additive relations among published cells, zeros shown, last digits kept",
            seed=secret,
            kind=rows.kind,
            rules=str(rules),
            within=within,
            decimals=found.decimals,
        )
    policy = checked_policy(minimum_count, interval_width)
    rows = read(frame, [*names, *([value] if value else [])], name)
    original = count_cells(rows, names, name=name, value=value, trees=trees, margins=asked)
    counted: Protection = protect_cells(original, policy, seed=drawn, progress=progress)
    return _protected(
        public_tables(counted.public)[0],
        primary=int(counted.primary[original.space.layouts[0].cells].sum()),
        level=counted.report.level,
        minimum_count=minimum_count,
        interval_width=interval_width,
        smallest=counted.report.smallest,
        seed=secret,
        kind=rows.kind,
    )


def _protected(
    table: PublicTable, *, primary: int, minimum_count: int = 0, interval_width: int = 0,
    smallest: int | None = None, **rest: Any,
) -> ProtectedTable:  # fmt: skip
    hidden = int((table.statuses == list(Status).index(Status.HIDDEN)).sum())
    return ProtectedTable(
        table=table,
        cells=len(table.coords),
        hidden=hidden,
        primary=primary,
        secondary=hidden - primary,
        minimum_count=minimum_count,
        interval_width=interval_width,
        smallest=smallest,
        **rest,
    )


def _sum_rules(
    amount: str | None,
    value: str | None,
    contributor: str | None,
    p: float | None,
    pq: tuple[float, float] | None,
    dominance: tuple[int, float] | None,
    fewest: int | None,
    within: float,
    decimals: int | None,
) -> SumRules | None:
    """The rules for sums, None for counts. Raises InputError where the two are mixed."""
    if amount is None:
        asked = {
            "contributor": contributor,
            "p": p,
            "pq": pq,
            "dominance": dominance,
            "minimum_contributors": fewest,
            "decimals": decimals,
        }
        given = [word for word, said in asked.items() if said is not None]
        if given:
            raise InputError(
                f"{given[0]} is for sums", where=given[0], fix="name the column that is added up (sum)"
            )
        return None
    if value is not None:
        raise InputError("rows are counts or amounts", where="value, sum", fix="give one of them")
    checked_percent(within)
    if all(rule is None for rule in (p, pq, dominance, fewest)):
        p, fewest = PERCENT, FEWEST
    return SumRules(p, pq, dominance, fewest)
