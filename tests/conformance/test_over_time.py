"""Two releases of random sources: what is protected over time, the second attacker of both cannot narrow."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from clerestory.attack.history import Earlier, history
from clerestory.attack.over_time import audit_over_time
from clerestory.confidential.protect.publish import protect
from clerestory.errors import Refused, Undecided
from clerestory.release.structure import Rule
from clerestory.tables import PublicCells
from tests.attacker.brute import attack
from tests.attacker.kinds_over_time import TwoReleases, two_releases
from tests.attacker.over_time import CannotTell, together
from tests.attacker.published import Inconsistent
from tests.attacker.written import files_of

FIRST = int(os.environ.get("CLERESTORY_CAMPAIGN_FIRST", "100000"))
COUNT = int(os.environ.get("CLERESTORY_CAMPAIGN_COUNT", "10000"))
CHUNKS = 20
campaign = pytest.mark.skipif(
    os.environ.get("CLERESTORY_CAMPAIGN") != "1", reason="long: set CLERESTORY_CAMPAIGN=1"
)


def files(made: TwoReleases, public: PublicCells) -> dict[str, bytes]:
    return files_of(public, Rule(2, made.policy.interval_width, made.policy.minimum_count))


def protected(made: TwoReleases) -> tuple[PublicCells, PublicCells]:
    """Both releases. Raises Refused or Undecided where the second one cannot be made beside the first."""
    first = protect(made.earlier, made.policy, seed=made.seed).public
    earlier = [Earlier("r-000000000000", first)]
    return first, protect(made.later, made.policy, seed=made.seed, earlier=earlier).public


def faults_of(made: TwoReleases, first: PublicCells, second: PublicCells) -> str:
    """What a reader of the files of both releases has against them; empty if nothing.

    A cell of the first release that the second one has no more, and that both together tell exactly, is no
    secret if it is no small count.
    """
    found = attack(together(files(made, first), files(made, second), "source"))
    harmless = {
        label
        for label, interval in found.narrow.items()
        if " then[" in label and interval.low == interval.high >= made.policy.minimum_count
    }
    narrow = {label: i for label, i in found.narrow.items() if label not in harmless}
    parts = (narrow, found.small_shown, found.small_sums, found.open_units)
    return "; ".join(str(part) for part in parts if part)


def check(seeds: range) -> Counter[str]:
    """Counts how it ended. Raises where a release that was passed is broken."""
    ended: Counter[str] = Counter()
    faults = []
    for seed in seeds:
        made = two_releases(seed)
        try:
            first, second = protected(made)
        except (Refused, Undecided):
            ended["refused"] += 1
            continue
        try:
            fault = faults_of(made, first, second)
        except CannotTell:
            ended["categories cannot be told"] += 1
            continue
        ended["passed"] += 1
        if fault:
            faults.append(f"two_releases({seed}), {made.changes.value}: {fault}")
    assert not faults, "\n".join([f"{len(faults)} faults", *faults[:20]])
    return ended


@pytest.mark.parametrize("chunk", range(4))
def test_the_second_attacker_of_two_releases_narrows_nothing(chunk: int) -> None:
    ended = check(range(chunk, 120, 4))
    assert ended["passed"] >= 10, str(ended)


@campaign
@pytest.mark.campaign
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_campaign_the_second_attacker_of_two_releases_narrows_nothing(chunk: int) -> None:
    check(range(FIRST + chunk, FIRST + COUNT, CHUNKS))


def off_by_one(public: PublicCells) -> Iterator[PublicCells]:
    """The release with one shown cell one larger, each in turn."""
    for cell in np.flatnonzero(~public.hidden & (public.values > 0)).tolist():
        values = public.values.copy()
        values[cell] += 1
        yield PublicCells(public.space, values, public.hidden, public.zeros_shown)


def test_an_earlier_release_that_differs_by_one_is_caught() -> None:
    """Whatever the second attacker has against the two releases then, the audit over time refuses as well."""
    broken = 0
    for seed in range(30):
        made = two_releases(seed)
        try:
            first, second = protected(made)
        except (Refused, Undecided):
            continue
        for other in off_by_one(first):
            try:
                fault = faults_of(made, other, second)
            except Inconsistent:
                fault = "contradiction"
            except CannotTell:
                break
            if not fault:
                continue
            broken += 1
            with pytest.raises((Refused, Undecided)):
                past = history(second.space, [Earlier("r-000000000000", other)])
                audit_over_time(past, second, policy=made.policy)
    assert broken > 20
