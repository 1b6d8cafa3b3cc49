"""Withdraws a release: one line, at once; if the ledger cannot take it, a slip beside it that counts as much.

Nothing that can fail stands before the line: not the disk, not another command's lock, not a lost key.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from securesystemslib.signer import Signer

from clerestory.errors import ClerestoryError, InputError, Refused
from clerestory.release.bundle import CURRENT, current, unpoint
from clerestory.release.gate.bodies import keep_body, unsigned
from clerestory.release.gate.envelope import seal
from clerestory.release.gate.register import Register, digest_of
from clerestory.release.gate.say import statement
from clerestory.release.ledger import Kind, slots, written
from clerestory.release.manifest import is_id
from clerestory.release.trust import Trust

_PATIENCE = 0.3
"""Seconds that a takedown waits for other writers of the ledger."""


@dataclass(frozen=True)
class TakenDown:
    """signed: by whose key, "" for break-glass; waiting: why the line is not in the ledger yet, "" if it is.
    unsaid: why the reason could not be kept, "" if it was.
    """

    release: str
    manifest: str
    time: str
    signed: str
    waiting: str
    unsaid: str


def which(register: Register, release: str) -> tuple[str, str]:
    """The release to withdraw and the digest of its manifest: the one named, or the live one.

    Also from what the folders say, if the ledger cannot be read. Raises InputError if there is none.
    """
    if release and not is_id(release):
        raise InputError("this is not the id of a release", where=release, fix="ids look like r-0123456789ab")
    try:
        standing = register.standing()
        if not release and standing.live:
            return standing.live.release, standing.live.manifest
        for event in (*standing.published.values(), *standing.built.values()):
            if event.release == release:
                return event.release, event.manifest
    except ClerestoryError:
        pass  # the ledger is broken; what stands in the folders will do
    try:
        if not release:
            found = current(register.releases)
            release = str(found.id) if found else ""
        if release:
            return release, digest_of(register.releases / release)
    except (OSError, ClerestoryError):
        pass
    raise InputError(
        "there is no such release, and none is live",
        where=release or str(register.root),
        fix="name the release: see `clerestory ledger show`",
    )


def takedown(
    root: Path,
    release: str,
    reason: str,
    signer: Signer | None,
    *,
    register: Register | None = None,
    copy: bool = False,
) -> TakenDown:
    """Withdraws a release; new requests get the notice, running downloads are cut, whoever restarts what.

    signer: None is break-glass: an unsigned line that every check of the ledger points at. copy: whether the
    ledger here is a server's copy, which is never written: the takedown lies beside it until the project
    takes it over. Raises InputError
    if there is no such release; Refused if the signer's role does not allow it; Undecided if nothing at all
    could be written.
    """
    register = register or Register(root)
    id_, manifest = which(register, release)
    body, unsaid, version = "", "", 0
    if signer is None:
        content = unsigned(Kind.WITHDRAWN, id_, {"reason": reason, "by": "break-glass"})
    else:
        trust = _root(register)
        version = trust.version
        said = statement(register, Kind.WITHDRAWN, id_, manifest, signer, trust, reason=reason)
        content = seal(said.to_statement(), signer)
    try:
        body = keep_body(root, content)
    except OSError:
        unsaid = "the disk is full, or the folder cannot be written"
    time, waiting = written(register.clock()), ""
    try:
        if copy:
            raise Refused("this is a server's copy; the project takes it over at the next `clerestory send`")
        event = register.write(
            Kind.WITHDRAWN, id_, manifest, signer, trust=version, body=body, patience=_PATIENCE
        )
        time = event.time
    except ClerestoryError as problem:
        waiting = problem.what
        slots.slip_in(root, slots.Slip(id_, manifest, time, body))
    try:
        found = current(register.releases)
        if found is not None and str(found.id) == id_:
            unpoint(register.releases, CURRENT)
    except (OSError, ClerestoryError):
        pass  # the link decides nothing
    return TakenDown(id_, manifest, time, signer.public_key.keyid if signer else "", waiting, unsaid)


def _root(register: Register) -> Trust:
    """The newest root, expired or not: an expired root must not keep a leak online."""
    try:
        return register.newest_trust()
    except ClerestoryError as problem:
        raise Refused(
            f"nobody's signature can be checked: {problem.what}",
            where="trust/",
            fix="take it down without one: clerestory takedown --break-glass --reason …",
        ) from None
