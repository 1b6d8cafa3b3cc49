"""trust.toml: what the root of trust should say. It counts for nothing until enough trustees have signed."""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from clerestory.project.models import DominanceFile, GateFile, Model, PriorPosteriorFile

PersonName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]


class PersonRole(StrEnum):
    """What a person may do at the gate."""

    ANALYST = "analyst"
    REVIEWER = "reviewer"
    PUBLISHER = "publisher"
    INCIDENT_OFFICER = "incident-officer"


class TrainingFile(Model):
    """{ course = "sdc-101", date = 2026-01-15, expires = 2028-01-14 }."""

    course: str = Field(min_length=1)
    date: datetime.date
    expires: datetime.date
    """The last day on which it counts."""


class PersonFile(Model):
    """[people.NAME]."""

    name: str = Field(min_length=1)
    """As people know them: Ana Díaz."""
    roles: tuple[PersonRole, ...] = ()
    """A trustee needs none."""
    keys: tuple[str, ...] = ()
    """Public keys, as `clerestory keys show` prints them: "ed25519:…". A trustee has exactly one."""
    training: tuple[TrainingFile, ...] = ()


class RevokedFile(Model):
    """[[revoked]]: a key that counts no more, and never again."""

    key: str = Field(pattern=r"^[0-9a-f]{64}$")
    """The key's number, as `clerestory trust show` prints it."""
    person: PersonName
    date: datetime.date
    reason: str = Field(min_length=1)


class FloorFile(Model):
    """[floor]: below it no project's policy may lie. A profile's numbers, numbers by name, or both."""

    profile: str | None = None
    """Every number of this profile is a floor; keys beside it may only tighten it."""
    minimum_count: int | None = Field(default=None, ge=2)
    interval_width: int | None = Field(default=None, ge=1)
    audit_level: int | None = Field(default=None, ge=1, le=2)
    insider_records: int | None = Field(default=None, ge=1)
    minimum_contributors: int | None = Field(default=None, ge=2)
    dominance: DominanceFile | None = None
    p_percent: float | None = Field(default=None, gt=0, le=100)
    prior_posterior: PriorPosteriorFile | None = None
    attribute_minimum: int | None = Field(default=None, ge=1)
    minimum_population: int | None = Field(default=None, ge=1)
    unstable_below: int | None = Field(default=None, ge=1)


class TrustFile(Model):
    """trust.toml."""

    expires: datetime.date
    """From the start of this day on nothing is released; renew it before. At most two years away."""
    threshold: int = Field(ge=2)
    """How many trustees together change the root of trust."""
    trustees: tuple[PersonName, ...] = Field(min_length=2)
    """Who they are. More than the threshold: else one lost key ends it."""
    people: dict[PersonName, PersonFile]
    gate: GateFile = GateFile()
    floor: FloorFile = FloorFile(profile="calhhs-ddg-2.0")
    revoked: tuple[RevokedFile, ...] = ()
