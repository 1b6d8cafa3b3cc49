"""The ledger on disk: read from where the last look ended, appended under the kernel's lock, durable.

Several processes may write. A line is acknowledged when it is on the disk; a torn last line, from a kill or a
full disk, is no line, and the next writer removes it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clerestory.errors import ClerestoryError, Refused, Undecided
from clerestory.release.ledger.event import FIRST, Event, parse_line

NAME = "ledger.jsonl"
MOST_BYTES = 256 << 20
SKEW = timedelta(minutes=5)
"""How far the clock may be behind the last line: two machines are never quite at the same time."""
_FIX = "restore ledger.jsonl from a backup, and compare its head with one that was published"


@dataclass(frozen=True, slots=True)
class _Mark:
    """How far a file was read and found good."""

    inode: tuple[int, int]
    size: int


class Book:
    """The ledger of a project, or of a server's folder. Remembers what it read, in memory alone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / NAME
        self._events: list[Event] = []
        self._mark = _Mark((0, 0), 0)

    def events(self) -> tuple[Event, ...]:
        """All lines, oldest first; none if there is no file yet.

        Raises Refused if a line is not canonical, does not follow the one before, or if what was read
        earlier is no longer there.
        """
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(self.file, flags)
        except FileNotFoundError:
            if self._events:
                raise Refused("the ledger is gone", where=NAME, fix=_FIX) from None
            return ()
        except OSError:
            raise Refused("the ledger cannot be read", where=NAME, fix=_FIX) from None
        try:
            self._follow(descriptor)
        finally:
            os.close(descriptor)
        return tuple(self._events)

    def stamp(self) -> tuple[int, int, int]:
        """What changes whenever the file does: cheap, to see whether events() has anything new to say."""
        try:
            facts = self.file.stat(follow_symlinks=False)
        except FileNotFoundError:
            return (0, 0, 0)
        return (facts.st_ino, facts.st_size, facts.st_mtime_ns)

    def _follow(self, descriptor: int) -> int:
        """Reads on from where the last look ended; returns how many bytes are whole lines."""
        facts = os.fstat(descriptor)
        inode = (facts.st_dev, facts.st_ino)
        if facts.st_size > MOST_BYTES:
            raise Refused("it is too large", where=NAME, fix=_FIX)
        if inode != self._mark.inode or facts.st_size < self._mark.size:
            # Another file, or a shorter one: it must hold all that was seen, in the same order.
            known, self._events, self._mark = self._events, [], _Mark(inode, 0)
            try:
                self._read(descriptor, inode, facts.st_size)
                if self._events[: len(known)] != known:
                    raise Refused("lines that were in the ledger are gone or others", where=NAME, fix=_FIX)
            except ClerestoryError:
                self._events, self._mark = known, _Mark((0, 0), 0)
                raise
            return self._mark.size
        self._read(descriptor, inode, facts.st_size)
        return self._mark.size

    def _read(self, descriptor: int, inode: tuple[int, int], size: int) -> None:
        start = self._mark.size
        content = _pread(descriptor, size - start, start)
        whole = content.rfind(b"\n") + 1
        fresh = parse(content[:whole], after=self._events[-1] if self._events else None)
        self._events += fresh
        self._mark = _Mark(inode, start + whole)

    def append(self, make: Callable[[tuple[Event, ...]], Event], *, patience: float = 30.0) -> Event:
        """Adds one line, durably. make: gets all lines, under the lock, and gives the next one.

        patience: seconds to wait for other writers. Raises what make() raises, with nothing written;
        Undecided if the lock was not to be had or the disk is full, with nothing written either.
        """
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        fresh = not self.file.exists()
        try:
            descriptor = os.open(self.file, flags, 0o644)
        except OSError as problem:
            raise Undecided(f"the ledger cannot be written ({_reason(problem)})", where=NAME) from None
        try:
            _locked(descriptor, patience)
            try:
                whole = self._follow(descriptor)
                if os.fstat(descriptor).st_size > whole:
                    os.ftruncate(descriptor, whole)
                event = make(tuple(self._events))
                line = event.to_bytes()
                parse_line(line, self._events[-1] if self._events else None)
                _write(descriptor, line, whole)
                self._events.append(event)
                self._mark = _Mark(self._mark.inode, whole + len(line))
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            # After the lock: one fsync carries the lines of every writer that got in meanwhile.
            os.fsync(descriptor)
        except OSError as problem:
            raise Undecided(
                f"the ledger could not be written ({_reason(problem)}); nothing was added",
                where=NAME,
                fix="free some space or wait for the other command, then try again",
            ) from None
        finally:
            os.close(descriptor)
        if fresh:
            sync_folder(self.root)
        return event


def parse(content: bytes, *, after: Event | None = None) -> tuple[Event, ...]:
    """The events of whole lines that follow `after`. Raises Refused that names the line."""
    found: list[Event] = []
    before = after
    for line in content.splitlines(keepends=True):
        try:
            before = parse_line(line, before)
        except ValueError as problem:
            number = (before.seq + 1 if before else 0) + 1
            raise Refused(
                f"the ledger was changed: {problem}", where=f"{NAME}, line {number}", fix=_FIX
            ) from None
        found.append(before)
    return tuple(found)


def head(events: tuple[Event, ...]) -> str:
    """The digest of the last line."""
    return events[-1].digest if events else FIRST


def next_time(before: Event | None, now: datetime, *, insist: bool) -> datetime:
    """The time of the next line: never before the last one's.

    insist: a clock that is behind by more than SKEW is refused; without it (a takedown) it is passed over.
    """
    last = before.at if before else datetime(2000, 1, 1, tzinfo=UTC)
    if insist and now < last - SKEW:
        raise Refused(
            f"the clock is {(last - now).total_seconds():,.0f} seconds behind the last line",
            where=NAME,
            fix="set the clock; if the ledger's time is the wrong one, wait: see `clerestory ledger verify`",
        )
    return max(last, now)


def _locked(descriptor: int, patience: float) -> None:
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise OSError(errno.EAGAIN, "locked") from None
            time.sleep(0.001)
        else:
            return


def _write(descriptor: int, line: bytes, size: int) -> None:
    try:
        if os.write(descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, "full")
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _pread(descriptor: int, size: int, start: int) -> bytes:
    parts = []
    while size > 0:
        part = os.pread(descriptor, size, start)
        if not part:
            break
        parts.append(part)
        size, start = size - len(part), start + len(part)
    return b"".join(parts)


def _reason(problem: OSError) -> str:
    return {errno.ENOSPC: "the disk is full", errno.EAGAIN: "another command holds it"}.get(
        problem.errno or 0, "the file system says no"
    )


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
