from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clerestory.errors import ClerestoryError, Problems
from clerestory.policy import CALHHS_DDG_2_0, Dominance, Floor, GateRules, PriorPosterior, Question, floor_of
from clerestory.release.gate.keys import public_text
from clerestory.release.trust import Revoked, Role, Training
from clerestory.release.trust.form import form_of, read_form
from clerestory.release.trust.rules import content_problems
from tests.release.signing import content, person, signer

ANA, BEN, CLEO = (public_text(signer(name).public_key) for name in ("ana", "ben", "cleo"))
FORM = f"""
expires = 2027-11-25
threshold = 2
trustees = ["ana", "ben"]

[people.ana]
name = "Ana Díaz"
roles = ["analyst", "incident-officer"]
keys = ["{ANA}"]
training = [{{ course = "sdc-101", date = 2026-01-15, expires = 2027-01-15 }}]

[people.ben]
name = "Ben"
keys = ["{BEN}"]

[gate]
reviewers = 2
checklist = [{{ id = "aim", text = {{ en = "Is?", es = "¿Es?" }} }}, {{ id = "maps", text = "Are they?" }}]

[floor]
profile = "calhhs-ddg-2.0"
minimum_count = 15
"""


def _written(folder: Path, text: str) -> Path:
    file = folder / "trust.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_form_is_read(tmp_path: Path) -> None:
    said = read_form(_written(tmp_path, FORM))

    assert said.expires == datetime(2027, 11, 25, tzinfo=UTC)
    assert (said.threshold, said.trustees) == (2, ("ana", "ben"))
    assert said.people["ana"].roles == {Role.ANALYST, Role.INCIDENT_OFFICER, Role.TRUSTEE}
    assert said.people["ana"].training == (Training("sdc-101", date(2026, 1, 15), date(2027, 1, 15)),)
    assert said.people["ben"].roles == {Role.TRUSTEE}
    assert set(said.keys) == {signer("ana").public_key.keyid, signer("ben").public_key.keyid}
    assert said.gate == GateRules(
        reviewers=2, checklist=(Question("aim", "Is?", "¿Es?"), Question("maps", "Are they?"))
    )
    assert said.floor == replace(floor_of(CALHHS_DDG_2_0), minimum_count=15)
    assert content_problems(said) == []


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        (ANA, "ed25519:00", "trust.toml:9, people.ana.keys"),
        ('"analyst"', '"analist"', "trust.toml:8, people.ana.roles"),
        ("threshold = 2", "threshold = 1", "trust.toml:3, threshold"),
        ("minimum_count = 15", "minimum_count = 5", "trust.toml:22, floor.minimum_count"),
        ('"calhhs-ddg-2.0"', '"calhhs"', "trust.toml:21, floor.profile"),
        ("reviewers = 2", "reviewer = 2", "trust.toml:17, gate.reviewer"),
        ("expires = 2027-11-25", 'expires = "soon"', "trust.toml:2, expires"),
        ("2026-01-15", "2026-02-30", "trust.toml:10"),
        ("reviewers = 2", "reviewers = 0", "trust.toml:17, gate.reviewers"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, before: str, after: str, where: str) -> None:
    with pytest.raises(Problems) as found:
        read_form(_written(tmp_path, FORM.replace(before, after, 1)))

    (problem,) = found.value.problems
    assert problem.where.startswith(where)


def test_a_missing_form_is_said(tmp_path: Path) -> None:
    with pytest.raises(Problems, match=r"trust\.toml"):
        read_form(tmp_path / "trust.toml")


def test_numbers_alone_are_a_floor_too(tmp_path: Path) -> None:
    text = FORM.replace('profile = "calhhs-ddg-2.0"\nminimum_count = 15', "p_percent = 10\naudit_level = 2")

    assert read_form(_written(tmp_path, text)).floor == Floor(p_percent=10.0, audit_level=2)


_floors = st.builds(
    Floor,
    minimum_count=st.just(0) | st.integers(2, 50),
    audit_level=st.integers(0, 2),
    p_percent=st.just(0.0) | st.floats(0.1, 100, allow_subnormal=False),
    dominance=st.none() | st.builds(Dominance, st.integers(1, 10), st.floats(1, 99)),
    prior_posterior=st.none() | st.builds(PriorPosterior, st.floats(1, 99), st.floats(1, 100)),
)
_words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)
_gates = st.builds(
    GateRules,
    reviewers=st.integers(1, 20),
    recount=st.booleans(),
    approval_days=st.integers(1, 99),
    courses=st.lists(_words, max_size=3, unique=True).map(tuple),
    checklist=st.builds(Question, st.just("aim"), _words.filter(str.strip), st.text(max_size=9)).map(
        lambda q: (q,)
    ),
)


@given(gate=_gates, floor=_floors, reason=_words)
@settings(max_examples=150, deadline=None)
def test_what_is_written_as_a_form_is_read_as_the_same(
    tmp_path_factory: pytest.TempPathFactory, gate: GateRules, floor: Floor, reason: str
) -> None:
    said = content(gate=gate, floor=floor, revoked={"ab" * 32: Revoked("cleo", date(2026, 11, 1), reason)})
    written = form_of(said)

    assert read_form(_written(tmp_path_factory.mktemp("form"), written)) == said
    assert form_of(read_form(_written(tmp_path_factory.mktemp("form"), written))) == written


def test_people_without_keys_or_training_are_written_too(tmp_path: Path) -> None:
    known = content()
    said = replace(known, people={**known.people, "gus": person("gus", keys=(), training=())})

    assert read_form(_written(tmp_path, form_of(said))) == said


def test_the_packaged_form_lacks_only_the_people(tmp_path: Path) -> None:
    text = files("clerestory.templates").joinpath("trust", "trust.toml").read_text(encoding="utf-8")
    text = text.replace("EXPIRES", "2027-11-25")
    with pytest.raises(Problems) as found:
        read_form(_written(tmp_path, text))
    (problem,) = found.value.problems
    assert "trustees" in problem.where

    shown = text.replace("trustees = []", 'trustees = ["dora", "ben"]')
    shown = "\n".join(
        line.removeprefix("# ") if "dora" in line or "= [" in line or "name" in line else line
        for line in shown.split("\n")
    )
    shown = shown.replace("ed25519:…", CLEO).replace(
        "[people]\n", f'[people.ben]\nname = "B"\nkeys = ["{BEN}"]\n'
    )
    try:
        said = read_form(_written(tmp_path, shown))
    except ClerestoryError as problem:
        pytest.fail(str(problem))
    assert content_problems(said) == []
    assert (said.gate.reviewers, said.gate.recount, said.floor.minimum_count) == (2, True, 11)
