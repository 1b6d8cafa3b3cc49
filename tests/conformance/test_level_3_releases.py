"""Releases at level 3: protected, proven by tables of finest cells, checked, and attacked through these."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clerestory.attack.finest import behind
from clerestory.attack.margins import cores
from clerestory.attack.relations import relations
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.publish import protect
from clerestory.errors import Refused, Undecided
from clerestory.policy import Policy
from clerestory.release.proof.prove import prove, prove_source
from clerestory.release.proof.verify_proof import check_level, reasoned, verify_proof
from clerestory.release.structure import Rule
from clerestory.tables import (
    RECORDS,
    TOTAL,
    Axis,
    Dimension,
    Node,
    PublicCells,
    TableDesign,
    link_tables,
    text,
)
from tests.attacker.brute import finest_intervals
from tests.attacker.instances import Instance, as_published, instance
from tests.attacker.written import files_of
from tests.release.proving import facts_of, released

CYCLES = [
    seed
    for seed in range(400)
    if cores(instance(seed).original.space) and (instance(seed).original.values > 30).any()
]


def at_level_3(seed: int) -> tuple[Instance, PublicCells, Rule]:
    """The public cells of a numbered instance whose policy asks for level 3."""
    made = instance(seed)
    made = replace(made, policy=replace(made.policy, audit_level=3))
    public = protect(made.original, made.policy, seed=seed).public
    policy = made.policy
    return made, public, Rule(3, policy.interval_width, policy.minimum_count, public.zeros_shown)


def found(wanted: int) -> list[tuple[Instance, PublicCells, Rule]]:
    """So many instances whose margins form a cycle and in which something is hidden."""
    releases = []
    for seed in CYCLES:
        try:
            made = at_level_3(seed)
        except (Refused, Undecided):
            continue
        if made[1].hidden.any():
            releases.append(made)
        if len(releases) == wanted:
            break
    return releases


def test_what_is_released_at_level_3_is_wide_for_who_thinks_of_finest_cells() -> None:
    for made, public, rule in found(12):
        theirs = finest_intervals(as_published(public, made.policy))
        narrow = [label for label, one in theirs.items() if one.narrower_than(rule.interval_width)]
        assert not narrow, made.seed


def test_its_proof_is_made_from_public_bytes_and_checked_by_multiplication(tmp_path: Path) -> None:
    for made, public, rule in found(4):
        folder = released(tmp_path / str(made.seed), files_of(public, rule), facts_of(public, rule))
        proof = prove(folder)
        first = {file.name: file.read_bytes() for file in (folder / "proof").iterdir()}
        prove(folder)
        assert first == {file.name: file.read_bytes() for file in (folder / "proof").iterdir()}
        checked = verify_proof(folder)
        (source,) = checked.sources
        assert (checked.level, proof.level, source.level) == (3, 3, 3) and source.finest
        assert "level 3" in source.sentence()


def test_a_finest_cell_below_0_is_caught(tmp_path: Path) -> None:
    ((_, public, rule),) = found(1)
    rules = relations(public.space)
    whole = reasoned(public, rule, rules).rules
    proof = prove_source(public, rule, whole)
    check_level(public, rule, proof, rules)
    base = proof.base.copy()
    base[int(np.searchsorted(proof.columns, rules.variables))] = -1
    with pytest.raises(Refused):
        check_level(public, rule, replace(proof, base=base), rules)
    with pytest.raises(Refused, match="other cells"):
        check_level(public, rule, prove_source(public, replace(rule, level=2), rules), rules)


def test_a_level_2_proof_does_not_say_more_than_that() -> None:
    said = set()
    for seed in range(12):
        made = instance(seed)
        try:
            public = protect(made.original, made.policy, seed=seed).public
        except (Refused, Undecided):
            continue
        rule = Rule(2, made.policy.interval_width, made.policy.minimum_count, public.zeros_shown)
        rules = relations(public.space)
        level = check_level(public, rule, prove_source(public, rule, rules), rules).level
        assert level == (2 if cores(public.space) else 3)
        assert behind(public, rules).same == (level == 3)
        said.add(level)
    assert said == {2, 3}


def test_a_manifest_that_says_more_is_refused(tmp_path: Path) -> None:
    ((made, public, _),) = found(1)
    rule = Rule(2, made.policy.interval_width, made.policy.minimum_count, public.zeros_shown)
    facts = {name: replace(one, reached=3) for name, one in facts_of(public, rule).items()}
    folder = released(tmp_path, files_of(public, rule), facts)
    prove(folder)
    with pytest.raises(Refused, match="the manifest says level 3"):
        verify_proof(folder)


def ab_ac_bc() -> OriginalCells:
    """Three tables of the same people, no two of whom differ twice without being few (docs, levels).

          b1  b2            c1  c2            b1  b2
    a1    38   2      a1    38   2      c1    38   2
    a2     2  38      a2     2  38      c2     2  38
    """
    members = np.vstack([np.ones((1, 2), dtype=bool), np.eye(2, dtype=bool)])
    flat = {}
    for name in "abc":
        nodes = (
            Node(TOTAL, text("all"), TOTAL, -1),
            *(Node(f"{name}{k}", text(name), name, 0) for k in (1, 2)),
        )
        flat[name] = Dimension(name, text(name), name, (name,), nodes, members)
    designs = [
        TableDesign(edge, text(edge), RECORDS, tuple(flat[name] for name in edge), (tuple(edge),), {})
        for edge in ("ab", "ac", "bc")
    ]
    axes = [Axis(name, (f"{name}1", f"{name}2")) for name in "abc"]
    space = link_tables("s", axes, designs, maximum_cells=99)
    counts = np.ones((2, 2, 2), dtype=np.int64)
    counts[0, 0, 0] = counts[1, 1, 1] = 37
    inside = [
        space.sets[0][cell[0]][:, None, None]
        & space.sets[1][cell[1]][None, :, None]
        & space.sets[2][cell[2]][None, None, :]
        for cell in space.cells
    ]
    values = np.array([counts[box].sum() for box in inside])
    return OriginalCells(space, values, values, None)


def test_more_is_hidden_where_level_2_would_not_do() -> None:
    original = ab_ac_bc()
    ab = np.zeros(len(original.space), dtype=bool)
    ab[original.space.layouts[0].cells[(original.space.layouts[0].coords > 0).all(axis=1)]] = True
    policy = Policy("p", "by hand", minimum_count=1, interval_width=9)
    two = protect(original, policy, seed=1, also=ab).public
    assert np.array_equal(two.hidden, ab)
    theirs = finest_intervals(as_published(two, policy))
    assert all(one.narrower_than(9) for one in theirs.values())
    three = protect(original, replace(policy, audit_level=3), seed=1, also=ab).public
    assert np.all(three.hidden[ab]) and three.hidden.sum() > ab.sum()
    theirs = finest_intervals(as_published(three, policy))
    assert not any(one.narrower_than(9) for one in theirs.values())
