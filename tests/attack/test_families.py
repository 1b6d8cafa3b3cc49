"""Which sets of one axis add up to which."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clerestory.attack.families import Family, family


def sets(*rows: str) -> np.ndarray:
    return np.array([[c == "x" for c in row] for row in rows])


def test_counties_make_up_their_region_and_regions_the_state() -> None:
    found = family(sets("xxxx", "xx..", "..xx", "x...", ".x..", "..x.", "...x"))
    assert found.extra == ()
    assert set(found.lines) == {(0, (1, 2)), (1, (3, 4)), (2, (5, 6))}


def test_children_that_do_not_cover_leave_a_rest_and_a_sum_of_their_own() -> None:
    found = family(sets("xxxx", "x...", ".x.."))
    together, rest = sets("xx..", "..xx")
    extra = [row.tolist() for row in found.extra]
    assert together.tolist() in extra and rest.tolist() in extra
    place = {0: 0} | {3 + i: row for i, row in enumerate(extra)}
    assert len(found.lines) == 2 and place


def test_years_and_months_meet_in_their_common_refinement() -> None:
    found = family(sets("xxxx", "xx..", "..xx", "x.x.", ".x.x"))
    lines = dict.fromkeys(found.lines)
    assert (0, (1, 2)) in lines and (0, (3, 4)) in lines
    assert len(found.extra) == 4  # the four year-months, which nobody publishes


@given(st.lists(st.integers(1, 63), min_size=1, max_size=7, unique=True))
def test_lines_are_true_and_span_every_linear_relation(codes: list[int]) -> None:
    members = np.array([[bool(code >> bit & 1) for bit in range(6)] for code in codes])
    found = family(members)
    everything = np.vstack([members, *[row[None, :] for row in found.extra]]).astype(int)
    rows = np.zeros((len(found.lines), len(everything)))
    for number, (parent, children) in enumerate(found.lines):
        rows[number, parent] = 1
        rows[number, list(children)] -= 1
    assert not (rows @ everything).any()
    extra = np.linalg.matrix_rank(rows[:, len(members) :]) if rows.size and len(found.extra) else 0
    spanned = (np.linalg.matrix_rank(rows) if rows.size else 0) - extra
    assert spanned == len(members) - np.linalg.matrix_rank(members.astype(int))


def left_over(found: Family, sizes: list[int], known: frozenset[int], whole: int) -> set[int]:
    """What the lines of `whole` leave when the known sets are taken away, parts of unknown parts too."""
    covered = {position: size if position in known else 0 for position, size in enumerate(sizes)}
    for _ in range(len(sizes)):
        for parent, children in found.lines:
            if parent not in known:
                covered[parent] = max(covered[parent], sum(covered[child] for child in children))
    return {
        sizes[whole] - sum(covered[child] for child in children)
        for parent, children in found.lines
        if parent == whole
    }


@settings(max_examples=400, deadline=None)
@given(st.lists(st.frozensets(st.integers(0, 5), min_size=1), min_size=2, max_size=6, unique=True))
def test_what_is_left_of_a_set_without_any_disjoint_sets_inside_it_is_on_a_line(
    drawn: list[frozenset[int]],
) -> None:
    """So that a small count that is left is found, however the sets of several tables cross."""
    members = np.array([[category in one for category in range(6)] for one in drawn])
    found = family(members)
    sizes = [int(row.sum()) for row in (*members, *found.extra)]
    for whole, everything in enumerate(drawn):
        inside = [i for i, one in enumerate(drawn) if one < everything]
        for count in range(1, len(inside) + 1):
            for parts in combinations(inside, count):
                if sum(len(drawn[i]) for i in parts) != len(frozenset().union(*(drawn[i] for i in parts))):
                    continue
                rest = len(everything) - sum(len(drawn[i]) for i in parts)
                known = frozenset({whole, *parts})
                assert any(left <= rest for left in left_over(found, sizes, known, whole)), (whole, parts)
