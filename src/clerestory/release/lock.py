"""One build at a time: a lock on a file in the project's confidential folder, let go by the kernel."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clerestory.errors import InputError


@dataclass(frozen=True)
class BuildLock:
    """Says that its holder is the only build of this project; only lock() makes one."""

    file: Path
    since: datetime


@contextmanager
def lock(confidential: Path) -> Iterator[BuildLock]:
    """Holds the build lock of a project, until the block or the process ends, kill -9 included.

    confidential: the project's confidential folder, where the lock file lies; made with mode 0700 if absent.
    Raises InputError if another build holds it, with its process number and since when.
    """
    confidential.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = confidential / "build.lock"
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"another build of this project is running{_holder(descriptor)}",
                where=str(file),
                fix="wait until it has ended, or end that process; the lock then opens by itself",
            ) from None
        since = datetime.now(UTC).replace(microsecond=0)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "since": since.isoformat()}).encode(), 0)
        yield BuildLock(file, since)
    finally:
        # The file stays: removing it would let two builds lock two files of the same name.
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    try:
        said = json.loads(os.pread(descriptor, 200, 0))
        since = datetime.fromisoformat(said["since"])
        return f" (process {int(said['pid'])}, since {since:%Y-%m-%d %H:%M:%S} UTC)"
    except (ValueError, KeyError, TypeError, OSError):
        return ""  # it has just started and not said yet
