"""A worker's way to the log: lines are collected and written to its pipe, many at once, never waiting."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass

EVERY = 0.02
"""Seconds that a line may wait in a worker."""
LONGEST_ASKED = 200
_MOST = 4 << 20
"""Bytes that may wait for a full pipe; with more, the worker serves nothing until they are gone."""


@dataclass(slots=True)
class Access:
    """One answer, as the log has it. sent: bytes of the body that the kernel took for the reader.

    ended: whole, lost (the reader or the network), cut (by a withdrawal), slow (by a limit), or begun, for a
    long one that goes on.
    """

    method: str
    status: int
    release: str
    file: str
    part: str
    size: int
    asked: str
    address: str
    began: float
    sent: int = 0
    ended: str = "whole"


class Outbox:
    """Lines and reports on their way to who keeps them. pipe: set not to block; name: who writes."""

    def __init__(self, pipe: int, name: str) -> None:
        self._pipe, self._name = pipe, name
        self._waiting = bytearray(b"\n")  # ends what a worker before this one may have left unfinished
        self._count = 0
        self._second = -1
        self._day = ""
        self.clock = "free"

    @property
    def full(self) -> bool:
        """Whether so much waits that nothing more should be served."""
        return len(self._waiting) > _MOST

    @property
    def waiting(self) -> bool:
        """Whether there is anything to flush."""
        return bool(self._waiting)

    def note(self, access: Access, seconds: float) -> None:
        """Adds one line to the log."""
        now = time.time_ns()
        second, rest = divmod(now, 1_000_000_000)
        if second != self._second:
            self._second, self._day = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        self._count += 1
        more = f',"part":"{access.part}"' if access.part else ""
        if access.asked:
            more += f',"asked":{json.dumps(access.asked[:LONGEST_ASKED])}'
        file = json.dumps(access.file)
        self._waiting += (
            f'{{"time":"{self._day}.{rest // 1000:06d}Z","clock":"{self.clock}",'
            f'"monotonic":{time.monotonic_ns()},"id":"{self._name}-{self._count}",'
            f'"release":"{access.release}","file":{file},'
            f'"method":"{access.method}","status":{access.status},"bytes":{access.sent},"size":{access.size},'
            f'"ended":"{access.ended}","seconds":{seconds:.4f},"address":"{access.address}"{more}}}\n'
        ).encode("ascii", "replace")

    def report(self, token: str, fields: dict[str, str]) -> None:
        """Sends a reader's report."""
        self._waiting += b"R" + json.dumps({"token": token, **fields}).encode() + b"\n"

    def flush(self) -> None:
        """Writes what the pipe takes."""
        while self._waiting:
            try:
                taken = os.write(self._pipe, self._waiting[: 64 << 10])
            except BlockingIOError:
                return
            del self._waiting[:taken]
