"""What somebody says of a release, as an in-toto statement (in-toto Attestation Framework, Statement v1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from clerestory.errors import Refused
from clerestory.release.ledger.event import Kind
from clerestory.release.manifest import is_id

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://clerestory.example/said"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PERSON = re.compile(r"[a-z][a-z0-9-]{0,59}")
_LONGEST = 20_000
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def predicate_type(kind: Kind) -> str:
    """The URI of a kind of statement."""
    return f"{PREDICATE}/{kind.value}/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's word on one release, as it is signed.

    manifest: SHA-256 of the manifest. time: in UTC, whole seconds. policy: SHA-256 of the gate's rules and
    the floor (trust.rules_digest). software: what made the statement. answers: SHA-256 of answers to the
    checklist, "" if none were asked. trust: version of the root it is said under. reason: in the signer's
    words, for what lies inside; "" in what is public. after: of what was built, the head of the ledger that
    it was built against; else "". budget: likewise, the digest of the privacy budget's last line by then.
    """

    kind: Kind
    release: str
    manifest: str
    person: str
    role: str
    time: datetime
    policy: str
    software: str
    answers: str = ""
    trust: int
    reason: str = ""
    after: str = ""
    budget: str = ""

    def to_statement(self) -> dict[str, Any]:
        """The in-toto statement."""
        return {
            "_type": STATEMENT,
            "subject": [{"name": self.release, "digest": {"sha256": self.manifest}}],
            "predicateType": predicate_type(self.kind),
            "predicate": {
                "person": self.person,
                "role": self.role,
                "time": time_text(self.time),
                "policy": self.policy,
                "software": self.software,
                "answers": self.answers,
                "trust": self.trust,
                "reason": self.reason,
                "after": self.after,
                "budget": self.budget,
            },
        }

    @classmethod
    def from_statement(cls, statement: Mapping[str, Any], *, where: str) -> Approval:
        """What a statement says. Raises Refused if it is not exactly one of ours."""
        try:
            kinds = {predicate_type(kind): kind for kind in Kind}
            (subject,) = statement["subject"]
            said = statement["predicate"]
            found = cls(
                kind=kinds[statement["predicateType"]],
                release=subject["name"],
                manifest=subject["digest"]["sha256"],
                **{**said, "time": time_of(said["time"])},
            )
            problem = _problem(found)
            if not problem and found.to_statement() != statement:
                problem = "it has more or other keys than it should"
        except (ValueError, TypeError, KeyError, AttributeError):
            problem = "a key is missing or of the wrong kind"
        if problem:
            raise Refused(
                f"the statement cannot be used: {problem}",
                where=where,
                fix="it was not written by this software; do not count it, and keep it for examination",
            )
        return found


def _problem(found: Approval) -> str:
    digests = (found.answers, found.after, found.budget)
    texts = (found.person, found.role, found.policy, found.software, found.reason, *digests)
    if not all(isinstance(text, str) and len(text) <= _LONGEST for text in texts):
        return "a text is none, or too long"
    if not is_id(found.release) or not _DIGEST.fullmatch(found.manifest):
        return "it does not name a release and the digest of its manifest"
    if found.release[2:] != found.manifest[:12]:
        return "the release's id is not that of its manifest"
    if not _PERSON.fullmatch(found.person) or not found.role:
        return "it does not name a person and a role"
    if not _DIGEST.fullmatch(found.policy) or any(
        digest and not _DIGEST.fullmatch(digest) for digest in digests
    ):
        return "a digest is none"
    if type(found.trust) is not int or found.trust < 1:
        return "it does not name a version of the root of trust"
    return ""


def time_text(time: datetime) -> str:
    """A moment as it is signed: UTC, whole seconds."""
    return time.astimezone(UTC).strftime(_TIME)


def time_of(text: str) -> datetime:
    """The moment of a signed text. Raises ValueError if it is not in that form."""
    time = datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    if time_text(time) != text:
        raise ValueError("not in the one form of a time")
    return time
