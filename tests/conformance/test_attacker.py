"""Two opinions on every release: what `protect` publishes, the second attacker cannot narrow, and what the
second attacker breaks, `audit` does not pass.

The second attacker is given the files of a release alone. The instances are numbered, kind by kind; a failure
names them. `CLERESTORY_CAMPAIGN=1 pytest -m campaign tests/conformance` goes through more of them:
CLERESTORY_CAMPAIGN_FIRST (100000) and CLERESTORY_CAMPAIGN_COUNT (10000, of each kind) say which.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from clerestory.confidential.audit import audit
from clerestory.confidential.protect.publish import Protection, protect
from clerestory.errors import ClerestoryError, Refused, Undecided
from clerestory.policy import Policy
from clerestory.tables import PublicCells
from tests.attacker.brute import Findings, attack, finest_intervals
from tests.attacker.instances import Instance, as_published
from tests.attacker.kinds import KINDS

CHUNKS = 20
COUNTS = "counts"
OTHERS = [name for name in KINDS if name != COUNTS]
INSTANCES = 2_000
"""Of counts; of every other kind OTHER_INSTANCES."""
OTHER_INSTANCES = 100
BROKEN = 240
OTHER_BROKEN = 30
FIRST = int(os.environ.get("CLERESTORY_CAMPAIGN_FIRST", "100000"))
COUNT = int(os.environ.get("CLERESTORY_CAMPAIGN_COUNT", "10000"))
campaign = pytest.mark.skipif(
    os.environ.get("CLERESTORY_CAMPAIGN") != "1", reason="long: set CLERESTORY_CAMPAIGN=1"
)


def seeds_of(chunk: int, *, first: int, count: int) -> range:
    """The numbers of a chunk's instances: every CHUNKS-th of them."""
    return range(first + chunk, first + count, CHUNKS)


def described(made: Instance) -> str:
    """An instance in a line, with the number that makes it again."""
    space = made.original.space
    return (
        f"{made.kind}({made.seed}): {len(space)} cells, {len(space.layouts)} tables, "
        f"minimum_count {made.policy.minimum_count}, width {made.policy.interval_width}"
    )


def faults_of(findings: Findings) -> str:
    """What the second attacker found, shortly."""
    parts = {
        "narrow": dict(findings.narrow),
        "small shown": findings.small_shown,
        "small sums": findings.small_sums,
        "open units": findings.open_units,
        "all in one category": dict(findings.all_in_one),
    }
    return "; ".join(f"{name}: {what}" for name, what in parts.items() if what)


def verdict(public: PublicCells, policy: Policy) -> str:
    """What the system's own audit says: passed, refused or undecided."""
    try:
        audit(public, policy=policy)
    except Refused:
        return "refused"
    except Undecided:
        return "undecided"
    return "passed"


# --- what is published --------------------------------------------------------------------------------------


def faults_of_publication(made: Instance, protection: Protection) -> Iterator[str]:
    """What is wrong with the published cells themselves, by the truth, before any attack."""
    original, public, policy = made.original, protection.public, made.policy
    hidden = public.hidden
    if np.any(public.values[~hidden] != original.values[~hidden]):
        yield "a shown value is not the true one"
    if np.any(hidden & (original.values == 0) & ~public.may_be_zero):
        yield "a zero is hidden though zeros are always shown"
    small = (original.records > 0) & (original.records < policy.minimum_count)
    if original.persons is not None:
        small |= (original.persons > 0) & (original.persons < policy.minimum_count)
    space = original.space
    counts = np.array([unit.kind != "sum" for unit in space.unit_list], dtype=bool)[space.units]
    small |= counts & (original.values > 0) & (original.values < policy.minimum_count)
    if np.any(small & (original.values > 0) & ~hidden):
        yield "a cell of few records or persons is shown"
    if np.any(protection.primary & protection.secondary):
        yield "a cell is both primary and secondary"
    if np.any((protection.primary | protection.secondary) != hidden):
        yield "the hidden cells are not the primary and the secondary ones"


def protected(seed: int, kind: str = COUNTS) -> tuple[Instance, Protection]:
    made = KINDS[kind](seed)
    return made, protect(made.original, made.policy, seed=seed)


def faults_of_release(seed: int, kind: str = COUNTS) -> Iterator[str]:
    """Whatever the truth, the second attacker or the audit have against the release of an instance."""
    try:
        made, protection = protected(seed, kind)
    except ClerestoryError as error:
        # with every cell but the zeros hidden any multiple of the truth fits, so no instance need be refused
        yield f"{described(KINDS[kind](seed))}: {error}"
        return
    for fault in faults_of_publication(made, protection):
        yield f"{described(made)}: {fault}"
    findings = attack(as_published(protection.public, made.policy))
    if findings.broken:
        yield f"{described(made)}: {faults_of(findings)}"
    said = verdict(protection.public, made.policy)
    if said != "passed":
        yield f"{described(made)}: the audit of what was just protected: {said}"


# --- releases broken on purpose -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Broken:
    """A release with a fault put in, and the policy it is held against."""

    how: str
    public: PublicCells
    policy: Policy


def _shown_again(made: Instance, protection: Protection, cells: list[int]) -> PublicCells:
    hidden = protection.public.hidden.copy()
    hidden[cells] = False
    values = np.where(hidden, 0, made.original.values)
    return replace(protection.public, values=values, hidden=hidden)


