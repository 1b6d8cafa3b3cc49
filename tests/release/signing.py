"""People with real keys, and a root of trust that they agreed on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from clerestory.policy import CALHHS_DDG_2_0, GateRules, Question, floor_of
from clerestory.release.trust import Content, Person, Role, Training, Trust, accept, propose, sign_draft

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
TRUSTEES = ("dora", "emil", "fay")
ROLES = {
    "ana": frozenset({Role.ANALYST}),
    "ben": frozenset({Role.REVIEWER}),
    "cleo": frozenset({Role.REVIEWER, Role.ANALYST}),
    "pia": frozenset({Role.PUBLISHER}),
    "iris": frozenset({Role.INCIDENT_OFFICER}),
    "ivo": frozenset({Role.INCIDENT_OFFICER}),
    "dora": frozenset({Role.PUBLISHER}),
    "emil": frozenset({Role.REVIEWER}),
    "fay": frozenset({Role.INCIDENT_OFFICER}),
}
COURSE = Training("sdc-101", date(2026, 1, 15), date(2027, 1, 15))
GATE = GateRules(
    reviewers=2,
    courses=("sdc-101",),
    checklist=(Question("aim", "Is it what was asked for?", "¿Es lo que se pidió?"),),
)


def signer(name: str) -> CryptoSigner:
    """Somebody's key; the same name has the same key, so that fixtures can be committed."""
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b".")))


def person(name: str, /, **changes: object) -> Person:
    said = {
        "name": name.title(),
        "roles": ROLES.get(name, frozenset({Role.ANALYST})),
        "keys": (signer(name).public_key.keyid,),
        "training": (COURSE,),
    }
    return Person(name, **{**said, **changes})  # type: ignore[arg-type]


def content(people: Mapping[str, Person] | None = None, **changes: object) -> Content:
    known = people or {name: person(name) for name in ROLES}
    said = {
        "expires": datetime(2027, 11, 25, tzinfo=UTC),
        "trustees": TRUSTEES,
        "threshold": 2,
        "people": known,
        "keys": {signer(name).public_key.keyid: signer(name).public_key for name in known},
        "gate": GATE,
        "floor": floor_of(CALHHS_DDG_2_0),
    }
    return Content(**{**said, **changes})  # type: ignore[arg-type]


def agree(folder: Path, said: Content, *signers: str, now: datetime = NOW) -> Trust:
    """A version that these people proposed, signed and accepted."""
    propose(folder, said, now=now)
    for name in signers or ("dora", "emil"):
        sign_draft(folder, signer(name))
    return accept(folder)
