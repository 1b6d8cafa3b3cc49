"""How the root of trust changes: a draft of the next version, signatures on it, and its acceptance.

A draft counts for nothing. It becomes N.root.json only with the signatures of a threshold of the trustees of
the version before and of a threshold of its own; so it is moved, and mailed, as any file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from securesystemslib.signer import Key, Signer
from tuf.api.metadata import Metadata, Root, RootVerificationResult

from clerestory.errors import InputError, Problems, Refused
from clerestory.release.trust import signed
from clerestory.release.trust.model import Content, Revoked, Trust
from clerestory.release.trust.rules import MOST_DAYS, change_problems, content_problems
from clerestory.release.trust.store import (
    exists,
    follow_problems,
    load_chain,
    open_root,
    read,
    root_name,
    signatures_missing,
    step,
    verification,
)


@dataclass(frozen=True)
class Draft:
    """The next version, not agreed yet.

    digest: SHA-256 of what is signed. signed, unsigned: who did, and whose signature may still count.
    """

    file: Path
    version: int
    digest: str
    content: Content
    old: Trust | None
    signed: tuple[str, ...]
    unsigned: tuple[str, ...]
    missing: str
    """What it still needs, in words; "" when it can be accepted."""


def propose(folder: Path, content: Content, *, now: datetime | None = None, again: bool = False) -> Path:
    """Writes the draft of the next version (the first if there is none), without a signature.

    again: in place of a draft that is there already. Raises Problems that lists all that may not be;
    InputError if there is a draft, or nothing would change.
    """
    now = now or datetime.now(UTC)
    old = load_chain(folder)[-1] if _has_root(folder) else None
    problems = content_problems(content) + (change_problems(old, content) if old else [])
    if not now < content.expires <= now + timedelta(days=MOST_DAYS):
        problems.append(f"it expires on {content.expires:%Y-%m-%d}; at most two years from now are allowed")
    if problems:
        raise Problems([InputError(problem, where="the proposal") for problem in problems])
    metadata = signed.to_root(
        content, version=old.version + 1 if old else 1, previous=old.digest if old else ""
    )
    if old and _same(metadata, old):
        raise InputError(
            "nothing would change", where="the proposal", fix="edit it first, or give it a new date"
        )
    check_no_draft(folder, again=again)
    file = draft_file(folder, metadata.signed.version)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    _write(file, signed.to_bytes(metadata))
    return file


def sign_draft(folder: Path, signer: Signer, *, shown: str = "") -> Path:
    """Adds a trustee's signature to the draft.

    shown: the digest of the draft that the trustee has read; another one is not signed. Raises Refused if the
    draft may not follow the newest version, or is another; InputError if there is none or the key is of no
    trustee, before or after.
    """
    _, metadata, before, found = _draft(folder)
    if shown and found.digest != shown:
        raise Refused(
            "the draft was replaced since you have read it",
            where=str(found.file),
            fix="find out who did so; to sign the new one, read it first",
        )
    result = verification(metadata, before)
    keyid = signer.public_key.keyid
    if keyid not in {*result.signed, *result.unsigned}:
        raise InputError(
            f"the key {keyid[:12]} is of no trustee, neither before nor after this change",
            where=str(found.file),
            fix="only trustees change the root of trust; is this the right key?",
        )
    try:
        metadata.sign(signer, append=True)
    except Exception as problem:  # hardware and clouds document none of what they raise
        raise InputError(f"the key did not sign: {type(problem).__name__}", where=str(found.file)) from None
    _write(found.file, signed.to_bytes(metadata))
    return found.file


def accept(folder: Path) -> Trust:
    """Makes the draft the newest version, once enough have signed. Raises Refused that says who has not."""
    content, _, before, found = _draft(folder)
    where = found.file.name
    if found.missing:
        raise Refused(
            found.missing,
            where=where,
            fix=f"one of {', '.join(found.unsigned)} signs it: clerestory trust sign --as PERSON",
        )
    _, trust = step(content, found.old, before, where=where)
    target = folder / root_name(found.version)
    _write(found.file, content)
    try:
        os.link(found.file, target)  # unlike a rename, it never replaces a version
    except FileExistsError:
        raise Refused("this version is there already", where=str(target)) from None
    found.file.unlink()
    _sync(folder)
    return trust


def draft(folder: Path) -> Draft:
    """The draft, and who signed it. Raises InputError if there is none, Refused if it may not follow."""
    return _draft(folder)[3]


def draft_file(folder: Path, version: int) -> Path:
    """Where the draft of a version lies."""
    return folder / f"{root_name(version)}.draft"


def check_no_draft(folder: Path, *, again: bool = False) -> None:
    """Raises InputError if there is a draft of the next version, unless it may be replaced."""
    version = load_chain(folder)[-1].version + 1 if _has_root(folder) else 1
    file = draft_file(folder, version)
    if os.path.lexists(file) and not again:
        raise InputError(
            "there is a draft of the next version already",
            where=str(file),
            fix="sign and accept it, or replace it with --again; its signatures are lost then",
        )


def check_signer(folder: Path, person: str, signer: Signer) -> None:
    """Raises InputError if the key that would sign the draft is not this person's, before or after it."""
    found = draft(folder)
    keyid = signer.public_key.keyid
    owners = {
        one.id
        for content in (found.old, found.content)
        if content is not None
        for one in content.people.values()
        if keyid in one.keys
    }
    if person not in owners:
        whose = f"{', '.join(sorted(owners))}'s" if owners else "nobody's"
        raise InputError(
            f"the key {keyid[:12]} is {whose}, not {person}'s",
            where="--key",
            fix="name the right key, or --as",
        )


