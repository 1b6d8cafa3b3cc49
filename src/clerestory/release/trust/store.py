"""trust/: N.root.json, each signed by a threshold of its own trustees and of those of the version before.

The walk is TUF's (specification 5.3, update of the root role), with one thing more: every version holds the
digest of the one before, so the digest of one version pins all before it.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import fields
from datetime import datetime
from pathlib import Path

from tuf.api.metadata import Metadata, Root, RootVerificationResult

from clerestory.errors import InputError, Refused
from clerestory.release.gate import canonical
from clerestory.release.trust import signed
from clerestory.release.trust.model import Content, Trust
from clerestory.release.trust.rules import change_problems, content_problems

FOLDER = "trust"
_NAME = re.compile(r"([1-9][0-9]{0,5})\.root\.json")
_DAMAGED = "restore trust/ from a copy you trust; do not release anything before you know who changed it"


def root_name(version: int) -> str:
    """The file of a version."""
    return f"{version}.root.json"


def trust_folder(folder: Path) -> Path:
    """trust/ of a project or of a server's folder; the folder itself if it holds a first version."""
    return folder if os.path.lexists(folder / root_name(1)) else folder / FOLDER


def exists(folder: Path) -> bool:
    """Whether there is a folder of trust at all; what exists must be whole."""
    return os.path.lexists(folder)


def load_trust(folder: Path, *, now: datetime, pinned: str | None = None, at_least: int = 0) -> Trust:
    """The newest version in a folder trust/, every step from the first one verified.

    now: the moment that it must not have expired at. pinned: the SHA-256 of a version that must be in the
    chain. at_least: a version that was seen already. Raises Refused if there is none, a version is missing,
    changed or not signed by enough of the old and the new trustees, the newest has expired, is older than
    `at_least`, or the pinned one is not among them.
    """
    chain = load_chain(folder)
    newest = chain[-1]
    if newest.version < at_least:
        raise Refused(
            f"this is version {newest.version} of the root of trust, and version {at_least} was seen already",
            where=str(folder),
            fix="somebody brought an older one back; take the newest from the other servers or a backup",
        )
    if pinned is not None and pinned not in {trust.digest for trust in chain}:
        raise Refused(
            f"the pinned version {pinned[:12]} of the root of trust is not in this chain",
            where=str(folder),
            fix="this is another root of trust than the one you know; ask the publisher, not this folder",
        )
    if newest.expires <= now:
        raise Refused(
            f"version {newest.version} of the root of trust expired on {newest.expires:%Y-%m-%d}",
            where=str(folder / root_name(newest.version)),
            fix="the trustees renew it: clerestory trust propose with a later date, then sign and accept",
        )
    return newest


def trust_at(folder: Path, version: int) -> Trust:
    """One version, verified from the first on; it may have expired. Raises Refused as load_trust() does."""
    chain = load_chain(folder)
    if not 1 <= version <= len(chain):
        raise Refused(f"there is no version {version} of the root of trust", where=str(folder), fix=_DAMAGED)
    return chain[version - 1]


def load_chain(folder: Path) -> tuple[Trust, ...]:
    """Every version, oldest first, each verified; at least one. Raises Refused as load_trust() does."""
    versions = _versions(folder)
    if not versions:
        raise Refused(
            "there is no root of trust here",
            where=str(folder),
            fix="make one: clerestory trust propose, then sign and accept",
        )
    if versions != list(range(1, len(versions) + 1)):
        gap = next(n for n in range(1, len(versions) + 2) if n not in versions)
        raise Refused(f"version {gap} of the root of trust is missing", where=str(folder), fix=_DAMAGED)
    chain: list[Trust] = []
    before: Metadata[Root] | None = None
    for version in versions:
        where = f"{folder.name}/{root_name(version)}"
        content = read(folder / root_name(version), where=where)
        before, trust = step(content, chain[-1] if chain else None, before, where=where)
        chain.append(trust)
    return tuple(chain)


def step(
    content: bytes, old: Trust | None, before: Metadata[Root] | None, *, where: str
) -> tuple[Metadata[Root], Trust]:
    """The version in these bytes, if it may follow the old one. Raises Refused that says why it may not."""
    metadata, said, previous = open_root(content, where=where)
    problems = follow_problems(metadata, said, previous, old)
    if not problems:
        result = verification(metadata, before)
        asked = set(result.signed) | set(result.unsigned)
        if set(metadata.signatures) - set(result.signed):
            wrong = sorted(set(metadata.signatures) - set(result.signed))[0]
            problems = [
                f"the signature of {wrong[:12]} is not true"
                if wrong in asked
                else f"{wrong[:12]} signed it and is no trustee"
            ]
        elif not result.verified:
            problems = [signatures_missing(result, old)]
    if problems:
        raise Refused(
            f"this is no version of the root of trust: {'; '.join(problems)}", where=where, fix=_DAMAGED
        )
    digest = hashlib.sha256(content).hexdigest()
    parts = {field.name: getattr(said, field.name) for field in fields(Content)}
    return metadata, Trust(**parts, version=metadata.signed.version, digest=digest, previous=previous)


def open_root(content: bytes, *, where: str) -> tuple[Metadata[Root], Content, str]:
    """The root in these bytes, its content, the digest of the one before. Raises Refused if it is none."""
    try:
        return signed.parse(content, where=where)
    except Refused:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as problem:
        reason = str(problem) if type(problem) is ValueError else "a key is missing or of the wrong kind"
        raise Refused(
            f"this is no version of the root of trust: {reason}", where=where, fix=_DAMAGED
        ) from None


def follow_problems(
    metadata: Metadata[Root], content: Content, previous: str, old: Trust | None
) -> list[str]:
    """Why a root may not follow the old one, signatures aside; empty if it may."""
    version, digest = (old.version + 1, old.digest) if old else (1, "")
    problems = content_problems(content)
    if metadata.signed.version != version:
        problems.append(f"it says that it is version {metadata.signed.version}, not {version}")
    if previous != digest:
        problems.append("it does not follow the version before, but another one")
    return problems + (change_problems(old, content) if old else [])


def verification(metadata: Metadata[Root], before: Metadata[Root] | None) -> RootVerificationResult:
    """Which trustees of the version before and of this one truly signed it."""
    return metadata.signed.get_root_verification_result(
        before.signed if before else None, metadata.signed_bytes, metadata.signatures
    )


def signatures_missing(result: RootVerificationResult, old: Trust | None) -> str:
    """How many signatures are missing, in words; empty if none."""
    sides = [(result.second, "its own")]
    if old is not None:
        sides.insert(0, (result.first, "the old"))
    missing = [
        f"{one.missing} of {one.threshold} signatures of {whose} trustees"
        for one, whose in sides
        if one.missing
    ]
    return f"it lacks {' and '.join(missing)}" if missing else ""


def read(file: Path, *, where: str) -> bytes:
    """The bytes of a file that is no link. Raises Refused if it cannot be read."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(file, flags), "rb") as source:
            return source.read(canonical.MAXIMUM_BYTES + 1)
    except OSError:
        raise Refused("the root of trust cannot be read", where=where, fix=_DAMAGED) from None


def _versions(folder: Path) -> list[int]:
    try:
        names = [entry.name for entry in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise InputError(f"the folder cannot be read: {problem.strerror}", where=str(folder)) from None
    return sorted(int(found[1]) for found in map(_NAME.fullmatch, names) if found)
