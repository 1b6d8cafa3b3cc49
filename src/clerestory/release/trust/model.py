"""What the root of trust says: people, their roles, keys and training, the gate's rules and the floor."""

from __future__ import annotations

import datetime as clock
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from securesystemslib.signer import Key

from clerestory.policy import Floor, GateRules
from clerestory.release.trust.said import rules_digest


class Role(StrEnum):
    """What a person may do at the gate."""

    ANALYST = "analyst"
    """Builds releases."""
    REVIEWER = "reviewer"
    """Approves or rejects them, recounts and proves again."""
    PUBLISHER = "publisher"
    """Lets an approved release go live, and withdraws one."""
    INCIDENT_OFFICER = "incident-officer"
    """Withdraws a release, answers reports, and takes the emergency path with a second one."""
    TRUSTEE = "trustee"
    """Changes the root of trust, together with others; holds a key of its root role."""


@dataclass(frozen=True)
class Training:
    """A course that somebody passed. It counts from its date to its last day, both included."""

    course: str
    date: clock.date
    expires: clock.date


@dataclass(frozen=True)
class Person:
    """Somebody who may act. keys: numbers of the keys that are theirs now."""

    id: str
    name: str
    roles: frozenset[Role]
    keys: tuple[str, ...]
    training: tuple[Training, ...] = ()


def _marked(person: Person, trustee: bool) -> Person:
    roles = person.roles - {Role.TRUSTEE} | ({Role.TRUSTEE} if trustee else set())
    return person if roles == person.roles else replace(person, roles=frozenset(roles))


@dataclass(frozen=True)
class Revoked:
    """A key that counts no more, and never again."""

    person: str
    date: clock.date
    reason: str


@dataclass(frozen=True, kw_only=True)
class Content:
    """All that trustees agree on.

    expires: from then on nothing is released under it. people: by id. keys: by number (the key's
    SHA-256), each of one person. trustees: people who change this content, `threshold` of them together,
    each with exactly one key. revoked: by number of the key; it only ever grows.
    """

    expires: datetime
    trustees: tuple[str, ...]
    threshold: int
    people: Mapping[str, Person]
    keys: Mapping[str, Key]
    gate: GateRules = field(default_factory=GateRules)
    floor: Floor = field(default_factory=Floor)
    revoked: Mapping[str, Revoked] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Whether somebody is a trustee is said once, by the list of trustees.
        people = {name: _marked(person, name in self.trustees) for name, person in self.people.items()}
        object.__setattr__(self, "people", people)


@dataclass(frozen=True, kw_only=True)
class Trust(Content):
    """One version of the root of trust, whose signatures were checked; only the store makes one.

    digest: SHA-256 of N.root.json. previous: that of the version before, "" for the first.
    """

    version: int
    digest: str
    previous: str

    def who(self, keyid: str) -> Person | None:
        """Whose key this is; None if it is nobody's, or revoked."""
        for person in self.people.values():
            if keyid in person.keys:
                return person
        return None

    def problem(self, keyid: str, role: Role, at: datetime) -> str:
        """Why this key may not act in this role at this time; empty if it may.

        It may if it is somebody's and not revoked, this person has the role, and the training in every course
        of the gate was current then. Trustees need no course.
        """
        gone = self.revoked.get(keyid)
        if gone is not None:
            return f"the key {keyid[:12]} of {gone.person} was revoked on {gone.date}: {gone.reason}"
        person = self.who(keyid)
        if person is None or keyid not in self.keys:
            return f"the key {keyid[:12]} is nobody's in version {self.version} of the root of trust"
        if role not in person.roles:
            return f"{person.name} does not have the role {role.value}"
        if role is Role.TRUSTEE:
            return ""
        day = at.astimezone(UTC).date()
        for course in self.gate.courses:
            taken = [one for one in person.training if one.course == course and one.date <= day]
            if not taken:
                return f"{person.name} had no training in {course} on {day}"
            last = max(one.expires for one in taken)
            if last < day:
                return f"{person.name}'s training in {course} expired on {last}"
        return ""

    def keys_of(self, role: Role) -> Mapping[str, Key]:
        """The keys of all who have a role, by number."""
        return {
            keyid: self.keys[keyid]
            for person in self.people.values()
            if role in person.roles
            for keyid in person.keys
        }

    @property
    def rules_digest(self) -> str:
        """SHA-256 of this version's gate rules and floor."""
        return rules_digest(self.gate, self.floor)
