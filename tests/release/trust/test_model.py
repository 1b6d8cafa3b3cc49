from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from clerestory.policy import Floor, GateRules
from clerestory.release.trust import Revoked, Role, Training, Trust, rules_digest
from tests.release.signing import GATE, NOW, ROLES, agree, content, person, signer


def _keyid(name: str) -> str:
    return signer(name).public_key.keyid


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    return agree(tmp_path_factory.mktemp("x") / "trust", content())


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize("role", list(Role))
def test_each_may_act_in_their_roles_and_no_other(trust: Trust, name: str, role: Role) -> None:
    has = role in ROLES[name] or (role is Role.TRUSTEE and name in ("dora", "emil", "fay"))
    problem = trust.problem(_keyid(name), role, NOW)

    assert (problem == "") == has
    assert has or problem == f"{name.title()} does not have the role {role.value}"
    assert (_keyid(name) in trust.keys_of(role)) == has


def test_a_key_is_somebody_s(trust: Trust) -> None:
    who = trust.who(_keyid("ana"))

    assert who is not None and who.name == "Ana"
    assert trust.who(_keyid("stranger")) is None
    assert "is nobody's in version 1" in trust.problem(_keyid("stranger"), Role.ANALYST, NOW)


@pytest.mark.parametrize(
    ("training", "problem"),
    [
        ((Training("sdc-101", date(2026, 11, 25), date(2026, 11, 25)),), ""),
        ((Training("sdc-101", date(2026, 1, 1), date(2026, 11, 25)),), ""),
        ((Training("sdc-101", date(2025, 1, 1), date(2026, 11, 24)),), "expired on 2026-11-24"),
        ((Training("sdc-101", date(2026, 11, 26), date(2027, 1, 1)),), "had no training in sdc-101"),
        ((Training("sdc-102", date(2026, 1, 1), date(2027, 1, 1)),), "had no training in sdc-101"),
        ((), "had no training in sdc-101 on 2026-11-25"),
        (
            (
                Training("sdc-101", date(2024, 1, 1), date(2025, 1, 1)),
                Training("sdc-101", date(2026, 1, 1), date(2027, 1, 1)),
            ),
            "",
        ),
    ],
)
def test_training_counts_on_its_days_only(trust: Trust, training: tuple[Training, ...], problem: str) -> None:
    people = {**trust.people, "ana": person("ana", training=training)}
    found = replace(trust, people=people).problem(_keyid("ana"), Role.ANALYST, NOW)

    assert problem in found and (problem == "") == (found == "")


def test_training_is_asked_at_the_time_of_the_act(trust: Trust) -> None:
    later = datetime(2027, 1, 16, tzinfo=UTC)

    assert (
        trust.problem(_keyid("ana"), Role.ANALYST, later) == "Ana's training in sdc-101 expired on 2027-01-15"
    )
    assert trust.problem(_keyid("dora"), Role.TRUSTEE, later) == ""


def test_every_course_is_asked(trust: Trust) -> None:
    both = replace(trust, gate=replace(trust.gate, courses=("sdc-101", "privacy")))

    assert "privacy" in both.problem(_keyid("ana"), Role.ANALYST, NOW)


def test_a_revoked_key_never_counts(trust: Trust) -> None:
    gone = replace(trust, revoked={_keyid("ana"): Revoked("ana", date(2026, 11, 1), "laptop stolen")})

    assert gone.problem(_keyid("ana"), Role.ANALYST, NOW).endswith("revoked on 2026-11-01: laptop stolen")


def test_the_rules_have_one_digest(trust: Trust) -> None:
    assert trust.rules_digest == rules_digest(GATE, trust.floor)
    digests = {
        rules_digest(gate, floor)
        for gate in (GateRules(), GateRules(reviewers=2), GATE)
        for floor in (Floor(), Floor(p_percent=10), trust.floor)
    }
    assert len(digests) == 9
    assert rules_digest(GateRules(), Floor(p_percent=10)) == rules_digest(GateRules(), Floor(p_percent=10.0))