def broken_on_purpose(made: Instance, protection: Protection) -> Iterator[Broken]:
    """Releases made worse in one way each; not every one of them is broken by it."""
    draw = random.Random(made.seed)
    policy = made.policy
    large = made.original.values >= policy.minimum_count
    secondary = np.flatnonzero(protection.secondary & large).tolist()
    hidden = np.flatnonzero(protection.public.hidden).tolist()
    if secondary:
        cell = draw.choice(secondary)
        yield Broken("one secondary shown again", _shown_again(made, protection, [cell]), policy)
        cells = draw.sample(secondary, (len(secondary) + 1) // 2)
        yield Broken("half of the secondaries shown again", _shown_again(made, protection, cells), policy)
        yield Broken("no secondary at all", _shown_again(made, protection, secondary), policy)
    if hidden:
        cell = draw.choice(hidden)
        yield Broken("any hidden cell shown", _shown_again(made, protection, [cell]), policy)
        wider = replace(policy, interval_width=policy.interval_width + draw.choice([1, 3, 10]))
        yield Broken("a wider policy", protection.public, wider)
    stricter = replace(policy, minimum_count=policy.minimum_count + draw.choice([1, 3, 10]))
    yield Broken("a higher minimum", protection.public, stricter)


Judged = Callable[[str, str, Findings], None]


def faults_of_audit(seed: int, judged: Judged, kind: str = COUNTS) -> Iterator[str]:
    """Releases broken on purpose that the second attacker breaks and the audit passes."""
    try:
        made, protection = protected(seed, kind)
    except ClerestoryError:
        return
    for broken in broken_on_purpose(made, protection):
        findings = attack(as_published(broken.public, broken.policy))
        said = verdict(broken.public, broken.policy)
        judged(broken.how, said, findings)
        if findings.broken and said == "passed":
            yield f"{described(made)}: {broken.how}: passed, but {faults_of(findings)}"


def check_releases(seeds: range, kind: str = COUNTS) -> None:
    faults = [fault for seed in seeds for fault in faults_of_release(seed, kind)]
    assert not faults, "\n".join([f"{len(faults)} faults", *faults[:20]])


def check_audit(seeds: range, kind: str = COUNTS) -> None:
    """Raises where the audit passes what is broken, where nothing was really broken, or where it cries wolf.

    The audit may refuse a little more: it wants an implied cell that is not exactly known to be wide too,
    which the second attacker does not look at. That is rare, and refusing everything would be no audit.
    """
    counts: Counter[tuple[str, str, bool]] = Counter()
    faults = [
        fault
        for seed in seeds
        for fault in faults_of_audit(
            seed, lambda how, said, found: counts.update([(how, said, found.broken)]), kind
        )
    ]
    assert not faults, "\n".join([f"{len(faults)} faults", *faults[:20]])
    really = {how for (how, _, broken) in counts if broken}
    assert len(really) >= 3, f"only these ways of breaking broke anything: {sorted(really)}"
    # of sums the audit also judges what it knows of the records behind them
    allowed = 0.02 if kind == COUNTS else 0.1
    stricter = sum(n for (_, said, broken), n in counts.items() if said == "refused" and not broken)
    assert stricter <= allowed * counts.total(), f"refused for nothing: {stricter} of {counts.total()}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_second_attacker_narrows_nothing_that_is_published(chunk: int) -> None:
    check_releases(seeds_of(chunk, first=0, count=INSTANCES))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_the_second_attacker_breaks_does_not_pass_the_audit(chunk: int) -> None:
    check_audit(seeds_of(chunk, first=0, count=BROKEN))


@pytest.mark.parametrize("kind", OTHERS)
def test_the_second_attacker_narrows_nothing_of_any_kind(kind: str) -> None:
    check_releases(range(OTHER_INSTANCES), kind)


@pytest.mark.parametrize("kind", OTHERS)
def test_what_the_second_attacker_breaks_does_not_pass_the_audit_of_any_kind(kind: str) -> None:
    check_audit(range(OTHER_BROKEN), kind)


def test_what_a_restricted_table_leaves_of_a_whole_one_that_it_crosses_is_no_small_count() -> None:
    check_releases(range(100_321, 100_322))


@campaign
@pytest.mark.campaign
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_campaign_the_second_attacker_narrows_nothing_that_is_published(chunk: int, kind: str) -> None:
    check_releases(seeds_of(chunk, first=FIRST, count=COUNT), kind)


@campaign
@pytest.mark.campaign
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_campaign_what_the_second_attacker_breaks_does_not_pass_the_audit(chunk: int, kind: str) -> None:
    check_audit(seeds_of(chunk, first=FIRST, count=COUNT), kind)


@campaign
@pytest.mark.campaign
def test_campaign_reports_the_share_narrowed_through_the_finest_cells(
    record_property: Callable[[str, object], None],
) -> None:
    """Level 3 is not promised here: the share of hidden cells that it narrows is printed (pytest -s)."""
    hidden = narrow = releases = touched = 0
    for seed in seeds_of(0, first=FIRST, count=COUNT):
        try:
            made, protection = protected(seed)
        except ClerestoryError:
            continue
        found = finest_intervals(as_published(protection.public, made.policy), narrow_only=True)
        hidden += int(protection.public.hidden.sum())
        narrow += len(found)
        releases += 1
        touched += bool(found)
    record_property("level 3", f"{narrow} of {hidden} hidden cells, {touched} of {releases} releases")
    print(f"\nlevel 3 narrows {narrow} of {hidden} hidden cells, in {touched} of {releases} releases")
    assert hidden
