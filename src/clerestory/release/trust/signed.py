"""The signed part of N.root.json: python-tuf's Root, with what Clerestory adds under the key "clerestory"."""

from __future__ import annotations

import datetime as clock
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from securesystemslib.signer import Key
from tuf.api.metadata import Metadata, Root
from tuf.api.metadata import Role as Delegation

from clerestory.policy import Dominance, Floor, GateRules, PriorPosterior, Question
from clerestory.release.gate import canonical
from clerestory.release.trust.model import Content, Person, Revoked, Role, Training
from clerestory.release.trust.said import floor_said, gate_said

FORMAT = "clerestory-trust/1"
FIELD = "clerestory"
DELEGATIONS = ("root", "timestamp", "snapshot", "targets")
"""TUF's roles. Only "root" is used; the others have to be there and say the same."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PersonId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Training(_Part):
    course: Text
    date: clock.date
    expires: clock.date


class _Person(_Part):
    name: Text
    roles: tuple[Role, ...]
    keys: tuple[Digest, ...]
    training: tuple[_Training, ...]


class _Revoked(_Part):
    person: PersonId
    date: clock.date
    reason: Text


class _Question(_Part):
    id: Text
    text_en: Text
    text_es: str


class _Gate(_Part):
    reviewers: int = Field(ge=1, le=20)
    recount: bool
    reproof: bool
    review_minutes: int = Field(ge=0)
    approval_days: int = Field(ge=1)
    courses: tuple[Text, ...]
    checklist: tuple[_Question, ...]
    report_hours: int = Field(ge=1)
    cache_seconds: int = Field(ge=0)


class _Dominance(_Part):
    contributors: int
    share: str


class _PriorPosterior(_Part):
    p: str
    q: str


class _Floor(_Part):
    minimum_count: int
    interval_width: int
    audit_level: int
    insider_records: int
    minimum_contributors: int
    dominance: _Dominance | None
    p_percent: str
    prior_posterior: _PriorPosterior | None
    attribute_minimum: int
    minimum_population: int
    unstable_below: int


class _Signed(_Part):
    format: Literal["clerestory-trust/1"]
    previous: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
    people: dict[PersonId, _Person]
    revoked: dict[Digest, _Revoked]
    gate: _Gate
    floor: _Floor


def _said(content: Content, previous: str) -> dict[str, Any]:
    people = {
        person.id: {
            "name": person.name,
            "roles": sorted(role.value for role in person.roles - {Role.TRUSTEE}),
            "keys": sorted(person.keys),
            "training": [
                {"course": one.course, "date": one.date.isoformat(), "expires": one.expires.isoformat()}
                for one in sorted(person.training, key=lambda one: (one.course, one.date, one.expires))
            ],
        }
        for person in content.people.values()
    }
    revoked = {
        keyid: {"person": one.person, "date": one.date.isoformat(), "reason": one.reason}
        for keyid, one in content.revoked.items()
    }
    return {
        "format": FORMAT,
        "previous": previous,
        "people": people,
        "revoked": revoked,
        "gate": gate_said(content.gate),
        "floor": floor_said(content.floor),
    }


def to_root(content: Content, *, version: int, previous: str) -> Metadata[Root]:
    """The root that says this, without a signature."""
    trustees = sorted(keyid for person in content.trustees for keyid in content.people[person].keys)
    root = Root(
        version=version,
        expires=content.expires,
        keys={keyid: Key.from_dict(keyid, key.to_dict()) for keyid, key in sorted(content.keys.items())},
        roles={name: Delegation(list(trustees), content.threshold) for name in DELEGATIONS},
        unrecognized_fields={FIELD: _said(content, previous)},
    )
    return Metadata(root)


def to_bytes(metadata: Metadata[Root]) -> bytes:
    """The one byte form of N.root.json: signatures by number of the key."""
    said = metadata.to_dict()
    said["signatures"].sort(key=lambda one: one["keyid"])
    return canonical.to_bytes(said)


def parse(content: bytes, *, where: str) -> tuple[Metadata[Root], Content, str]:
    """The root in these bytes, what it says, the digest it has of the version before. Checks no signature.

    Raises Refused if they are not exactly the one byte form of a root, ValueError if they are of other shape.
    """
    said = canonical.parse(content, where=where)
    if set(said) != {"signatures", "signed"}:
        raise ValueError("it has keys beside its signed part")
    if any(set(one) != {"keyid", "sig"} for one in said["signatures"]):
        raise ValueError("a signature has more or fewer keys than it should")
    metadata: Metadata[Root] = Metadata.from_dict(said)
    root = metadata.signed
    if not isinstance(root, Root) or set(root.unrecognized_fields) != {FIELD}:
        raise ValueError("it is not a root with what Clerestory adds")
    part = _Signed.model_validate_json(json.dumps(root.unrecognized_fields[FIELD]))
    found = _content(root, part)
    again = to_root(found, version=root.version, previous=part.previous)
    again.signed.spec_version = root.spec_version
    again.signatures = metadata.signatures
    if to_bytes(again) != content:
        raise ValueError("it says more than it may, or not in the canonical form")
    return metadata, found, part.previous


def _content(root: Root, part: _Signed) -> Content:
    holders = set(root.roles["root"].keyids)
    people = {
        name: Person(
            name,
            one.name,
            frozenset(one.roles),
            one.keys,
            tuple(Training(course.course, course.date, course.expires) for course in one.training),
        )
        for name, one in part.people.items()
    }
    return Content(
        expires=root.expires,
        trustees=tuple(sorted(name for name, one in people.items() if holders.intersection(one.keys))),
        threshold=root.roles["root"].threshold,
        people=people,
        keys=dict(root.keys),
        gate=_gate(part.gate),
        floor=_floor(part.floor),
        revoked={key: Revoked(one.person, one.date, one.reason) for key, one in part.revoked.items()},
    )


def _gate(part: _Gate) -> GateRules:
    said: Mapping[str, Any] = part.model_dump()
    return GateRules(**{**said, "checklist": tuple(Question(**one) for one in said["checklist"])})


def _floor(part: _Floor) -> Floor:
    said = part.model_dump()
    said["p_percent"] = float(part.p_percent)
    if part.dominance:
        said["dominance"] = Dominance(part.dominance.contributors, float(part.dominance.share))
    if part.prior_posterior:
        said["prior_posterior"] = PriorPosterior(float(part.prior_posterior.p), float(part.prior_posterior.q))
    return Floor(**said)
