"""ledger.jsonl: every release that ever became current, append-only; each line holds the digest of the last.

One entry a line, in one canonical form: sequence number, SHA-256 of the line before, kind, and what the kind
says. Lines are only ever added; whoever changes or removes one breaks every digest after it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from clerestory.errors import InputError, Refused
from clerestory.release.bundle import current
from clerestory.release.lock import BuildLock
from clerestory.release.manifest import NAME as MANIFEST
from clerestory.release.manifest import Manifest, is_id
from clerestory.release.verify import Release

NAME = "ledger.jsonl"
FIRST = "0" * 64
"""What the first line has in place of the digest of the line before."""
RELEASED = "released"
_KINDS = frozenset({RELEASED})
_MOST_BYTES = 64 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FIX = "restore ledger.jsonl from a backup; a build needs to know every earlier release"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger. kind: what happened to the release; manifest: the SHA-256 of its manifest.

    methods: by which method each source is protected. budget: the digest of the last line of the privacy
    budget by then. Either may be None, and is then not in the line.
    """

    seq: int
    previous: str
    kind: str
    release: str
    manifest: str
    date: str
    methods: Mapping[str, str] | None = None
    budget: str | None = None

    def said(self) -> dict[str, Any]:
        """What the line says."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def to_bytes(self) -> bytes:
        """The one byte form: a line with its LF."""
        return (json.dumps(self.said(), sort_keys=True, separators=(",", ":")) + "\n").encode()

    @property
    def digest(self) -> str:
        """What the next line holds of this one."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def entries(root: Path) -> tuple[Entry, ...]:
    """The ledger of a project, oldest first; none if there is no file yet.

    Raises Refused if a line is not in the canonical form or does not hold the digest of the one before.
    """
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(root / NAME, flags), "rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return ()
    except OSError:
        raise Refused("the ledger cannot be read", where=NAME, fix=_FIX) from None
    return parse(content)


def parse(content: bytes) -> tuple[Entry, ...]:
    """The entries these bytes hold. Raises Refused as entries() does."""
    if len(content) > _MOST_BYTES:
        raise Refused("the ledger is too large", where=NAME, fix=_FIX)
    found: list[Entry] = []
    for number, line in enumerate(content.splitlines(keepends=True)):
        previous = found[-1].digest if found else FIRST
        try:
            entry = Entry(**json.loads(line.decode("utf-8")))
            problem = _problem(entry, number, previous, line)
        except (ValueError, TypeError, KeyError, RecursionError):
            problem = "it is not an entry of a ledger"
        if problem:
            raise Refused(f"the ledger was changed: {problem}", where=f"{NAME}, line {number + 1}", fix=_FIX)
        found.append(entry)
    return tuple(found)


def _problem(entry: Entry, number: int, previous: str, line: bytes) -> str:
    """Why a line is not the next entry; empty if it is."""
    if entry.kind not in _KINDS:
        return "this version does not know what kind of entry it is"
    if not is_id(entry.release) or not _DIGEST.fullmatch(entry.manifest):
        return "it does not name a release and the digest of its manifest"
    if entry.release[2:] != entry.manifest[:12]:
        return "the release's id is not that of its manifest"
    date.fromisoformat(entry.date)
    methods = {} if entry.methods is None else entry.methods
    if not isinstance(methods, dict) or not all(isinstance(word, str) for word in methods.values()):
        return "its methods are not words"
    if entry.budget is not None and not _DIGEST.fullmatch(entry.budget):
        return "its privacy budget is no digest"
    if entry.to_bytes() != line:
        return "it is not in the canonical form"
    if entry.seq != number or entry.previous != previous:
        return "it does not follow the line before"
    return ""


def methods_of(manifest: Manifest) -> dict[str, str]:
    """By which method each source of a release is protected."""
    return {facts.source: facts.method for facts in manifest.tables.values()}


def record(root: Path, release: Release, *, held: BuildLock, budget: str | None = None) -> Entry:
    """Writes down, durably, that a release is or is about to be public; the last one is not written twice.

    held: the project's build lock. budget: the digest of the privacy budget's last line, if there is one.
    Raises Refused if the ledger cannot be used.
    """
    if held.file.parent.parent.resolve() != root.resolve():
        raise InputError("the build lock is that of another project", where=str(held.file))
    before = entries(root)
    manifest = hashlib.sha256((release.folder / MANIFEST).read_bytes()).hexdigest()
    if before and (before[-1].release, before[-1].manifest) == (release.id, manifest):
        return before[-1]
    previous = before[-1].digest if before else FIRST
    day = release.manifest.date.isoformat()
    methods = methods_of(release.manifest)
    entry = Entry(len(before), previous, RELEASED, release.id, manifest, day, methods, budget)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(root / NAME, flags, 0o644)
    try:
        os.write(descriptor, entry.to_bytes())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    folder = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return entry


def adopt(root: Path, *, held: BuildLock) -> tuple[Entry, ...]:
    """The ledger, with the current release in it even if that was made before there was a ledger."""
    live = current(root / "releases")
    if live is not None and all(entry.release != live.id for entry in entries(root)):
        record(root, live, held=held)
    return entries(root)


def verify(root: Path) -> tuple[Entry, ...]:
    """The ledger, if every link holds and every release in it is in its folder with the manifest it had.

    Raises Refused that names what is not so.
    """
    found = entries(root)
    bad = []
    for entry in {entry.release: entry for entry in found}.values():
        try:
            content = (root / "releases" / entry.release / MANIFEST).read_bytes()
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() != entry.manifest:
            bad.append(entry.release)
    if bad:
        raise Refused(
            f"releases of the ledger are missing or changed: {', '.join(bad)}",
            where=NAME,
            fix="restore their folders: without them no build can be audited against what was public",
        )
    return found


def said(ledger: Sequence[Entry]) -> dict[str, Any]:
    """The JSON of `clerestory ledger show`."""
    head = ledger[-1].digest if ledger else FIRST
    return {"kind": "done", "exit": 0, "head": head, "entries": [entry.said() for entry in ledger]}
