"""What a server must show, looked at again and again: the ledger, its signatures, the release's bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clerestory.errors import ClerestoryError
from clerestory.release.ledger import FIRST, Event
from clerestory.release.publishing import live_problem
from clerestory.release.register import Clock, Register, digest_of, system_clock
from clerestory.release.verify import open_release, verify_digests


@dataclass(frozen=True)
class Live:
    """A release that may be shown. cache: seconds for which others may keep it, by the root's rules."""

    folder: Path
    release: str
    manifest: str
    cache: int


@dataclass(frozen=True)
class Withdrawn:
    """A release was taken down and nothing has replaced it. since: UTC, as the ledger has it."""

    release: str
    since: str


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
    or forked, is shown to nobody.
    """

    def __init__(self, root: Path, *, clock: Clock = system_clock, seen: Seen | None = None) -> None:
        self.register = Register(root, clock=clock)
        self.seen = seen or Seen()
        self._stamp: object = None
        self._decision: Decision = Nothing("nothing was looked at yet")
        self._verified = ""

    def look(self) -> Decision:
        """What to show now. Cheap while nothing changes; never raises."""
        try:
            stamp = self.register.stamp()
        except OSError:
            stamp = None
        if stamp is not None and stamp == self._stamp:
            return self._decision
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
        problem = live_problem(self.register, event, events)
        if problem:
            return Nothing(f"{event.release} was published without all signatures: {problem}")
        folder = self.register.releases / event.release
        if self._verified != event.manifest:
            open_release(folder)
            verify_digests(folder)
            if digest_of(folder) != event.manifest:
                return Nothing(f"{event.release} is not the release that was published")
            self._verified = event.manifest
        cache = self.register.trust_then(event.trust).gate.cache_seconds
        return Live(folder, event.release, event.manifest, cache)

    def _goes_on(self, events: tuple[Event, ...]) -> bool:
        if self.seen.seq < 0:
            return True
        return len(events) > self.seen.seq and events[self.seen.seq].digest == self.seen.digest
