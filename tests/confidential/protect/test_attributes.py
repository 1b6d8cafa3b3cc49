"""Everyone in one category: tables by hand, protected, attacked, proven and verified.

A sensitive outcome (granted, denied) of the applicants of some counties; of each county at least three must
possibly have another outcome.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clerestory.attack.history import Earlier, history
from clerestory.attack.relations import relations
from clerestory.confidential.audit import audit
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.publish import Protection, protect
from clerestory.confidential.protect.rules import Reason
from clerestory.errors import Refused
from clerestory.policy import Policy
from clerestory.release.proof.prove import prove_source
from clerestory.release.proof.verify_proof import check_source
from clerestory.release.structure import Rule
from clerestory.tables import (
    RECORDS,
    Attribute,
    Axis,
    CellSpace,
    Dimension,
    Node,
    PublicCells,
    TableDesign,
    link_tables,
    text,
)
from tests.attacker.brute import attack
from tests.attacker.instances import as_published

POLICY = Policy("test", "none", 11, 5)
RULE = Rule(2, POLICY.interval_width, POLICY.minimum_count)


def flat(name: str, codes: list[str]) -> Dimension:
    nodes = (Node("all", text("all"), "all", -1), *(Node(code, text(code), name, 0) for code in codes))
    members = np.vstack([np.ones((1, len(codes)), dtype=bool), np.eye(len(codes), dtype=bool)])
    return Dimension(name, text(name), name, (name,), nodes, members)


def space_of(counties: int, *, minimum: int, zeros_shown: bool = False) -> CellSpace:
    outcome, county = (
        flat("outcome", ["granted", "denied"]),
        flat("county", [f"c{i}" for i in range(counties)]),
    )
    design = TableDesign(
        "licences",
        text("t"),
        RECORDS,
        (outcome, county),
        (("outcome", "county"),),
        {},
        attributes=(Attribute("outcome", minimum),),
        zeros_shown=zeros_shown,
    )
    axes = [Axis("outcome", ("granted", "denied")), Axis("county", tuple(f"c{i}" for i in range(counties)))]
    return link_tables("licences", axes, [design], maximum_cells=999)


def drawn(rows: list[tuple[int, int]], *, minimum: int = 3, zeros_shown: bool = False) -> OriginalCells:
    """One row a county: how many were granted, how many denied."""
    space = space_of(len(rows), minimum=minimum, zeros_shown=zeros_shown)
    finest = np.array(rows, dtype=np.int64).T
    values = np.array(
        [
            (space.sets[0][outcome] @ finest @ space.sets[1][county]).sum()
            for outcome, county in space.cells.tolist()
        ]
    )
    return OriginalCells(space, values, values, None)


def cell(space: CellSpace, outcome: str, county: str) -> int:
    layout = space.layouts[0]
    wanted = [
        d.index(code) if code else 0
        for d, code in zip(layout.design.dimensions, (outcome, county), strict=True)
    ]
    return int(layout.cells[np.flatnonzero((layout.coords == wanted).all(axis=1))[0]])


def assert_holds(original: OriginalCells, found: Protection) -> None:
    """By our audit without the truth, by the second attacker, and by a proof from public cells."""
    public = found.public
    audit(public, policy=POLICY)
    assert not attack(as_published(public, POLICY)).broken
    rules = relations(public.space)
    checked = check_source(public, RULE, prove_source(public, RULE, rules), rules)
    groups, _, _ = original.space.attribute_pairs
    assert checked.groups == len(groups) == found.report.groups


def test_fifteen_of_fifteen_denied_are_hidden_with_the_zero_beside_them() -> None:
    original = drawn([(0, 15), (40, 30), (25, 20), (30, 28)])
    found = protect(original, POLICY, seed=1)
    space = original.space
    assert found.rules is not None
    denied, granted = cell(space, "denied", "c0"), cell(space, "granted", "c0")
    assert found.rules.reasons[denied] == Reason.ATTRIBUTE
    assert found.public.hidden[denied]
    # with the county's total shown, the zero must go too
    assert found.public.hidden[granted] or found.public.hidden[cell(space, "", "c0")]
    assert_holds(original, found)


def test_fourteen_of_fifteen_are_too_many_and_twelve_are_not() -> None:
    # 1 and 2 granted are small counts anyway; 14 of 28 elsewhere is enough for a minimum of 3
    for granted, hides in ((1, True), (14, False)):
        original = drawn([(granted, 14), (40, 30), (25, 20), (30, 28)])
        found = protect(original, POLICY, seed=1)
        assert found.public.hidden.any() == hides
        assert_holds(original, found)


def test_all_of_everybody_in_one_category_is_told_by_no_table() -> None:
    original = drawn([(0, 15), (0, 30), (0, 20)])
    found = protect(original, POLICY, seed=1)
    assert_holds(original, found)


def test_a_group_of_nobody_tells_nothing() -> None:
    original = drawn([(0, 0), (40, 30), (25, 20)])
    found = protect(original, POLICY, seed=1)
    assert not found.public.hidden.any()
    rules = relations(original.space)
    proof = prove_source(found.public, RULE, rules)
    groups, _, _ = original.space.attribute_pairs
    empty = int((original.values[groups] == 0).sum())
    assert empty and check_source(found.public, RULE, proof, rules).groups == len(groups) - empty


def test_where_zeros_must_stay_the_total_goes_or_the_table_is_refused() -> None:
    original = drawn([(0, 15), (40, 30), (25, 20), (30, 28)], zeros_shown=True)
    with pytest.raises(Refused):
        protect(original, POLICY, seed=1)


def test_a_table_that_shows_everything_is_refused_by_the_audit_by_name() -> None:
    original = drawn([(0, 15), (40, 30), (25, 20)])
    public = PublicCells(original.space, original.values, np.zeros(len(original.space), dtype=bool))
    with pytest.raises(Refused) as caught:
        audit(public, policy=POLICY)
    said = str(caught.value)
    assert "county c0" in said and "outcome denied, county c0" in said and "15" not in said


def test_a_proof_that_lacks_the_witness_which_raises_a_group_is_refused() -> None:
    original = drawn([(0, 15), (40, 30), (25, 20), (30, 28)])
    public = protect(original, POLICY, seed=1).public
    rules = relations(public.space)
    proof = prove_source(public, RULE, rules)
    check_source(public, RULE, proof, rules)
    stricter = space_of(4, minimum=200)
    again = replace(public, space=stricter)
    with pytest.raises(Refused, match="too few people of a group can be elsewhere"):
        check_source(again, RULE, proof, relations(stricter))


def test_a_group_stays_protected_when_the_next_release_shows_the_same_again() -> None:
    rows = [(0, 15), (40, 30), (25, 20), (30, 28)]
    original = drawn(rows)
    first = protect(original, POLICY, seed=1)
    second = protect(original, POLICY, seed=2, earlier=[Earlier("r-1", first.public)])
    assert second.over_time is not None and not second.over_time.unrecoverable
    past = history(original.space, [Earlier("r-1", first.public)])
    joint = past.public(second.public, POLICY.minimum_count)
    told = past.unrecoverable(POLICY.minimum_count)
    assert not told[0].any()
    proof = prove_source(joint, RULE, past.rules, told)
    assert check_source(joint, RULE, proof, past.rules, told).groups > 0


def test_what_an_earlier_release_told_of_a_group_is_said_and_asked_no_more() -> None:
    rows = [(0, 15), (40, 30), (25, 20), (30, 28)]
    original = drawn(rows)
    bare = PublicCells(original.space, original.values, np.zeros(len(original.space), dtype=bool))
    done = protect(original, POLICY, seed=1, earlier=[Earlier("r-1", bare)])
    assert done.over_time is not None and done.over_time.unrecoverable
    assert done.public.hidden[cell(original.space, "denied", "c0")]
    past = history(original.space, [Earlier("r-1", bare)])
    told, _ = past.unrecoverable(POLICY.minimum_count)
    described = [past.rules.describe(int(form)) for form in np.flatnonzero(told)]
    assert any("county c0" in words and "elsewhere" in words for words in described)
