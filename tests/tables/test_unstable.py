"""Rates of few events are flagged, and nothing is hidden for it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerestory.tables import (
    RECORDS,
    Dimension,
    Node,
    PublicTable,
    Published,
    Status,
    Withheld,
    events_for_error,
    text,
    unstable,
)

STATUSES = list(Status)


def table(values: list[int], statuses: list[Status]) -> PublicTable:
    nodes = tuple(Node(str(k), text(str(k)), "a", 0 if k else -1) for k in range(len(values)))
    dimension = Dimension("a", text("a"), "a", ("a",), nodes, np.ones((len(values), 1), dtype=bool))
    return PublicTable(
        "t",
        "s",
        text("t"),
        RECORDS,
        (dimension,),
        (("a",),),
        np.arange(len(values), dtype=np.int32)[:, None],
        np.array(values, dtype=np.int64),
        np.array([STATUSES.index(status) for status in statuses], dtype=np.int8),
    )


def test_fewer_than_twenty_events_are_unreliable() -> None:
    """CDC WONDER: rates of fewer than 20 deaths are unreliable."""
    shown, hidden, marked = Status.SHOWN, Status.HIDDEN, Status.INCOMPLETE
    found = unstable(table([40, 19, 20, 0, 0, 12], [shown, shown, shown, shown, hidden, marked]), 20)
    assert [found.cell({"a": k}) for k in range(6)] == [
        Published(40),
        Published(19, Status.UNSTABLE),
        Published(20),
        Published(0, Status.UNSTABLE),
        Withheld(hidden),
        Published(12, marked),
    ]


@pytest.mark.parametrize(("error", "events"), [(0.25, 16), (0.2, 25), (0.3, 12), (0.5, 4), (0.99, 2)])
def test_a_relative_standard_error_is_a_number_of_events(error: float, events: int) -> None:
    """Washington State flags rates whose relative standard error is above 25 percent: under 16 events."""
    assert events_for_error(error) == events


@given(st.floats(0.01, 0.99))
def test_it_is_the_fewest_events_within_the_error(error: float) -> None:
    events = events_for_error(error)
    assert 1 / math.sqrt(events) <= error * (1 + 1e-9)
    assert events == 1 or 1 / math.sqrt(events - 1) > error
