"""What a server must show, looked at again and again: the ledger, its signatures, the release's bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clerestory.errors import ClerestoryError
from clerestory.release.gate.counting import count, given, publisher_problem, stale_problem
from clerestory.release.gate.live import Standing
from clerestory.release.gate.register import Clock, Register, digest_of, system_clock
from clerestory.release.gate.reporting import Report, overdue
from clerestory.release.ledger import FIRST, Event, Kind, slots, written
from clerestory.release.verify import open_release, verify_digests

_CLOCKS = timedelta(seconds=1)
"""How often clocks are looked at where no file has changed."""


@dataclass(frozen=True)
class Live:
    """A release that may be shown.

    manifest: the SHA-256 of its manifest, "" to go by the release's id. cache: seconds for which others may
    keep it, by the root's rules. withdrawn: ids of releases that were taken down: whatever of them is still
    being sent is cut.
    """

    folder: Path
    release: str
    manifest: str = ""
    cache: int = 60
    withdrawn: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Withdrawn:
    """A release was taken down and nothing has replaced it. since: UTC, as the ledger has it."""

    release: str
    since: str = ""


@dataclass(frozen=True)
class Nothing:
    """Nothing may be shown. problem: why, for the log."""

    problem: str


Decision = Live | Withdrawn | Nothing


@dataclass(frozen=True)
class Seen:
    """The newest line of the ledger that somebody has seen: what comes later must go on from it."""

    seq: int = -1
    digest: str = FIRST


class Decider:
    """Looks at a folder with trust/, ledger.jsonl and releases/.

    seen: the newest line that this server saw in an earlier life. A ledger without it, restored from a backup
    or forked, is shown to nobody. inbox: gives the reports from outside that this server has taken. digests:
    False leaves the comparison of every byte to the caller.
    """

    def __init__(
        self,
        root: Path,
        *,
        clock: Clock = system_clock,
        seen: Seen | None = None,
        inbox: Callable[[], Sequence[Report]] = tuple,
        digests: bool = True,
    ) -> None:
        self.register = Register(root, clock=clock)
        self.seen = seen or Seen()
        self._inbox, self._digests = inbox, digests
        self._next = datetime.min.replace(tzinfo=UTC)
        self._stamp: object = None
        self._decision: Decision = Nothing("nothing was looked at yet")
        self._verified = ""

    def look(self) -> Decision:
        """What to show now. Cheap while nothing changes; never raises."""
        try:
            stamp = self.register.stamp()
        except OSError:
            stamp = None
        now = self.register.clock()
        if stamp is not None and stamp == self._stamp and now < self._next:
            return self._decision
        self._next = now + _CLOCKS
        try:
            self._decision = self._decide()
            self._stamp = stamp
        except ClerestoryError as problem:
            self._decision = Nothing(f"{problem.where}: {problem.what}" if problem.where else problem.what)
        except (OSError, ValueError) as problem:
            self._decision = Nothing(f"the releases cannot be read ({type(problem).__name__})")
        return self._decision

    def _decide(self) -> Decision:
        events = self.register.events()
        if not self._goes_on(events):
            return Nothing("the ledger lacks lines that this server has seen: it was restored or replaced")
        if events:
            self.seen = Seen(events[-1].seq, events[-1].digest)
        standing = self.register.standing(events)
        event = standing.live
        if event is None:
            if standing.notice is None:
                return Nothing("nothing was published yet")
            return Withdrawn(standing.notice.release, standing.notice.time)
        rules = self.register.trust_then(event.trust).gate
        if self._overdue(standing, events, rules.report_hours):
            slots.slip_in(
                self.register.root,
                slots.Slip(event.release, event.manifest, written(self.register.clock()), ""),
            )
            return Withdrawn(event.release, written(self.register.clock()))
        problem = live_problem(self.register, event, events)
        if problem:
            return Nothing(f"{event.release} was published without all signatures: {problem}")
        folder = self.register.releases / event.release
        if self._verified != event.manifest:
            open_release(folder)
            if self._digests:
                verify_digests(folder)
            if digest_of(folder) != event.manifest:
                return Nothing(f"{event.release} is not the release that was published")
            self._verified = event.manifest
        down = frozenset(one.release for one in standing.withdrawn.values())
        return Live(folder, event.release, event.manifest, rules.cache_seconds, down)

    def _overdue(self, standing: Standing, events: Sequence[Event], hours: int) -> bool:
        known = {event.body for event in events if event.kind is Kind.REPORTED}
        waiting = []
        for report in self._inbox():
            if report.digest not in known:
                with contextlib.suppress(ValueError):
                    waiting.append(datetime.fromisoformat(report.received))
        return overdue(standing, waiting, hours, self.register.clock())

    def _goes_on(self, events: tuple[Event, ...]) -> bool:
        if self.seen.seq < 0:
            return True
        return len(events) > self.seen.seq and events[self.seen.seq].digest == self.seen.digest


def live_problem(register: Register, event: Event, events: Sequence[Event]) -> str:
    """Why a line that made a release live does not stand; empty if it does. For servers and outsiders.

    Counts what the ledger had before the line, by the rules of the root that the line was signed under.
    """
    first = next(e for e in events if e.kind is Kind.PUBLISHED and e.manifest == event.manifest)
    folder = register.releases / first.release
    trust = register.trust_then(first.trust)
    statements = given(folder, register.trust_then)
    found = count(
        statements,
        manifest=first.manifest,
        rules=trust.gate,
        policy=trust.rules_digest,
        trust=trust,
        at=first.at,
        recorded={e.body for e in events[: first.seq] if e.manifest == first.manifest},
    )
    problems = [
        publisher_problem(register.person(first), found),
        stale_problem(statements, events[: first.seq]),
    ]
    return "; ".join([*found.missing, *filter(None, problems)])
