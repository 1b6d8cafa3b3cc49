"""Brings a server's folder up to date: files first, the ledger last, for its last line is the switch."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from clerestory.errors import InputError, Refused
from clerestory.release.gate.bodies import INSIDE, keep_body
from clerestory.release.gate.publishing import show_roots
from clerestory.release.gate.register import TRUST, Register
from clerestory.release.ledger import NAME, Book, slots
from clerestory.release.ledger.book import sync_folder
from clerestory.release.verify import verify_digests, whole


def send_to(root: Path, target: Path) -> None:
    """Copies trust/, the live release and the ledger; takes over takedowns that were written there.

    Nothing confidential goes: no project text, no bodies of the ledger. Raises Refused if the server's ledger
    is not the beginning of this one, InputError if the folder cannot be written.
    """
    if target.resolve() == root.resolve():
        raise InputError("this is the project itself", where=str(target), fix="name the server's folder")
    register = Register(root)
    try:
        target.mkdir(mode=0o755, parents=True, exist_ok=True)
        (target / "releases").mkdir(mode=0o755, exist_ok=True)
        for body in sorted((target / INSIDE).glob("*.json")):
            keep_body(root, body.read_bytes())
        for file, slip in slots.slips(target).items():
            slots.slip_in(root, slip)
            slots.clear(file)
        register.fold()
        events = register.events()
        ours = (root / NAME).read_bytes() if events else b""
        theirs = (target / NAME).read_bytes() if (target / NAME).exists() else b""
        if not ours.startswith(theirs):
            raise Refused(
                "the server's ledger is not the beginning of this one",
                where=str(target / NAME),
                fix="find out which of the two is the true one; nothing was sent",
            )
        for file in sorted((root / TRUST).glob("*.root.json")):
            _copy_file(file, target / TRUST / file.name)
        standing = register.standing(events)
        if standing.live is not None:
            _copy_release(root / "releases" / standing.live.release, target / "releases")
        show_roots(target)
        slots.prepare(target)
        _append(target / NAME, ours[len(theirs) :])
        Book(target).events()
    except OSError as problem:
        raise InputError(
            f"the folder cannot be written ({problem.strerror})",
            where=str(target),
            fix="see whether its disk is full and who owns it; what was live there is live as before",
        ) from None


def _copy_file(source: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(mode=0o755, exist_ok=True)
    fresh = target.with_name(f".{secrets.token_hex(6)}")
    shutil.copyfile(source, fresh)
    fresh.chmod(0o644)
    fresh.replace(target)
    sync_folder(target.parent)


def _copy_release(source: Path, releases: Path) -> None:
    target = releases / source.name
    if not whole(target):
        if target.exists():
            target.rename(releases / f"damaged-{source.name}-{secrets.token_hex(4)}")
        fresh = releases / f".staging-{secrets.token_hex(8)}"
        shutil.copytree(source, fresh)
        verify_digests(fresh)
        os.sync()
        fresh.rename(target)
        sync_folder(releases)
    for file in sorted((source / "signatures").glob("*.json")):
        _copy_file(file, target / "signatures" / file.name)


def _append(ledger: Path, content: bytes) -> None:
    descriptor = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(ledger.parent)
