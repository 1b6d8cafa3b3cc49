"""What the lines of the ledger stand for: signed statements, kept inside or beside the release's files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from clerestory.errors import Refused
from clerestory.release.gate.envelope import open_envelope, verified
from clerestory.release.gate.statement import Approval
from clerestory.release.ledger import Event, Kind
from clerestory.release.ledger.book import sync_folder
from clerestory.release.trust import Trust

if TYPE_CHECKING:
    from clerestory.release.gate.register import Register

INSIDE = "ledger"
"""The project's folder of bodies: reasons and answers to reports stay in it."""
BESIDE = "signatures"
"""A release's folder of statements that everybody may read: who built, approved, recounted, published."""
PUBLIC = (
    Kind.BUILT,
    Kind.APPROVED,
    Kind.RECOUNTED,
    Kind.PROVED,
    Kind.EMERGENCY,
    Kind.PUBLISHED,
)
ROOTS = ".trust"
"""In the folder of releases: a copy of the chain of roots, for readers of the site."""
WELL_KNOWN = "/.well-known/clerestory/"
"""Under this address of a site is what it is checked by."""
MOST = 256
_NAME = re.compile(r"([a-z]+)-([0-9a-f]{64})\.json")


def unsigned(kind: Kind, release: str, said: dict[str, str]) -> bytes:
    """The body of a line that nobody signed."""
    return (json.dumps({"kind": kind.value, "release": release, **said}, sort_keys=True) + "\n").encode()


def keep_body(root: Path, content: bytes) -> str:
    """Keeps a body inside, durably; returns its digest, which the line will have."""
    digest = hashlib.sha256(content).hexdigest()
    folder = root / INSIDE
    folder.mkdir(mode=0o700, exist_ok=True)
    _write(folder / f"{digest}.json", content, 0o600)
    return digest


def put_beside(release: Path, kind: Kind, content: bytes) -> str:
    """Keeps a public statement in the release's folder, durably; returns its digest."""
    digest = hashlib.sha256(content).hexdigest()
    folder = release / BESIDE
    folder.mkdir(mode=0o755, exist_ok=True)
    _write(folder / f"{kind.value}-{digest}.json", content, 0o644)
    return digest


def _write(file: Path, content: bytes, mode: int) -> None:
    fresh = file.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


def inside(root: Path, digest: str) -> bytes | None:
    """A body that is kept inside; None if it is not there or is another."""
    try:
        content = (root / INSIDE / f"{digest}.json").read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None


def beside(release: Path) -> Iterator[tuple[Kind, str, bytes]]:
    """The public statements in a release's folder: what each says it is, its digest, its bytes.

    Raises Refused if the folder holds anything else: what nobody looks at is where something would hide.
    """
    folder = release / BESIDE
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except FileNotFoundError:
        return
    if len(names) > MOST:
        raise Refused("it holds too many statements", where=f"{release.name}/{BESIDE}")
    for name in names:
        if name.startswith("."):
            continue  # what a kill left; it is never read
        where = f"{release.name}/{BESIDE}/{name}"
        said = _NAME.fullmatch(name)
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with os.fdopen(os.open(folder / name, flags), "rb") as file:
                content = file.read((1 << 20) + 1)
            if not said or said[1] not in {kind.value for kind in PUBLIC}:
                raise ValueError
            if hashlib.sha256(content).hexdigest() != said[2]:
                raise ValueError
        except (OSError, ValueError):
            raise Refused(
                "this is not a statement, or its bytes are not those that its name says",
                where=where,
                fix="remove it, and find out who put it there",
            ) from None
        yield Kind(said[1]), said[2], content


def approval_in(content: bytes, trust: Trust, *, where: str) -> tuple[Approval, str]:
    """A statement that one person of a root signed, and the number of the key.

    Raises Refused if the signature is not that of the person it names, in the root it names.
    """
    approval = Approval.from_statement(open_envelope(content, where=where).statement, where=where)
    signers = verified(content, trust.keys, where=where)
    own = [key for key in signers if (who := trust.who(key)) and who.id == approval.person]
    if len(own) != 1 or len(signers) != 1 or approval.trust != trust.version:
        raise Refused(
            "its signature is not that of the person it names",
            where=where,
            fix="do not count it; ask that person to sign again",
        )
    return approval, own[0]


def kind_in(content: bytes, *, where: str) -> Kind:
    """What kind of statement this is; nothing of it is checked."""
    return Approval.from_statement(open_envelope(content, where=where).statement, where=where).kind


def version_in(content: bytes, *, where: str) -> int:
    """The version of the root that a statement names; nothing of it is checked."""
    return Approval.from_statement(open_envelope(content, where=where).statement, where=where).trust


def budgets_of(register: Register, events: Iterable[Event]) -> list[str]:
    """What releases that somebody signed for say was the privacy budget's last line when they were built.

    Raises Refused if such a statement is neither inside nor beside its release.
    """
    found = []
    for event in events:
        if event.kind is not Kind.BUILT:
            continue
        beside_it = register.releases / event.release / BESIDE / f"{event.kind.value}-{event.body}.json"
        content = inside(register.root, event.body)
        if content is None and beside_it.is_file():
            content = beside_it.read_bytes()
        if content is None or hashlib.sha256(content).hexdigest() != event.body:
            raise Refused(
                "the statement of who built a release is missing",
                where=f"{INSIDE}/{event.body[:12]}….json",
                fix="restore the folder ledger/ from a backup",
            )
        where = f"{INSIDE}/{event.body[:12]}"
        said = Approval.from_statement(open_envelope(content, where=where).statement, where=where)
        if said.budget:
            found.append(said.budget)
    return found
