from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from clerestory.policy import Question
from clerestory.release.trust import Content, Revoked, Role, Training
from clerestory.release.trust.differences import cautions, differences
from tests.release.signing import GATE, content, person, signer

BEFORE = content()


def _people(**changes: Any) -> dict[str, Any]:
    people = {**BEFORE.people, **changes}
    return {name: one for name, one in people.items() if one is not None}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"threshold": 3}, "the threshold of trustees goes from 2 to 3"),
        ({"expires": datetime(2028, 1, 1, tzinfo=UTC)}, "it lasts until 2028-01-01, not 2027-11-25"),
        ({"people": _people(ana=None)}, "ana is removed"),
        ({"people": _people(ana=person("ana", name="Ana Díaz"))}, "ana is called Ana Díaz, not Ana"),
        (
            {"people": _people(ana=person("ana", roles=frozenset({Role.ANALYST, Role.PUBLISHER})))},
            "ana gets the role publisher",
        ),
        ({"people": _people(gus=person("gus", keys=()))}, "gus (Gus) is added: analyst; keys none"),
        (
            {
                "people": _people(
                    ana=person("ana", training=(Training("sdc-101", date(2025, 1, 15), date(2027, 1, 15)),))
                )
            },
            "ana passed sdc-101 on 2025-01-15, which counts until 2027-01-15",
        ),
        (
            {"people": _people(ana=person("ana", keys=("ab" * 32,)))},
            "ana gets the key abababababab",
        ),
        (
            {"revoked": {"ab" * 32: Revoked("ana", date(2026, 11, 1), "lost")}},
            "the key abababababab of ana is revoked from 2026-11-01: lost",
        ),
        ({"gate": replace(GATE, recount=True)}, "gate: recount goes from no to yes"),
        (
            {"gate": replace(GATE, checklist=())},
            "gate: checklist goes from Is it what was asked for? to none",
        ),
        (
            {"gate": replace(GATE, checklist=(Question("aim", "Easy?"),))},
            "gate: checklist goes from Is it what was asked for? to Easy?",
        ),
        ({"floor": replace(BEFORE.floor, minimum_count=2)}, "floor: minimum_count goes from 11 to 2"),
        ({"trustees": ("dora", "emil", "ana")}, "ana becomes a trustee"),
        ({"trustees": ("dora", "emil")}, "fay is no trustee any more"),
    ],
)
def test_every_change_is_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in differences(BEFORE, replace(BEFORE, **changes))


def test_no_change_is_none() -> None:
    assert differences(BEFORE, BEFORE) == ()


def test_a_first_version_says_everybody() -> None:
    said = " ".join(differences(None, BEFORE))

    assert all(f"{name} (" in said for name in BEFORE.people)
    assert "2 of dora, emil, fay change it together" in said
    assert "floor: minimum_count = 11" in said


def _without(role: Role) -> Content:
    people = {name: replace(one, roles=one.roles - {role}) for name, one in BEFORE.people.items()}
    return replace(BEFORE, people=people)


def test_what_is_unwise_is_said() -> None:
    assert cautions(BEFORE) == ()
    assert "if one loses a key" in cautions(replace(BEFORE, threshold=3))[0]
    assert cautions(_without(Role.PUBLISHER)) == ("0 with a key have the role publisher, and 1 are needed",)
    assert "incident-officer" in cautions(_without(Role.INCIDENT_OFFICER))[0]
    assert signer("ana").public_key.keyid in BEFORE.keys
