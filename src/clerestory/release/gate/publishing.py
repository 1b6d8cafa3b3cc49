"""Lets a release go live: everything is verified, then one line of the ledger is the switch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from securesystemslib.signer import Signer

from clerestory.errors import Refused
from clerestory.policy import GateRules
from clerestory.release.bundle import CURRENT, switch
from clerestory.release.gate import live
from clerestory.release.gate.bodies import ROOTS
from clerestory.release.gate.counting import Counted, count, given, publisher_problem, stale_problem
from clerestory.release.gate.register import Register, digest_of
from clerestory.release.gate.say import say, statement
from clerestory.release.ledger import Event, Kind, slots
from clerestory.release.manifest import ReleaseId
from clerestory.release.trust import FOLDER, Trust
from clerestory.release.verify import Release, open_release, verify_digests

_GO_ON = "see `clerestory review` and `clerestory approvals`"


@dataclass(frozen=True)
class Published:
    """A release that is live. before: the one that was, "" if none."""

    release: str
    manifest: str
    before: str
    counted: Counted
    event: Event


def counted_for(
    register: Register, release: Release, rules: GateRules, trust: Trust, events: Sequence[Event]
) -> Counted:
    """What the gate finds of a release now, by the ledger."""
    manifest = digest_of(release.folder)
    return count(
        given(release.folder, register.trust_then),
        manifest=manifest,
        rules=rules,
        policy=trust.rules_digest,
        trust=trust,
        at=register.clock(),
        recorded={event.body for event in events if event.manifest == manifest},
    )


def publish(root: Path, release: str, signer: Signer, *, rules: GateRules, register: Register) -> Published:
    """Verifies a release, its proof and its signatures, and makes it live.

    rules: those of the root, or the project's own if they ask for more.
    Raises Refused that says all that is missing; nothing is changed then. Killed at any moment, what was
    live before or this release is live, whole.
    """
    from clerestory.release.proof.verify_proof import verify_proof  # only publishing needs arrays

    opened = open_release(register.releases / release)
    verify_digests(opened.folder)
    verify_proof(opened.folder)
    manifest = digest_of(opened.folder)
    trust = register.trust()
    slots.prepare(root)
    said = statement(register, Kind.PUBLISHED, release, manifest, signer, trust)
    counted: list[Counted] = []
    before = ""

    def check(events: tuple[Event, ...]) -> None:
        nonlocal before
        standing = register.standing(events)
        problem = _state_problem(manifest, standing, events, register, opened)
        found = counted_for(register, opened, rules, trust, events)
        counted.append(found)
        problems = [
            *([problem] if problem else []),
            *found.missing,
            *filter(None, [publisher_problem(said.person, found)]),
        ]
        if problems:
            raise Refused("; ".join([*problems, *found.aside]), where=release, fix=_GO_ON)
        before = standing.live.release if standing.live else ""

    register.fold()
    check(register.events())
    show_roots(root)
    event = say(register, said, signer, check=check)
    # The line is the switch. The link follows it, for people and static hosts.
    switch(register.releases, ReleaseId(release), CURRENT)
    return Published(release, manifest, before, counted[-1], event)


def show_roots(root: Path) -> None:
    """Copies the chain of roots to where readers are shown it."""
    target = root / "releases" / ROOTS
    target.mkdir(mode=0o755, exist_ok=True)
    for file in sorted((root / FOLDER).glob("*.root.json")):
        fresh = target / f".{file.name}"
        fresh.write_bytes(file.read_bytes())
        fresh.replace(target / file.name)


def _state_problem(
    manifest: str,
    standing: live.Standing,
    events: Sequence[Event],
    register: Register,
    opened: Release,
) -> str:
    if manifest in standing.withdrawn:
        return "it was withdrawn; only `clerestory restore`, by two people, brings it back"
    if manifest in standing.rejected:
        return "it was rejected; build another one"
    if standing.live and standing.live.manifest == manifest:
        return "it is live already"
    if manifest in standing.published:
        return "it was live before and is older than what replaced it"
    return stale_problem(given(opened.folder, register.trust_then), events)
