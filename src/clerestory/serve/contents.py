"""Contents of files, sent only if they are the manifest's: checked when read, and again when touched."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from clerestory.serve.headers import shrinks
from clerestory.serve.snapshot import Served

try:
    import brotli  # type: ignore[import-untyped,import-not-found,unused-ignore]
except ImportError:  # it makes answers smaller; gzip is always there
    brotli = None

SMALL = 1 << 20
"""Bytes up to which a file is kept in memory and compressed; larger ones go from disk as they are."""
DIRECT = 64 << 10
"""Bytes from which the kernel sends a file that is not compressed, without a copy here."""
QUICK = 16 << 10
"""Bytes up to which compressing is quicker than another thread: other readers do not notice."""
_WORTH = 600
"""Bytes below which compressing gains nothing."""

_Stamp = tuple[int, int, int, int, int]


class Damaged(Exception):
    """A file's bytes are not those of the manifest, or it is gone."""


class Later(Exception):
    """The contents are not ready: `work` makes them so, in another thread, and then they are asked for again.

    key: what it makes; asked for twice, it is made once. work: raises Damaged.
    """

    def __init__(self, key: str, work: Callable[[], object]) -> None:
        self.key, self.work = key, work
        super().__init__(key)


@dataclass(slots=True)
class _Kept:
    """Bodies by encoding ("" for none), with the file's stamp when its digest was checked.

    made: bodies that another thread compressed and that are not counted yet.
    """

    stamp: _Stamp
    bodies: dict[str, bytes]
    made: dict[str, bytes] = field(default_factory=dict)


class Contents:
    """Checked contents of small files, least recently used first out, and checks of large ones."""

    def __init__(self, maximum: int) -> None:
        """maximum: bytes kept in memory, all encodings together."""
        self.maximum = maximum
        self.size = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._checked: dict[str, _Stamp] = {}

    def body(self, served: Served, encodings: set[str]) -> tuple[bytes, str]:
        """A small file's bytes and their encoding ("" for none), as small as the reader takes them.

        Raises Later if they are still to be compressed and that takes a while; Damaged if the file on disk is
        not the manifest's, even if its bytes are still in memory.
        """
        name = str(served.file)
        kept = self._kept.get(name)
        try:
            if kept is None or _stamp(os.lstat(name)) != kept.stamp:
                kept = self._read(name, served)
        except OSError:
            self._drop(name)
            raise Damaged from None
        self._kept.move_to_end(name)
        encoding = best(served, encodings)
        if encoding not in kept.bodies:
            made = kept.made.pop(encoding, None)
            if made is None and len(kept.bodies[""]) > QUICK:
                raise Later(f"{name} {encoding}", partial(_make, kept, encoding))
            kept.bodies[encoding] = body = made or _compressed(kept.bodies[""], encoding)
            self.size += len(body)
            self._make_room()
        return kept.bodies[encoding], encoding

    def _read(self, name: str, served: Served) -> _Kept:
        self._drop(name)
        with _opened(served.file) as descriptor:
            stamp = _stamp(os.fstat(descriptor))
            body = os.pread(descriptor, served.entry.size + 1, 0)
        if hashlib.sha256(body).hexdigest() != served.entry.sha256:
            raise Damaged
        self._kept[name] = kept = _Kept(stamp, {"": body})
        self.size += len(body)
        self._make_room()
        return kept

    def _drop(self, name: str) -> None:
        kept = self._kept.pop(name, None)
        if kept is not None:
            self.size -= sum(map(len, kept.bodies.values()))

    def _make_room(self) -> None:
        while self.size > self.maximum and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    @contextmanager
    def large(self, served: Served) -> Iterator[int]:
        """A descriptor of a large file whose digest was checked since it was last touched.

        Raises Later if it must be read whole for that, Damaged if it is not the manifest's.
        """
        name = str(served.file)
        with _opened(served.file) as descriptor:
            stamp = _stamp(os.fstat(descriptor))
            if self._checked.get(name) != stamp:
                raise Later(name, partial(self._check, served))
            yield descriptor

    def _check(self, served: Served) -> None:
        with _opened(served.file) as descriptor:
            stamp = _stamp(os.fstat(descriptor))
            with os.fdopen(os.dup(descriptor), "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != served.entry.sha256 or _stamp(os.fstat(descriptor)) != stamp:
                raise Damaged
        self._checked[str(served.file)] = stamp

    def forget(self) -> None:
        """Forgets everything, after a switch."""
        self._kept.clear()
        self._checked.clear()
        self.size = 0


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise Damaged from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Damaged
        yield descriptor
    finally:
        os.close(descriptor)


def _stamp(facts: os.stat_result) -> _Stamp:
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def best(served: Served, encodings: set[str]) -> str:
    """The encoding to send a small file in, of those that the reader takes; "" for none."""
    if served.entry.size < _WORTH or not shrinks(served.kind):
        return ""
    if "br" in encodings and brotli is not None:
        return "br"
    return "gzip" if "gzip" in encodings else ""


def _make(kept: _Kept, encoding: str) -> None:
    kept.made[encoding] = _compressed(kept.bodies[""], encoding)


def _compressed(body: bytes, encoding: str) -> bytes:
    if encoding == "br":
        packed: bytes = brotli.compress(body, quality=5)
        return packed
    return gzip.compress(body, 6, mtime=0)
