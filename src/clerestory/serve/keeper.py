"""Who keeps the log: a process that reads what workers send, and alone writes to the log folder.

Apart from the supervisor, so that a slow or full disk never delays a takedown. It ends when nobody is left
who could send anything, with every line written.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clerestory.serve.access_log import LONGEST_LINE, SYNC, AccessLog, age, fit
from clerestory.serve.reports import Inbox

_PIECE = 256 << 10
_LONGEST = 64 << 10
_AGE_EVERY = 3600.0


@dataclass(slots=True)
class _Slot:
    """A worker's two pipes. rest: what of a line has arrived."""

    pipe: int
    replies: int
    rest: bytearray = field(default_factory=bytearray)


def keep(
    folder: Path, pipes: Sequence[tuple[int, int]], status: int, about: dict[str, Any], keep_days: int
) -> None:
    """Keeps the log until every pipe is closed at its other end. pipes: (to read, to reply to) by worker.

    status: where L1 is written when the log cannot be written, and L0 when it can again.
    """
    log, inbox = AccessLog(folder, about), Inbox(folder)
    selector = selectors.DefaultSelector()
    for pipe, replies in pipes:
        os.set_blocking(pipe, False)
        os.set_blocking(replies, False)
        selector.register(pipe, selectors.EVENT_READ, _Slot(pipe, replies))
    failing = False
    aged = -_AGE_EVERY
    while selector.get_map():
        for key, _ in selector.select(SYNC / 4 if log.behind else 1.0):
            if not _take(key.data, log, inbox):
                selector.unregister(key.fileobj)
        log.write()
        if bool(log.problem) != failing:
            failing = bool(log.problem)
            _tell(status, f"L{int(failing)} {log.problem}\n")
        if time.monotonic() - aged > _AGE_EVERY:
            aged = time.monotonic()
            _age(folder, keep_days)
    try:
        log.write()
        log.sync()
    except OSError as problem:
        _tell(status, f"L1 {problem.strerror}\n")


def _take(slot: _Slot, log: AccessLog, inbox: Inbox) -> bool:
    """Takes what a worker sent; False when nobody is left to send more."""
    try:
        data = os.read(slot.pipe, _PIECE)
    except BlockingIOError:
        return True
    slot.rest += data
    end = slot.rest.rfind(b"\n") + 1
    whole = bytes(slot.rest[:end])
    del slot.rest[:end]
    if len(slot.rest) > _LONGEST:
        slot.rest.clear()
    lines = []
    for line in whole.split(b"\n"):
        if line.startswith(b"R"):
            token, status, number = inbox.take(line[1:], time.monotonic())
            if token:
                _tell(slot.replies, f"{token} {status} {number}\n")
        elif len(line) < LONGEST_LINE and fit(line):
            lines.append(line)
    if lines:
        log.add(b"\n".join(lines) + b"\n")
    return bool(data)


def _tell(descriptor: int, words: str) -> None:
    try:
        os.write(descriptor, words.encode())
    except OSError:
        return  # nobody listens, or does not read: it asks again


def _age(folder: Path, keep_days: int) -> None:
    """In a process of its own: rewriting a large day takes longer than lines may wait."""
    child = os.fork()
    if child == 0:
        try:
            age(folder, keep_days)
        finally:
            os._exit(0)
