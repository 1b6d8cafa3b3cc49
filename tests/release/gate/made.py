"""A project with a root of trust and small releases, for tests of the gate."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from clerestory.policy import GateRules
from clerestory.release.bundle import commit, stage
from clerestory.release.gate.publishing import Published, publish
from clerestory.release.gate.register import Register, digest_of
from clerestory.release.gate.say import say, statement
from clerestory.release.ledger import Event, Kind, head
from clerestory.release.proof.prove import prove
from tests.release.signing import GATE, NOW, agree, content, signer

ANSWERS = "a" * 64


class Project:
    """A folder with trust/, ledger.jsonl and releases/, and a clock that the test sets."""

    def __init__(self, root: Path, gate: GateRules = GATE) -> None:
        root.mkdir(exist_ok=True)
        self.root = root
        self.now = NOW
        self.gate = gate
        agree(root / "trust", content(gate=gate))
        self.register = self.fresh()

    @classmethod
    def there(cls, root: Path) -> Project:
        """The project that another process made."""
        self = cls.__new__(cls)
        self.root, self.now, self.gate = root, NOW, GATE
        self.register = self.fresh()
        return self

    def catch_up(self) -> None:
        """Sets the clock to the ledger's last line."""
        events = self.register.events()
        if events:
            self.now = max(self.now, events[-1].at)

    def fresh(self) -> Register:
        """The register as another process sees it."""
        return Register(self.root, clock=lambda: self.now)

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def release(self, title: str = "one", day: date = date(2026, 11, 25)) -> str:
        files = [("site/index.html", f"<!doctype html>{title}".encode() * 50, "page")]
        release = commit(stage(self.root / "releases", files, title=title, date=day, tables={}))
        prove(release.folder)
        return str(release.id)

    def say(self, kind: Kind, release: str, who: str, **more: str) -> Event:
        self.wait(seconds=1)
        manifest = digest_of(self.root / "releases" / release)
        key = signer(who)
        trust = self.register.trust()
        said = statement(self.register, kind, release, manifest, key, trust, **more)
        return say(self.register, said, key)

    def built(self, title: str = "one", who: str = "ana") -> str:
        release = self.release(title)
        self.say(Kind.BUILT, release, who, after=head(self.register.events()))
        return release

    def approved(self, title: str = "one") -> str:
        release = self.built(title)
        for who in ("ben", "cleo")[: self.gate.reviewers]:
            self.say(Kind.APPROVED, release, who, answers=ANSWERS)
        return release

    def publish(self, release: str, who: str = "pia", rules: GateRules | None = None) -> Published:
        self.wait(seconds=1)
        return publish(self.root, release, signer(who), rules=rules or self.gate, register=self.register)

    def live(self, title: str = "one") -> str:
        release = self.approved(title)
        self.publish(release)
        return release


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]
