"""What protection costs, counted by hand on a small table."""

from __future__ import annotations

import json

import numpy as np
import pytest

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.utility import Loss, utility
from tests.confidential.protect.conftest import Made


def drawn() -> tuple[OriginalCells, np.ndarray]:
    """Categories 0 to 3 in groups {0, 2} and {1, 3}; 1 and 3 are hidden."""
    space = Made.space({"a": (4, 2)}, [("a",)])
    (layout,) = space.layouts
    by_code = {
        layout.design.dimensions[0].nodes[node].code: cell
        for (node,), cell in zip(layout.coords.tolist(), layout.cells.tolist(), strict=True)
    }
    table = {"all": 100, "a-group0": 50, "a-group1": 50, "a0": 20, "a1": 3, "a2": 30, "a3": 47}
    values = np.zeros(len(space), dtype=np.int64)
    for code, value in table.items():
        values[by_code[code]] = value
    hidden = np.zeros(len(space), dtype=bool)
    hidden[[by_code["a1"], by_code["a3"]]] = True
    return OriginalCells(space, values, values, None), hidden


def test_cells_and_value_by_margin_and_where() -> None:
    found = utility(*drawn())
    table = found.tables["by records"]
    assert (found.cells, found.hidden) == (7, 2)
    assert table.margins == {(): Loss(1, 0, 100, 0), ("a",): Loss(6, 2, 100, 50)}
    assert table.where["a"]["a1"] == Loss(1, 1, 3, 3)
    assert table.where["a"]["a-group1"].hidden == 0
    assert found.largest == ("table 'by records', a a3", 47)


def test_what_is_printed_holds_no_true_value() -> None:
    found = utility(*drawn())
    assert '"value": 47' in json.dumps(found.said(values=True))
    printed = json.dumps(found.said(values=False))
    assert "47" not in printed and '"value"' not in printed and '"hidden_value"' not in printed


@pytest.mark.parametrize("hide", [False, True])
def test_the_largest_is_there_only_where_something_is_hidden(hide: bool) -> None:
    original, hidden = drawn()
    assert (utility(original, hidden & hide).largest is None) is not hide
