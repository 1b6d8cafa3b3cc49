"""The access log: one JSON line an answer, a file a day, only ever added to.

Who keeps it writes what workers send at once and makes it durable every SYNC seconds. With what a line may
wait in a worker, LOSS bounds what a kill or a power cut can take.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from clerestory import __version__
from clerestory.errors import InputError
from clerestory.serve.addresses import Addresses, written

SYNC = 0.1
"""Seconds between two fsyncs while lines arrive."""
LOSS = 0.2
"""Seconds of lines that a kill or a power cut can take at most."""
LONGEST_LINE = 4096
_MOST = 16 << 20
"""Bytes that wait for a disk that takes none; what comes on top is counted."""
_NAME = "access-{}.ndjson"
_AGED = "access-{}.aged.ndjson"


def named(folder: Path, day: date) -> Path:
    """The file of a day (UTC): the one being written, or the one whose addresses are gone."""
    file = folder / _NAME.format(day.isoformat())
    aged = folder / _AGED.format(day.isoformat())
    return aged if aged.exists() and not file.exists() else file


def make(folder: Path) -> None:
    """Makes the log folder, closed to others. Raises InputError if it cannot be written."""
    try:
        for missing in reversed([made for made in (folder, *folder.parents) if not made.exists()]):
            missing.mkdir(mode=0o700)
        trial = folder / f".trial-{secrets.token_hex(4)}"
        os.close(os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        trial.unlink()
    except OSError as problem:
        raise InputError(
            f"the access log cannot be written: {problem.strerror}",
            where=str(folder),
            fix="name another folder with --log, or let this account write there",
        ) from None


class AccessLog:
    """Appends lines to the file of the day. folder: exists; about: what each opening line says."""

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self._folder, self._about = folder, about
        self._file = -1
        self._day: date | None = None
        self._waiting = bytearray()
        self._unsynced = False
        self._synced = 0.0
        self._lost = 0
        self.problem = ""
        """Why lines cannot be written; empty if they can."""

    def add(self, lines: bytes) -> None:
        """Takes whole lines, to be written by the next write()."""
        if len(self._waiting) + len(lines) > _MOST:
            self._lost += lines.count(b"\n")
        else:
            self._waiting += lines

    def write(self) -> None:
        """Writes what waits, and makes it durable if that was not done lately; a failure is in `problem`."""
        try:
            if self._waiting or self._lost:
                self._open()
                while self._waiting:
                    taken = os.write(self._file, self._waiting[: 1 << 20])
                    del self._waiting[:taken]
                    self._unsynced = True
                if self._lost:
                    self._waiting += _line({"kind": "gap", "lost": self._lost, **_now()})
                    self._lost = 0
            if self._unsynced and time.monotonic() - self._synced >= SYNC:
                self.sync()
            self.problem = ""
        except OSError as problem:
            self.problem = problem.strerror or "it failed"

    def sync(self) -> None:
        """Makes what was written durable. Raises OSError."""
        if self._file >= 0:
            os.fdatasync(self._file) if hasattr(os, "fdatasync") else os.fsync(self._file)
        self._unsynced = False
        self._synced = time.monotonic()

    @property
    def behind(self) -> bool:
        """Whether something is not durable yet."""
        return bool(self._waiting) or self._unsynced

    def _open(self) -> None:
        today = _today()
        if self._file >= 0 and self._day == today:
            return
        if self._file >= 0:
            self.sync()
            os.close(self._file)
            self._file = -1
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(self._folder / _NAME.format(today.isoformat()), flags, 0o600)
        size = os.fstat(self._file).st_size
        torn = size and os.pread(self._file, 1, size - 1) != b"\n"
        head = _line({"kind": "opened", "software": f"clerestory {__version__}", **_now(), **self._about})
        self._waiting[:0] = (b"\n" if torn else b"") + head
        self._day = today
        folder = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def fit(line: bytes) -> bool:
    """Whether a worker's line may go into the log as it is; a worker is not trusted."""
    return line.startswith(b'{"time":"') and line.endswith(b"}") and len(line) < LONGEST_LINE


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def _now() -> dict[str, Any]:
    now = time.time_ns()
    second, rest = divmod(now, 1_000_000_000)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
    return {"time": f"{stamp}.{rest // 1000:06d}Z", "monotonic": time.monotonic_ns()}


def _today() -> date:
    now = time.gmtime()
    return date(now.tm_year, now.tm_mon, now.tm_mday)


def lines_of(file: Path) -> Iterator[dict[str, Any] | None]:
    """What each line of a file of the log says; None for a line that was written in part only."""
    with file.open("rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                said = json.loads(line)
            except ValueError:
                said = None
            yield said if isinstance(said, dict) else None


def age(folder: Path, keep_days: int) -> list[Path]:
    """Takes the plain addresses out of files that are older than so many days; the files it made.

    In each, an address becomes a digest under a key that nobody keeps: how many there were can still be
    counted, within that day.
    """
    made = []
    limit = _today() - timedelta(days=keep_days)
    for file in sorted(folder.glob(_NAME.format("????-??-??"))):
        try:
            day = date.fromisoformat(file.name[len("access-") : len("access-") + 10])
        except ValueError:
            continue
        if day < limit:
            made.append(_aged(folder, file, day))
    return made


def _aged(folder: Path, file: Path, day: date) -> Path:
    key = f"x:{secrets.token_hex(32)}"
    target = folder / _AGED.format(day.isoformat())
    making = folder / f".aged-{secrets.token_hex(4)}"
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            if target.exists():  # a clock that was set back wrote to an old day again
                out.write(target.read_bytes())
            for said in lines_of(file):
                if said is None:
                    continue
                address = said.get("address", "")
                if address and not str(address).startswith("h"):
                    said["address"] = written(str(address), Addresses.HASHED, key)
                out.write(_line(said))
            out.flush()
            os.fsync(descriptor)
        making.replace(target)
        file.unlink()
    finally:
        making.unlink(missing_ok=True)
    return target
