"""The page of memory through which the supervisor tells its workers what holds; they can read it only.

A sequence number says whether anything changed, so that a worker's look costs no system call; a checksum
keeps a half-written page from being believed, on every processor.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import tempfile
import time
import zlib
from dataclasses import asdict, dataclass

_SIZE = 16 << 10
_AT_BEAT, _AT_LENGTH, _AT_BODY = 8, 16, 24
_TRIES = 10_000
STALE = 3.0
"""Seconds without a sign of life from the supervisor after which workers serve nothing: they would not hear
of a withdrawal."""


@dataclass(frozen=True, slots=True)
class View:
    """What workers go by. release: the one to serve, or that was withdrawn; "" with neither flag: nothing.

    withdrawn: others that were taken down. since: when the release was. addresses: how to write them to the
    log; key: of their digests, in hexadecimal. max_age: seconds for which caches may keep answers.
    synchronised: whether the clock follows a time server.
    """

    release: str = ""
    live: bool = False
    gone: bool = False
    since: str = ""
    withdrawn: tuple[str, ...] = ()
    addresses: str = "hashed"
    key: str = ""
    max_age: int = 0
    synchronised: bool = False


NOTHING = View()


class Page:
    """Shared between the supervisor, which writes, and workers forked from it."""

    def __init__(self) -> None:
        """A new page that says that nothing is served."""
        if hasattr(os, "memfd_create"):
            writable = os.memfd_create("clerestory", os.MFD_CLOEXEC)
            os.ftruncate(writable, _SIZE)
            self._readable = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY | os.O_CLOEXEC)
        else:
            writable, name = tempfile.mkstemp()
            os.ftruncate(writable, _SIZE)
            self._readable = os.open(name, os.O_RDONLY)
            os.unlink(name)  # noqa: PTH108
        self._map = mmap.mmap(writable, _SIZE)
        os.close(writable)
        self._sequence = 0
        self._seen = b""
        self._view = NOTHING
        self.publish(NOTHING)

    def publish(self, view: View) -> None:
        """Tells all workers; they know before their next answer."""
        body = json.dumps(asdict(view)).encode()
        if _AT_BODY + len(body) > _SIZE:  # thousands of withdrawn releases: cut whatever is not the live one
            body = json.dumps(asdict(view) | {"withdrawn": ["*"]}).encode()
        self._sequence += 1
        self._map[_AT_LENGTH : _AT_BODY + len(body)] = struct.pack("=II", len(body), zlib.crc32(body)) + body
        self._map[:8] = struct.pack("=Q", self._sequence)
        self.beat()

    def beat(self) -> None:
        """Says that the supervisor lives."""
        self._map[_AT_BEAT:_AT_LENGTH] = struct.pack("=d", time.monotonic())

    def for_reading(self) -> None:
        """Makes this process's page one that it cannot write, whatever happens to it later."""
        readable = mmap.mmap(self._readable, _SIZE, access=mmap.ACCESS_READ)
        self._map.close()
        self._map = readable

    def look(self) -> View:
        """What holds now."""
        if self._map[:8] != self._seen:
            self._read()
        return self._view

    def fresh(self) -> bool:
        """Whether the supervisor gave a sign of life lately."""
        beat: float = struct.unpack("=d", self._map[_AT_BEAT:_AT_LENGTH])[0]
        return time.monotonic() - beat < STALE

    def _read(self) -> None:
        for _ in range(_TRIES):
            sequence = self._map[:8]
            length, checksum = struct.unpack("=II", self._map[_AT_LENGTH:_AT_BODY])
            body = self._map[_AT_BODY : min(_AT_BODY + length, _SIZE)]
            if zlib.crc32(body) == checksum:
                said = json.loads(body)
                self._view = View(**said | {"withdrawn": tuple(said["withdrawn"])})
                self._seen = sequence
                return
        self._view = NOTHING  # the writer died in the middle; the next look tries again
