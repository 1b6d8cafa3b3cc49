"""Cells that two tables share are one cell; a restriction and two dimensions of one date meet as boxes."""

from __future__ import annotations

import numpy as np
import pytest

from clerestory.errors import InputError
from clerestory.tables import (
    RECORDS,
    Axis,
    Dimension,
    Node,
    PublicTable,
    Published,
    Status,
    TableDesign,
    Withheld,
    link_tables,
    margin_closure,
    marked,
    text,
)

TOWN = Axis("town", ("a", "b", "c"))
DATE = Axis("date", ("1-1", "1-2", "2-1", "2-2"))


def dimension(name: str, axis: str, *nodes: tuple[str, int, list[int]]) -> Dimension:
    """A dimension drawn as (code, parent, members); the level is the depth."""
    depth = [0] * len(nodes)
    for i, (_, parent, _) in enumerate(nodes):
        depth[i] = 0 if parent < 0 else depth[parent] + 1
    return Dimension(
        name,
        text(name),
        axis,
        tuple(f"{name}{d}" for d in range(1, max(depth) + 1)),
        tuple(
            Node(code, text(code), f"{name}{depth[i]}", parent) for i, (code, parent, _) in enumerate(nodes)
        ),
        np.array([members for _, _, members in nodes], dtype=bool),
    )


PLACES = dimension(
    "place",
    "town",
    ("all", -1, [1, 1, 1]),
    ("north", 0, [1, 1, 0]),
    ("south", 0, [0, 0, 1]),
    ("a", 1, [1, 0, 0]),
    ("b", 1, [0, 1, 0]),
    ("c", 2, [0, 0, 1]),
)
YEARS = dimension("year", "date", ("all", -1, [1, 1, 1, 1]), ("1", 0, [1, 1, 0, 0]), ("2", 0, [0, 0, 1, 1]))
SEASONS = dimension(
    "season", "date", ("all", -1, [1, 1, 1, 1]), ("w", 0, [1, 0, 1, 0]), ("s", 0, [0, 1, 0, 1])
)


def design(name: str, dimensions: tuple[Dimension, ...], *margins: tuple[str, ...]) -> TableDesign:
    return TableDesign(name, text(name), RECORDS, dimensions, margins, {})


def test_a_node_with_one_child_is_the_same_cell() -> None:
    space = link_tables("s", [TOWN], [design("t", (PLACES,), ("place",))], maximum_cells=100)

    assert len(space) == 5
    (layout,) = space.layouts
    south, c = layout.cells[2], layout.cells[5]
    assert south == c


def test_two_tables_share_the_cells_that_count_the_same_box() -> None:
    tables = [design("t", (PLACES, YEARS), ("place", "year")), design("u", (YEARS,), ("year",))]
    space = link_tables("s", [TOWN, DATE], tables, maximum_cells=100)

    assert set(space.layouts[1].cells) <= set(space.layouts[0].cells)


def test_two_dimensions_of_one_date_meet_in_the_month_they_share() -> None:
    space = link_tables("s", [DATE], [design("t", (YEARS, SEASONS), ("year", "season"))], maximum_cells=100)

    assert len(space) == 1 + 2 + 2 + 4
    assert space.sets[0].sum(axis=1).max() == 4


def test_too_many_cells_are_refused_before_any_is_made() -> None:
    with pytest.raises(InputError, match="18 cells"):
        link_tables("s", [TOWN, DATE], [design("t", (PLACES, YEARS), ("place", "year"))], maximum_cells=10)


def test_margins_inside_another_come_with_it() -> None:
    assert margin_closure([("a",), ("b", "a"), ("c",)]) == [("a", "b"), ("c",)]


def table(values: list[int], hidden: list[int]) -> PublicTable:
    return PublicTable(
        "t",
        "s",
        text("t"),
        RECORDS,
        (YEARS,),
        (("year",),),
        np.array([[0], [1], [2]], dtype=np.int32),
        np.array(values),
        np.array(hidden, dtype=np.int8),
    )


def test_a_cell_is_a_number_or_withheld_or_not_published() -> None:
    drawn = table([30, 30, 0], [0, 0, 1])

    assert drawn.cell({"year": 1}) == Published(30)
    assert drawn.cell({"year": 2}) == Withheld(Status.HIDDEN)


def test_a_mark_on_a_category_leaves_hidden_cells_hidden() -> None:
    drawn = marked(table([30, 30, 0], [0, 0, 1]), Status.INCOMPLETE, {"year": "1"})

    assert drawn.cell({"year": 1}) == Published(30, Status.INCOMPLETE)
    assert drawn.cell({}) == Published(30)
    with pytest.raises(ValueError, match="no-data"):
        marked(table([30, 30, 0], [0, 0, 0]), Status.NO_DATA, {"year": "1"})
