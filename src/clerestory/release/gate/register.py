"""The ledger with the root of trust beside it: every line stands under the root that it was signed under."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from securesystemslib.signer import Signer

from clerestory.errors import ClerestoryError, Refused
from clerestory.release.gate import live
from clerestory.release.gate.envelope import signature_holds
from clerestory.release.gate.live import Standing
from clerestory.release.gate.roles import role_of
from clerestory.release.ledger import (
    FIRST,
    NAME,
    UNSIGNED,
    Book,
    Event,
    Kind,
    head,
    next_time,
    signed,
    slots,
    written,
)
from clerestory.release.trust import Trust, load_chain, load_trust, trust_at
from clerestory.release.trust.store import root_name

TRUST = "trust"

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The machine's time, UTC."""
    return datetime.now(UTC)


class Register:
    """What is known of the releases in a folder that has a ledger, trust/ and releases/."""

    def __init__(self, root: Path, *, clock: Clock = system_clock) -> None:
        self.root = root
        self.clock = clock
        self._book = Book(root)
        self._trusts: dict[int, Trust] = {}
        self._checked = 0
        self._newest = 0

    @property
    def releases(self) -> Path:
        """The folder of releases."""
        return self.root / "releases"

    def events(self) -> tuple[Event, ...]:
        """Every line, each of whose signature stands. Raises Refused that names the line that does not."""
        found = self._book.events()
        for event in found[self._checked :]:
            problem = self._problem(event)
            if problem:
                raise Refused(
                    f"a line of the ledger does not stand: {problem}",
                    where=f"{NAME}, line {event.seq + 1}",
                    fix="find out who wrote it; nothing is served from a ledger that does not stand",
                )
            self._newest = max(self._newest, event.trust)
            self._checked = event.seq + 1
        return found

    def standing(self, events: Sequence[Event] | None = None) -> Standing:
        """Where the releases stand, with takedowns that wait beside the ledger counted in."""
        found = tuple(self.events() if events is None else events)
        return live.standing([*found, *self.waiting(found)], self.person)

    def waiting(self, events: Sequence[Event]) -> list[Event]:
        """Takedowns beside the ledger, as the lines that they will be."""
        before = events[-1] if events else None
        waiting = []
        for slip in slots.slips(self.root).values():
            before = _slip_line(before, slip, self.clock())
            waiting.append(before)
        return waiting

    def stamp(self) -> object:
        """What changes whenever the answer may."""
        return (self._book.stamp(), slots.stamp(self.root))

    def person(self, event: Event) -> str:
        """The id of the person who signed a line; "" for an unsigned one."""
        if not event.by:
            return ""
        who = self.trust_then(event.trust).who(event.by)
        return who.id if who else ""

    def trust(self) -> Trust:
        """The root of trust now. Raises Refused if there is none, it expired, or the ledger knows a newer."""
        self.events()
        return load_trust(self.root / TRUST, now=self.clock(), at_least=self._newest)

    def newest_trust(self) -> Trust:
        """The newest root, expired or not: for a takedown, which an expired root must not stop."""
        version = len(load_chain(self.root / TRUST))
        return self.trust_then(version)

    def trust_then(self, version: int) -> Trust:
        """The root of trust of a version, whether or not it has expired since."""
        if version not in self._trusts:
            self._trusts[version] = trust_at(self.root / TRUST, version)
        return self._trusts[version]

    def trusted(self, *, patience: float = 30.0) -> Event | None:
        """Writes down that the newest root of trust is in force; None if the ledger knows it, or is none.

        From this line on nothing counts that is signed under an older root: a key that the new one revokes
        cannot go on by naming the old one.
        """
        if not self.events():
            return None

        def make(found: tuple[Event, ...]) -> Event:
            before = found[-1]
            event = Event(
                seq=before.seq + 1,
                previous=before.digest,
                kind=Kind.TRUSTED,
                time=written(next_time(before, self.clock(), insist=False)),
                release=f"r-{newest.digest[:12]}",
                manifest=newest.digest,
                trust=newest.version,
            )
            if problem := self._problem(event):
                raise Refused(f"this cannot be written down: {problem}", where=NAME)
            return event

        newest = self.newest_trust()
        if newest.version <= self._newest:
            return None
        event = self._book.append(make, patience=patience)
        self.events()
        return event

    def _problem(self, event: Event) -> str:
        if event.kind is Kind.TRUSTED:
            if event.trust <= self._newest:
                return "the root of trust that it names is not newer than an earlier line's"
            digest = self.trust_then(event.trust).digest
            return "" if digest == event.manifest else "the root of trust that it names is another"
        if not event.signature:
            return "" if event.kind in UNSIGNED else "it is not signed"
        if event.trust < self._newest:
            return "it is signed under a root older than an earlier line's"
        trust = self.trust_then(event.trust)
        if event.by not in trust.keys or not trust.who(event.by):
            return "its key is nobody's"
        if not signature_holds(trust.keys[event.by], event.as_signature(), event.payload):
            return "its signature is not that of its key"
        role, problem = role_of(event.kind, event.by, trust, event.at)
        return "" if role else problem

    def write(
        self,
        kind: Kind,
        release: str,
        manifest: str,
        signer: Signer | None,
        *,
        trust: int = 0,
        body: str = "",
        check: Callable[[tuple[Event, ...]], None] | None = None,
        patience: float = 30.0,
    ) -> Event:
        """Adds a signed line, after the takedowns that wait.

        check: called with all lines under the lock; what it raises stops the writing. Raises Refused if the
        clock is behind, or for a line that would not stand; Undecided if nothing could be written.
        """
        self.fold(patience=patience, roots=kind is not Kind.WITHDRAWN)

        def make(found: tuple[Event, ...]) -> Event:
            if check is not None:
                check(found)
            before = found[-1] if found else None
            moment = next_time(before, self.clock(), insist=kind is not Kind.WITHDRAWN)
            event = signed(
                Event(
                    seq=before.seq + 1 if before else 0,
                    previous=head(found),
                    kind=kind,
                    time=written(moment),
                    release=release,
                    manifest=manifest,
                    body=body,
                    trust=trust,
                    by="",
                ),
                signer,
            )
            problem = self._problem(event)
            if problem:
                raise Refused(f"this cannot be written down: {problem}", where=NAME, fix="see `trust show`")
            return event

        self.events()
        return self._book.append(make, patience=patience)

    def fold(self, *, patience: float = 30.0, roots: bool = True) -> None:
        """Writes what waits into the ledger: a new root of trust, and takedowns, whose slots it clears.

        roots: False for a takedown, which waits for nothing.
        """
        if roots and os.path.lexists(self.root / TRUST / root_name(self._newest + 1)):
            with suppress(ClerestoryError):  # whoever needs the root hears of it there
                self.trusted(patience=patience)
        for file, slip in slots.slips(self.root).items():

            def make(found: tuple[Event, ...], slip: slots.Slip = slip) -> Event:
                return _slip_line(found[-1] if found else None, slip, self.clock())

            self._book.append(make, patience=patience)
            slots.clear(file)


def _slip_line(before: Event | None, slip: slots.Slip, now: datetime) -> Event:
    return Event(
        seq=before.seq + 1 if before else 0,
        previous=before.digest if before else FIRST,
        kind=Kind.WITHDRAWN,
        time=written(next_time(before, now, insist=False)),
        release=slip.release,
        manifest=slip.manifest,
        body=slip.body,
    )


def digest_of(folder: Path) -> str:
    """The SHA-256 of a release folder's manifest."""
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
