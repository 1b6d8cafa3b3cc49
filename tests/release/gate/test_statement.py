from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerestory.errors import Refused
from clerestory.release.gate.envelope import open_envelope, seal
from clerestory.release.gate.statement import Approval, Kind, predicate_type, time_of, time_text
from tests.release.signing import signer

MANIFEST = "1f0c5d2a9b34" + "0" * 52
SAID = Approval(
    kind=Kind.APPROVED,
    release="r-1f0c5d2a9b34",
    manifest=MANIFEST,
    person="ben",
    role="reviewer",
    time=datetime(2026, 11, 25, 12, 30, tzinfo=UTC),
    policy="b" * 64,
    software="clerestory 0.1.0",
    answers="c" * 64,
    trust=3,
)
BY_HAND = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "r-1f0c5d2a9b34", "digest": {"sha256": MANIFEST}}],
    "predicateType": "https://clerestory.example/said/approved/v1",
    "predicate": {
        "person": "ben",
        "role": "reviewer",
        "time": "2026-11-25T12:30:00Z",
        "policy": "b" * 64,
        "software": "clerestory 0.1.0",
        "answers": "c" * 64,
        "trust": 3,
        "reason": "",
        "after": "",
        "budget": "",
    },
}


def test_it_is_an_in_toto_statement() -> None:
    assert SAID.to_statement() == BY_HAND


@given(st.sampled_from(Kind), st.text(max_size=200), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_what_is_said_comes_back(kind: Kind, reason: str, time: datetime) -> None:
    said = replace(SAID, kind=kind, reason=reason, time=time.replace(microsecond=0, tzinfo=UTC))

    assert Approval.from_statement(said.to_statement(), where="x") == said


def test_through_an_envelope_too() -> None:
    opened = open_envelope(seal(SAID.to_statement(), signer("ben")), where="x")

    assert Approval.from_statement(opened.statement, where="x") == SAID


def _with(path: str, value: Any) -> dict[str, Any]:
    said = SAID.to_statement()
    *way, last = path.split(".")
    here: Any = said
    for part in way:
        here = here[int(part) if part.isdigit() else part]
    here[last] = value
    return said


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("_type", "https://in-toto.io/Statement/v0.1"),
        ("predicateType", "https://clerestory.example/said/admired/v1"),
        ("predicateType", predicate_type(Kind.BUILT) + "/"),
        ("more", 1),
        ("predicate.more", 1),
        ("predicate.trust", 0),
        ("predicate.trust", True),
        ("predicate.trust", "3"),
        ("predicate.time", "2026-11-25 12:30"),
        ("predicate.time", "2026-11-25T12:30:00+00:00"),
        ("predicate.time", "2026-1-5T12:30:00Z"),
        ("predicate.time", 0),
        ("predicate.person", "Ben"),
        ("predicate.person", "../ben"),
        ("predicate.role", ""),
        ("predicate.policy", ""),
        ("predicate.policy", "B" * 64),
        ("predicate.answers", "none"),
        ("predicate.software", ["clerestory"]),
        ("predicate.reason", "x" * 20_001),
        ("subject.0.name", "r-000000000000"),
        ("subject.0.name", "../r-1f0c5d2a9b34"),
        ("subject.0.digest", {"sha256": MANIFEST, "sha512": ""}),
        ("subject.0.digest", {"sha256": "1f0c5d2a9b34" + "1" * 51}),
        ("subject", []),
        ("subject", [BY_HAND["subject"][0]] * 2),  # type: ignore[index]
        ("predicate", None),
    ],
)
def test_every_other_statement_is_refused(path: str, value: Any) -> None:
    with pytest.raises(Refused):
        Approval.from_statement(_with(path, value), where="x")


@pytest.mark.parametrize(
    "key", ["person", "role", "time", "policy", "software", "answers", "trust", "reason"]
)
def test_nothing_may_be_missing(key: str) -> None:
    said = SAID.to_statement()
    del said["predicate"][key]

    with pytest.raises(Refused):
        Approval.from_statement(said, where="x")


def test_a_time_has_one_form() -> None:
    west = datetime(2026, 11, 25, 4, 30, tzinfo=timezone(timedelta(hours=-8)))

    assert time_text(west) == "2026-11-25T12:30:00Z"
    assert time_of("2026-11-25T12:30:00Z") == west
