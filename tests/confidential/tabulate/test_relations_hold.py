"""What a reader is taken to know is true: every relation holds for the tables of every set of records.

A false one would make the attacker weaker or the tables that he thinks possible other ones, so that a
number could be called safe that is not.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

from clerestory.attack.relations import Relations, relations
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.tabulate import tabulate
from clerestory.errors import InputError
from tests.confidential.tabulate.register import SOURCE, Row, make_project, store

DIMENSIONS = {
    "county": 'county = {{ hierarchy = "california"{} }}',
    "race": "race = {{ from = 'race'{} }}",
    "outcome": "outcome = {{ from = 'status'{} }}",
    "year": "year = {{ from = 'applied', by = 'year', first = '2019', last = '2021'{} }}",
    "attempt": "attempt = {{ from = 'attempt', top = 2{} }}",
}
WHERE = (
    "status = 'issued'",
    "status = 'denied'",
    "applied >= 2020-01-01",
    "race is not missing",
    "race = 'W'",
    "attempt < 2 and status != 'denied'",
)


def possible(rules: Relations, true: np.ndarray) -> bool:
    """Whether the implied variables have values of 0 or more with which every relation holds."""
    cells = len(rules.space)
    if not rules.matrix.shape[0]:
        return True
    inner, known = rules.matrix[:, cells:], -(rules.matrix[:, :cells] @ true)
    if rules.variables == cells:
        return not known.any()
    answer = milp(np.zeros(inner.shape[1]), constraints=LinearConstraint(inner, known, known))
    assert answer.status in (0, 2), answer.message
    return bool(answer.status == 0)


def counted(root: Path, records: Sequence[Row], tables: str) -> OriginalCells:
    location, table = store(root, "sqlite", records)
    source = SOURCE.replace("bounds = [-50, 100000]", "bounds = [10, 100]")
    return tabulate(make_project(root, location, table=table, tables=tables, source=source), "applications")


def written(name: str, what: str, where: str, spread: dict[str, str], margins: list[list[str]]) -> str:
    lines = [
        DIMENSIONS[dimension].format(f', spread = "{own}"' if own else "")
        for dimension, own in spread.items()
    ]
    asked = f'where = "{where}"' if where else ""
    kept = str(margins).replace("'", '"')
    return "\n".join(
        [
            *(f"[{name}]", 'source = "applications"', 'title = "T"', what, asked),
            *(f"[{name}.dimensions]", *lines, f"[{name}.publish]", f"margins = {kept}"),
        ]
    )


def tables(draw: random.Random) -> str:
    """A few linked tables: records, a fee, and persons spread in every way."""
    parts = []
    ways = draw.choice(
        [["first", "overlapping"], ["latest", "overlapping"], ["disjoint"], ["overlapping", "disjoint"]]
    )
    pool = draw.sample(sorted(DIMENSIONS), 3)
    spread_of = {name: draw.choice(ways) for name in pool}
    for number in range(draw.randint(1, 4)):
        names = draw.sample(pool, draw.choice([1, 2, 2]))
        where = draw.choice(("", *WHERE)) if draw.random() < 0.6 else ""
        kind = draw.choice(["persons", "persons", "persons", "records", "sum"])
        what = {"records": 'count = "application"', "sum": 'sum = "fee"', "persons": 'count = "person"'}[kind]
        plain = dict.fromkeys(names, "")
        if kind != "persons":
            parts.append(written(f"t{number}", what, where, plain, [names]))
            continue
        what += '\nby = "applied"'
        parts.append(written(f"t{number}", what, where, {name: spread_of[name] for name in names}, [names]))
        beside = [one for one in ('count = "application"', 'sum = "fee"') if draw.random() < 0.4]
        parts += [written(f"{one[0]}{number}", one, where, plain, [names]) for one in beside]
    return "\n".join(parts)


def register(draw: random.Random) -> list[Row]:
    """A few applications of a few people, who may keep their place, their race, or both."""
    found = [
        Row(
            person=draw.choice(["a", "b", "c", "d", None]),
            county=draw.choice(["alder", "birch", "cedar"]),
            applied=date(draw.randint(2019, 2021), draw.randint(1, 2), draw.randint(1, 2)),
            born=None,
            status=draw.choice(["issued", "denied"]),
            race=draw.choice(["W", "B", None]),
            attempt=draw.randint(0, 3),
            fee=draw.randint(10, 100),
        )
        for _ in range(draw.randint(1, 8))
    ]
    kept = [name for name in ("county", "race", "status", "attempt", "applied") if draw.random() < 0.5]
    first = {one.person: one for one in reversed(found)}
    return [replace(one, **{name: getattr(first[one.person], name) for name in kept}) for one in found]


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10**9))
def test_every_relation_holds_for_the_tables_of_any_records(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    draw = random.Random(seed)
    asked, records = tables(draw), register(draw)
    try:
        original = counted(tmp_path_factory.mktemp("register"), records, asked)
    except InputError as refused:  # somebody is in two categories that were said to be disjoint
        assert "disjoint" in refused.what or "lets no category through" in refused.what
        return
    assert possible(relations(original.space), original.values)


def test_a_person_counted_where_his_latest_record_is_and_in_each_county(tmp_path: Path) -> None:
    """Counted as denied in alder too, where no record of his was denied: one person, no record."""
    asked = "\n".join(
        written(f"t{k}", what, "", spread, [["county", "outcome"]])
        for k, (what, spread) in enumerate(
            [
                ('count = "person"\nby = "applied"', {"county": "overlapping", "outcome": "latest"}),
                ('count = "application"', {"county": "", "outcome": ""}),
            ]
        )
    )
    one = Row("a", "alder", date(2019, 1, 1), None, "issued", "W", 0, 10)
    records = [one, replace(one, county="birch", applied=date(2020, 1, 1), status="denied")]
    original = counted(tmp_path, records, asked)
    rules = relations(original.space)
    assert possible(rules, original.values)
    # Where all outcomes are taken together he has a record wherever he counts, and a reader may say so.
    persons, records_ = original.space.layouts
    boxes = [
        {
            tuple(
                dimension.nodes[node].code
                for dimension, node in zip(layout.design.dimensions, at, strict=True)
            ): cell
            for at, cell in zip(layout.coords.tolist(), layout.cells.tolist(), strict=True)
        }
        for layout in (persons, records_)
    ]
    together = (rules.matrix != 0).astype(int)
    pairs = (together.T @ together).tocsr()
    linked = {at for at, cell in boxes[0].items() if pairs[cell, boxes[1][at]]}
    assert ("alder", "all") in linked and ("all", "denied") in linked and ("alder", "denied") not in linked


def test_people_who_stand_on_both_sides_of_a_where(tmp_path: Path) -> None:
    """Once issued and once denied, of one race: 1 in all, 1 among the issued, 1 among the denied."""
    asked = "\n".join(
        written(f"t{k}", 'count = "person"', where, {"race": "disjoint"}, [["race"]])
        for k, where in enumerate(["", "status = 'issued'", "status = 'denied'"])
    )
    one = Row("a", "alder", date(2019, 1, 1), None, "issued", "W", 0, 10)
    original = counted(tmp_path, [one, replace(one, status="denied")], asked)
    assert possible(relations(original.space), original.values)


def test_people_are_disjoint_among_all_records_that_a_reader_adds_up(tmp_path: Path) -> None:
    """White where issued, black where denied: one race for each in each table, not in both together."""
    asked = "\n".join(
        written(f"t{k}", 'count = "person"', where, {"race": "disjoint"}, [["race"]])
        for k, where in enumerate(["status = 'issued'", "status = 'denied'"])
    )
    one = Row("a", "alder", date(2019, 1, 1), None, "issued", "W", 0, 10)
    with pytest.raises(InputError, match="1 person has several values"):
        counted(tmp_path, [one, replace(one, status="denied", race="B")], asked)


def test_persons_among_different_records_do_not_only_come(tmp_path: Path) -> None:
    asked = "\n".join(
        written(f"t{k}", 'count = "person"\nchanges = "cumulative"', where, {"race": "disjoint"}, [["race"]])
        for k, where in enumerate(["", "status = 'denied'"])
    )
    one = Row("a", "alder", date(2019, 1, 1), None, "issued", "W", 0, 10)
    with pytest.raises(InputError, match="may not be new in another"):
        counted(tmp_path, [one, replace(one, status="denied")], asked)
