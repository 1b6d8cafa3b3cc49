"""One line of the ledger: what happened to which release, chained to the line before, signed.

A line tells digests and numbers of keys only, so that the ledger itself can be public; what was said (names,
reasons, answers) is in the body, a signed envelope that the line names by its digest.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from securesystemslib.signer import Signature, Signer

from clerestory.release.manifest import is_id

FIRST = "0" * 64
"""What the first line has in place of the digest of the line before."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_SIGNATURE = re.compile(r"(?:[0-9a-f]{2}){64,2048}")


class Kind(StrEnum):
    """What can happen to a release."""

    BUILT = "built"
    APPROVED = "approved"
    REJECTED = "rejected"
    RECOUNTED = "recounted"
    PROVED = "proved"
    EMERGENCY = "emergency"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    RESTORED = "restored"
    REPORTED = "reported"
    ANSWERED = "answered"
    TRUSTED = "trusted"


UNSIGNED = frozenset({Kind.WITHDRAWN, Kind.REPORTED})
"""Kinds that count without a signature: no fault may stand in the way of a warning or a takedown."""


@dataclass(frozen=True, slots=True)
class Event:
    """A line. seq: from 0; previous: the digest of the line before; time: UTC, milliseconds, never earlier
    than the line before; manifest: the SHA-256 of the release's manifest; body: that of the envelope that
    says more, "" if none; trust: the version of the root it was signed under, 0 if unsigned; by: the number
    of the key; signature: over the line without it, hexadecimal, "" if unsigned. A trusted line names a root
    in place of a release: manifest is the SHA-256 of its file, trust its version.
    """

    seq: int
    previous: str
    kind: Kind
    time: str
    release: str
    manifest: str
    body: str = ""
    trust: int = 0
    by: str = ""
    signature: str = ""

    @property
    def payload(self) -> bytes:
        """What the signature is over."""
        said = asdict(self)
        del said["signature"]
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()

    def to_bytes(self) -> bytes:
        """The one byte form: a line with its LF."""
        return (json.dumps(asdict(self), sort_keys=True, separators=(",", ":")) + "\n").encode()

    @property
    def digest(self) -> str:
        """What the next line holds of this one."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def at(self) -> datetime:
        """When it happened."""
        return datetime.fromisoformat(self.time)

    def as_signature(self) -> Signature:
        """The signature as securesystemslib takes it."""
        return Signature(self.by, self.signature)


def signed(event: Event, signer: Signer | None) -> Event:
    """The event with its signature; by and trust are in what is signed."""
    if signer is None:
        return replace(event, by="", trust=0, signature="")
    named = replace(event, by=signer.public_key.keyid, signature="")
    return replace(named, signature=signer.sign(named.payload).signature)


def written(moment: datetime) -> str:
    """A moment as a line has it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_line(line: bytes, before: Event | None) -> Event:
    """The event of a line that follows `before`. Raises ValueError that says why it is none."""
    try:
        said = json.loads(line.decode("utf-8"))
        event = Event(**{**said, "kind": Kind(said["kind"])})
        canonical = event.to_bytes() == line
    except (TypeError, KeyError, ValueError, RecursionError):
        raise ValueError("it is not an entry of a ledger") from None
    if not canonical:
        raise ValueError("it is not in the canonical form")
    if event.seq != (before.seq + 1 if before else 0) or event.previous != (
        before.digest if before else FIRST
    ):
        raise ValueError("it does not follow the line before")
    problem = _problem(event, before)
    if problem:
        raise ValueError(problem)
    return event


def _problem(event: Event, before: Event | None) -> str:
    if not is_id(event.release) or not _DIGEST.fullmatch(event.manifest):
        return "it does not name a release and the digest of its manifest"
    if event.release[2:] != event.manifest[:12]:
        return "the release's id is not that of its manifest"
    if event.body and not _DIGEST.fullmatch(event.body):
        return "what it says of its body is not a digest"
    if not _TIME.fullmatch(event.time):
        return "its time is not in the one form"
    datetime.fromisoformat(event.time)
    if before and event.time < before.time:
        return "its time is before that of the line before"
    if event.kind is Kind.TRUSTED:
        # It needs no signature: the root that it names by its digest has those of the trustees.
        return "" if event.trust >= 1 and not (event.by or event.body or event.signature) else "it is no root"
    if event.signature:
        if not (_SIGNATURE.fullmatch(event.signature) and _DIGEST.fullmatch(event.by) and event.trust >= 1):
            return "its signature is not one"
    elif event.kind not in UNSIGNED or event.by or event.trust:
        return "it is not signed"
    return ""
