"""May this release go live? Counts statements by the rules; pure but for reading the release's folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from clerestory.policy import GateRules
from clerestory.release.gate.bodies import BESIDE, approval_in, beside, version_in
from clerestory.release.gate.roles import roles_for
from clerestory.release.gate.statement import Approval
from clerestory.release.ledger import FIRST, Event, Kind
from clerestory.release.trust import Trust

OFFICERS = 2
"""Named officers who together may shorten the review time."""


@dataclass(frozen=True)
class Given:
    """A statement whose signature stands. digest: of its envelope; keyid: whose key."""

    approval: Approval
    digest: str
    keyid: str

    @property
    def person(self) -> str:
        """Who said it."""
        return self.approval.person


def given(release: Path, trust_then: Callable[[int], Trust]) -> tuple[Given, ...]:
    """The public statements of a release, each checked under the root that it was signed under.

    Raises Refused if one does not stand: in a release's folder nothing may lie that does not.
    """
    found = []
    for kind, digest, content in beside(release):
        where = f"{release.name}/{BESIDE}/{kind.value}-{digest[:12]}…"
        trust = trust_then(version_in(content, where=where))
        approval, keyid = approval_in(content, trust, where=where)
        if approval.kind is kind:
            found.append(Given(approval, digest, keyid))
    return tuple(sorted(found, key=lambda one: (one.approval.time, one.digest)))


@dataclass(frozen=True)
class Counted:
    """What the gate finds. missing: why the release may not go live, in sentences; empty if it may."""

    builders: tuple[str, ...]
    reviewers: tuple[str, ...]
    recounted: tuple[str, ...]
    proved: tuple[str, ...]
    officers: tuple[str, ...]
    missing: tuple[str, ...]
    aside: tuple[str, ...]
    """Statements that do not count, and why."""


def count(
    statements: Sequence[Given],
    *,
    manifest: str,
    rules: GateRules,
    policy: str,
    trust: Trust,
    at: datetime,
    recorded: Collection[str] | None = None,
) -> Counted:
    """Counts the statements about a release at a moment.

    policy: digest of the rules that the statements must have been given under. trust: the root that decides
    now: a key must still be somebody's in it, with the role and current training. recorded: digests of the
    envelopes that the ledger has; None for a reader who has no ledger.
    """
    by_kind: dict[Kind, list[Given]] = {kind: [] for kind in Kind}
    aside = []
    for one in statements:
        problem = _not_counted(one, manifest, rules, policy, trust, at, recorded)
        if problem:
            aside.append(f"{one.approval.kind.value} by {one.person}: {problem}")
        else:
            by_kind[one.approval.kind].append(one)
    builders = _people(by_kind[Kind.BUILT])
    reviewers = tuple(p for p in _people(by_kind[Kind.APPROVED]) if p not in builders)
    recounted = tuple(p for p in _people(by_kind[Kind.RECOUNTED]) if p not in builders)
    proved = tuple(p for p in _people(by_kind[Kind.PROVED]) if p not in builders)
    officers = tuple(p for p in _people(by_kind[Kind.EMERGENCY]) if p not in builders)
    missing = []
    if not builders:
        missing.append("nobody has signed for having built it (clerestory build --as PERSON)")
    if len(reviewers) < rules.reviewers:
        missing.append(
            f"{len(reviewers)} of {rules.reviewers} reviewers other than the builder have approved it"
        )
    if rules.recount and not recounted:
        missing.append("nobody but the builder has recounted it (clerestory rebuild-and-compare --as PERSON)")
    if rules.reproof and not proved:
        missing.append("nobody but the builder has proved it again (clerestory prove --as PERSON)")
    if builders and len(officers) < OFFICERS:
        first = min(one.approval.time for one in by_kind[Kind.BUILT])
        ready = first + timedelta(minutes=rules.review_minutes)
        if at < ready:
            left = (ready - at).total_seconds() / 60
            missing.append(
                f"the review time of {rules.review_minutes:,} minutes has {left:,.0f} to go "
                "(two officers may shorten it: clerestory emergency)"
            )
    return Counted(builders, reviewers, recounted, proved, officers, tuple(missing), tuple(aside))


def _people(found: Sequence[Given]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.person for one in found))


def _not_counted(
    one: Given,
    manifest: str,
    rules: GateRules,
    policy: str,
    trust: Trust,
    at: datetime,
    recorded: Collection[str] | None,
) -> str:
    approval = one.approval
    if approval.manifest != manifest:
        return "it is about another release"
    if recorded is not None and one.digest not in recorded:
        return "it is not in the ledger"
    if approval.time > at:
        return "its time is in the future"
    if approval.policy != policy:
        return "it was given under other rules; sign again"
    if approval.kind is Kind.APPROVED:
        if at - approval.time > timedelta(days=rules.approval_days):
            return f"it has expired after {rules.approval_days} days"
        if not approval.answers:
            return "the review page was not answered"
    problems = [
        problem
        for role in roles_for(approval.kind)
        for problem in (trust.problem(one.keyid, role, approval.time) or trust.problem(one.keyid, role, at),)
    ]
    return "" if "" in problems else problems[0]


def stale_problem(statements: Sequence[Given], events: Sequence[Event]) -> str:
    """Why a release is too old to go live after these lines; empty if it is not.

    It was audited against what was public when it was built; if another went live since, that is not known.
    """
    for one in statements:
        if one.approval.kind is not Kind.BUILT:
            continue
        after = one.approval.after
        known = 0 if after == FIRST else next((e.seq + 1 for e in events if e.digest == after), -1)
        if known < 0:
            return "it was built against another ledger"
        newer = [e.release for e in events[known:] if e.kind in (Kind.PUBLISHED, Kind.RESTORED)]
        if newer:
            return (
                f"{newer[-1]} went live after it was built, and it was not audited against that: build again"
            )
    return ""


def publisher_problem(person: str, counted: Counted) -> str:
    """Why this person may not publish: nobody publishes what he built or approved."""
    if person in counted.builders:
        return "who built a release does not publish it"
    if person in counted.reviewers:
        return "who approved a release does not publish it"
    return ""
