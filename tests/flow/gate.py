"""Lets what a test built go live, with real keys and a root of trust."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from clerestory.confidential import budget
from clerestory.policy import GateRules
from clerestory.release.gate.publishing import publish
from clerestory.release.gate.register import Register, digest_of
from clerestory.release.gate.say import say, statement
from clerestory.release.ledger import FIRST, Kind, head
from tests.release.signing import COURSE, ROLES, agree, content, person, signer

GATE = GateRules(reviewers=1)


def trusted(project: Path, gate: GateRules = GATE) -> None:
    """Gives a project a root of trust, if it has none."""
    if not (project / "trust").exists():
        now = datetime.now(UTC)
        training = (type(COURSE)(COURSE.course, now.date(), now.date().replace(year=now.year + 1)),)
        people = {name: person(name, training=training) for name in ROLES}
        said = content(people, gate=gate, expires=now.replace(year=now.year + 1))
        agree(project / "trust", said, now=now)


def go_live(project: Path, release: Path | str | None = None) -> Path:
    """Signs for a release, the one that was built last if none is named, and publishes it."""
    trusted(project)
    folder = (project / "releases" / (release or "staged")).resolve()
    register = Register(project)
    standing = register.standing()
    if standing.live and standing.live.release == folder.name:
        return folder
    manifest = digest_of(folder)
    trust = register.trust()
    after = head(register.events()) or FIRST
    for kind, who, more in (
        (Kind.BUILT, "ana", {"after": after, "budget": budget.head(project) or ""}),
        (Kind.APPROVED, "ben", {"answers": "a" * 64}),
    ):
        key = signer(who)
        said = statement(register, kind, folder.name, manifest, key, trust, **more)
        say(register, said, key)
    publish(project, folder.name, signer("pia"), rules=trust.gate, register=register)
    return folder
