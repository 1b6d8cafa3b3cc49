"""The masking examples of the CalHHS guidelines, section 4.4, through the whole of protection."""

from __future__ import annotations

import numpy as np

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.publish import protect
from clerestory.policy import CALHHS_DDG_2_0


def hidden_of(made, total: int, cells: list[int]) -> list[int]:
    """The values that are hidden in one line with its total."""
    assert total == sum(cells)
    space = made.space({"a": (len(cells), 0)}, [("a",)])
    (layout,) = space.layouts
    truth = np.zeros(len(space), dtype=np.int64)
    truth[layout.cells] = [total, *cells]
    found = protect(OriginalCells(space, truth, truth, None), CALHHS_DDG_2_0, seed=3)
    assert found.report.smallest is not None and found.report.smallest >= 9
    return sorted(truth[found.public.hidden].tolist())


def test_three_tens_are_not_given_away_by_their_sum_of_thirty(made) -> None:
    """That each is under 11 would give them away; one sign says no such thing, so each may be 1 to 28."""
    assert hidden_of(made, 74, [10, 14, 10, 10, 0, 0, 0, 30]) == [10, 10, 10]


def test_a_lone_one_gets_company(made) -> None:
    found = hidden_of(made, 70, [14, 14, 1, 11, 30])
    assert found[0] == 1 and len(found) == 2


def test_hidden_values_that_add_up_to_less_than_eleven_get_one_more(made) -> None:
    found = hidden_of(made, 67, [40, 3, 4, 20])
    assert found[:2] == [3, 4] and len(found) == 3


def test_values_of_three_or_less_get_one_more(made) -> None:
    found = hidden_of(made, 66, [40, 3, 3, 20])
    assert found[:2] == [3, 3] and len(found) == 3