def revoking(trust: Trust, keyid: str, *, on: date, reason: str) -> Content:
    """The content of a version with one key revoked, and nothing in its place.

    Raises InputError if the key is nobody's. A trustee without a key is no trustee any more.
    """
    person = trust.who(keyid)
    if person is None:
        raise InputError(
            f"the key {keyid[:12]} is nobody's", where="keys revoke", fix="see: clerestory trust show"
        )
    left = replace(person, keys=tuple(key for key in person.keys if key != keyid))
    trustees = trust.trustees
    if person.id in trustees and not left.keys:
        trustees = tuple(name for name in trustees if name != person.id)
    parts = content_of(trust)
    return replace(
        parts,
        people={**parts.people, person.id: left},
        keys={number: key for number, key in parts.keys.items() if number != keyid},
        trustees=trustees,
        revoked={**parts.revoked, keyid: Revoked(person.id, on, reason)},
    )


def rotating(trust: Trust, keyid: str, new: Key, *, on: date, reason: str) -> Content:
    """The content of a version with one key revoked and another of the same person in its place."""
    person = trust.who(keyid)
    parts = revoking(trust, keyid, on=on, reason=reason)
    assert person is not None  # revoking() has looked
    keys = (*parts.people[person.id].keys, new.keyid)
    return replace(
        parts,
        people={**parts.people, person.id: replace(person, keys=keys)},
        keys={**parts.keys, new.keyid: new},
        trustees=trust.trustees,
    )


def content_of(trust: Trust) -> Content:
    """What a version says, to be changed and proposed again."""
    return Content(**{field.name: getattr(trust, field.name) for field in fields(Content)})


def _draft(folder: Path) -> tuple[bytes, Metadata[Root], Metadata[Root] | None, Draft]:
    """The draft's bytes, its root, the root before it, and what is known of it."""
    old = load_chain(folder)[-1] if _has_root(folder) else None
    file = draft_file(folder, old.version + 1 if old else 1)
    if not os.path.lexists(file):
        raise InputError(
            "there is no draft of a next version", where=str(file), fix="make one: clerestory trust propose"
        )
    where = file.name
    content = read(file, where=where)
    metadata, said, previous = open_root(content, where=where)
    before = None
    if old:
        name = root_name(old.version)
        before = open_root(read(folder / name, where=name), where=name)[0]
    if problems := follow_problems(metadata, said, previous, old):
        raise Refused(
            f"this draft may not be the next version: {'; '.join(problems)}",
            where=where,
            fix="remove it and propose again; its signatures cannot count",
        )
    result = verification(metadata, before)
    if set(metadata.signatures) - set(result.signed):
        raise Refused(
            "a signature of the draft is not true, or of nobody who may sign it",
            where=where,
            fix="the draft was changed after it was signed; remove it and propose again",
        )
    return content, metadata, before, _known(file, metadata, said, old, result)


def _known(
    file: Path, metadata: Metadata[Root], content: Content, old: Trust | None, result: RootVerificationResult
) -> Draft:
    names = {
        keyid: person.id
        for one in ((old, content) if old else (content,))
        for person in one.people.values()
        for keyid in person.keys
    }
    return Draft(
        file,
        metadata.signed.version,
        hashlib.sha256(metadata.signed_bytes).hexdigest(),
        content,
        old,
        signed=tuple(sorted({names[keyid] for keyid in result.signed})),
        unsigned=tuple(sorted({names[keyid] for keyid in result.unsigned})),
        missing=signatures_missing(result, old),
    )


def _has_root(folder: Path) -> bool:
    return exists(folder) and os.path.lexists(folder / root_name(1))


def _same(metadata: Metadata[Root], old: Trust) -> bool:
    again = signed.to_root(content_of(old), version=old.version + 1, previous=old.digest)
    return again.signed_bytes == metadata.signed_bytes


def _write(file: Path, content: bytes) -> None:
    """Replaces a file, durably and in one step."""
    beside = file.with_name(f".{file.name}-{secrets.token_hex(4)}")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(beside, flags, 0o644), "wb") as out:
            os.fchmod(out.fileno(), 0o644)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    except OSError as problem:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise InputError(f"the draft cannot be written: {problem.strerror}", where=str(file)) from None
    _sync(file.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
