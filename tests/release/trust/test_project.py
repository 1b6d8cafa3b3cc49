from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clerestory.errors import Problems, Refused
from clerestory.policy import Floor
from clerestory.project import load
from clerestory.release.trust.project import rules_for
from tests.project.good import FILES
from tests.release.signing import GATE, NOW, agree, content


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def _say(root: Path, text: str) -> None:
    with (root / "clerestory.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def test_without_a_root_of_trust_there_are_no_rules(root: Path) -> None:
    assert rules_for(load(root), now=NOW) is None


def test_a_project_above_the_floor_gets_the_root_s_rules(root: Path) -> None:
    trust = agree(root / "trust", content())

    assert rules_for(load(root), now=NOW, pinned=trust.digest) == (trust, GATE)


def test_it_may_ask_for_more(root: Path) -> None:
    trust = agree(root / "trust", content())
    _say(root, '\n[gate]\nreviewers = 3\ncourses = ["privacy"]\ncache_seconds = 30\n')

    assert rules_for(load(root), now=NOW) == (
        trust,
        replace(GATE, reviewers=3, courses=("sdc-101", "privacy"), cache_seconds=30),
    )


def test_all_that_is_less_is_refused_at_once(root: Path) -> None:
    agree(root / "trust", content(floor=Floor(minimum_count=15, p_percent=10)))
    _say(root, "\n[gate]\nreviewers = 1\n")

    with pytest.raises(Problems) as found:
        rules_for(load(root), now=NOW)

    assert [problem.where for problem in found.value.problems] == [
        "clerestory.toml, policy.minimum_count",
        "clerestory.toml, policy.p_percent",
        "clerestory.toml, gate.reviewers",
    ]


def test_a_policy_that_reaches_the_floor_passes(root: Path) -> None:
    agree(root / "trust", content(floor=Floor(minimum_count=15, p_percent=10)))
    _say(root, "\n[policy]\nminimum_count = 15\np_percent = 12\n")

    assert rules_for(load(root), now=NOW) is not None


def test_a_folder_of_trust_without_a_root_is_refused(root: Path) -> None:
    (root / "trust").mkdir()

    with pytest.raises(Refused, match="there is no root of trust here"):
        rules_for(load(root), now=NOW)


def test_an_expired_or_edited_root_is_refused(root: Path) -> None:
    agree(root / "trust", content())

    with pytest.raises(Refused, match="expired"):
        rules_for(load(root), now=datetime(2028, 1, 1, tzinfo=UTC))
    file = root / "trust" / "1.root.json"
    file.write_bytes(file.read_bytes().replace(b'"minimum_count":11', b'"minimum_count":10'))
    with pytest.raises(Refused, match="is not true"):
        rules_for(load(root), now=NOW)
