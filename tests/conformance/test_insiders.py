"""Readers who hold records of their own: no k of them, wherever they are, narrow a hidden cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clerestory.attack.relations import relations
from clerestory.confidential.protect.publish import protect
from clerestory.errors import InputError, Refused, Undecided
from clerestory.methods import Rounding, RoundingKind
from clerestory.release.proof.prove import prove_source
from clerestory.release.proof.verify_proof import check_source
from clerestory.release.structure import Rule
from clerestory.tables import PublicCells
from tests.attacker.brute import intervals, intervals_of
from tests.attacker.instances import Instance, as_published, instance
from tests.attacker.knowledge import system_of
from tests.attacker.published import Inconsistent


def insiders_of(seed: int, k: int) -> tuple[Instance, PublicCells]:
    """A protected instance whose policy knows of readers with k records; the next seed where none is."""
    while True:
        made = instance(seed)
        made = replace(made, policy=replace(made.policy, insider_records=k))
        try:
            public = protect(made.original, made.policy, seed=seed).public
        except (Refused, Undecided):
            public = None
        if public is not None and public.hidden.any():
            return made, public
        seed += 1000


def boxes_of(public: PublicCells) -> dict[tuple[str, tuple[frozenset[str], ...]], int]:
    """Where each hidden cell is, as the second attacker names places."""
    space = public.space
    return {
        (
            space.unit_list[space.units[cell]].name,
            tuple(
                frozenset(f"{axis.name}#{k}" for k in np.flatnonzero(space.sets[a][space.cells[cell, a]]))
                for a, axis in enumerate(space.axes)
            ),
        ): cell
        for cell in np.flatnonzero(public.hidden).tolist()
    }


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("seed", range(15))
def test_no_insider_narrows_a_hidden_cell(seed: int, k: int) -> None:
    """Of each hidden cell he may have up to k records, all that it holds if it holds fewer, and so at least
    as many of every cell around it. Nothing that is hidden becomes narrow for him."""
    made, public = insiders_of(seed, k)
    plain = as_published(public, replace(made.policy, insider_records=1))
    system, places = system_of(plain), boxes_of(public)
    cells = {at: system.cells[at] for at in system.unknown}
    for (unit, box), cell in places.items():
        own = min(k, int(made.original.values[cell]))
        bounds = [
            (max(low, own), high)
            if cells[at].unit == unit
            and all(inside <= around for inside, around in zip(box, cells[at].box, strict=True))
            else (low, high)
            for at, (low, high) in zip(system.unknown, system.bounds, strict=True)
        ]
        found = intervals_of(replace(system, bounds=tuple(bounds)), search_nodes=0)
        narrow = [label for label, one in found.items() if one.narrower_than(made.policy.interval_width)]
        assert not narrow, (made.seed, cell)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("seed", range(15))
def test_a_reader_who_may_have_k_records_of_anything(seed: int, k: int) -> None:
    made, public = insiders_of(seed, k)
    theirs = intervals(as_published(public, made.policy), search_nodes=0)
    assert not [label for label, one in theirs.items() if one.narrower_than(made.policy.interval_width)]


@pytest.mark.parametrize("seed", range(8))
def test_the_proof_is_about_him_too(seed: int) -> None:
    made, public = insiders_of(seed, 2)
    policy, rules = made.policy, relations(public.space)
    rule = Rule(2, policy.interval_width, policy.minimum_count, insider_records=2)
    proof = prove_source(public, rule, rules)
    check_source(public, rule, proof, rules)
    hidden = np.searchsorted(proof.columns, np.flatnonzero(public.hidden))
    assert proof.base[hidden].min() >= 2
    with pytest.raises(Refused, match="below what the policy tells"):
        check_source(replace(public, insiders=1 + int(proof.base[hidden].max())), rule, proof, rules)


def test_what_passes_without_insiders_falls_to_them() -> None:
    """Somewhere in these releases a reader with two records narrows what is wide for everybody else."""
    fallen = 0
    for seed in range(30):
        made = instance(seed)
        try:
            public = protect(made.original, made.policy, seed=seed).public
        except (Refused, Undecided):
            continue
        insider = as_published(public, replace(made.policy, insider_records=2))
        try:
            theirs = intervals(insider, search_nodes=0)
        except Inconsistent:
            fallen += 1
            continue
        fallen += any(one.narrower_than(made.policy.interval_width) for one in theirs.values())
    assert fallen


def test_other_methods_are_refused() -> None:
    made = instance(0)
    policy = replace(made.policy, insider_records=2)
    with pytest.raises(InputError, match="insider_records is for suppression"):
        protect(made.original, policy, seed=0, method=Rounding(RoundingKind.RANDOM, 5), secret=b"s")
