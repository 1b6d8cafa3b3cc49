"""A new root of trust is a line of the ledger, so that what it revokes counts no more from then on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from clerestory.api.ledger import verified
from clerestory.errors import Refused
from clerestory.release.gate.register import Register, digest_of
from clerestory.release.ledger import Event, Kind
from clerestory.release.trust.change import revoking
from tests.release.gate.made import Project
from tests.release.signing import agree, content, signer


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "site")


def _revoke(project: Project, who: str) -> None:
    said = revoking(
        project.register.trust(), signer(who).public_key.keyid, on=date(2026, 11, 25), reason="stolen"
    )
    agree(project.root / "trust", said)


def _by_hand(project: Project, release: str, who: str, *, under: int) -> Event:
    """What a thief writes who has a key and knows the format."""
    project.wait(seconds=1)
    manifest = digest_of(project.root / "releases" / release)
    return project.fresh().write(Kind.PUBLISHED, release, manifest, signer(who), trust=under)


def test_a_stolen_key_publishes_nothing_after_its_revocation(project: Project) -> None:
    release = project.approved()
    _revoke(project, "pia")
    line = project.fresh().trusted()

    assert line is not None
    assert (line.kind, line.trust, line.by, line.signature) == (Kind.TRUSTED, 2, "", "")
    assert line.manifest == project.register.trust().digest
    with pytest.raises(Refused, match="a root older than an earlier line's"):
        _by_hand(project, release, "pia", under=1)
    with pytest.raises(Refused, match="nobody's"):
        _by_hand(project, release, "pia", under=2)
    assert project.fresh().standing().live is None


def test_nor_by_a_line_put_into_the_file(project: Project) -> None:
    """Before the root that revokes the key such a line stands; after it, it does not."""
    release = project.approved()
    before = (project.root / "ledger.jsonl").read_bytes()
    forged = _by_hand(project, release, "pia", under=1)
    (project.root / "ledger.jsonl").write_bytes(before)
    _revoke(project, "pia")
    project.fresh().trusted()

    after = project.fresh().events()[-1]
    moved = replace(forged, seq=after.seq + 1, previous=after.digest, time=after.time)
    resigned = replace(moved, signature=signer("pia").sign(moved.payload).signature)
    with (project.root / "ledger.jsonl").open("ab") as file:
        file.write(resigned.to_bytes())

    with pytest.raises(Refused, match="signed under a root older than an earlier line's"):
        project.fresh().events()


def test_what_was_signed_before_stays(project: Project) -> None:
    release = project.live()
    _revoke(project, "pia")
    project.fresh().trusted()

    live = project.fresh().standing().live
    assert live is not None and live.release == release
    assert len(verified(project.root).events) == 5


def test_it_is_written_once_and_only_where_there_is_a_ledger(project: Project) -> None:
    assert project.fresh().trusted() is None  # no ledger yet
    project.built()
    assert project.fresh().trusted() is None  # its lines say this version already

    agree(project.root / "trust", content(threshold=3), "dora", "emil", "fay")

    assert project.fresh().trusted() is not None
    assert project.fresh().trusted() is None


@pytest.mark.parametrize(
    "changes",
    [
        {"trust": 3},
        {"trust": 0},
        {"manifest": "ab" * 32, "release": "r-abababababab"},
        {"body": "ab" * 32},
        {"by": "ab" * 32},
        {"by": "ab" * 32, "signature": "ab" * 64},
    ],
)
def test_a_line_about_another_root_is_refused(project: Project, changes: dict[str, object]) -> None:
    project.built()
    agree(project.root / "trust", content(threshold=3), "dora", "emil", "fay")
    before = project.fresh().events()
    line = project.fresh().trusted()
    assert line is not None and project.fresh().events() == (*before, line)
    whole = (project.root / "ledger.jsonl").read_bytes()

    wrong = replace(line, **changes)  # type: ignore[arg-type]
    (project.root / "ledger.jsonl").write_bytes(whole.replace(line.to_bytes(), wrong.to_bytes()))

    with pytest.raises(Refused):
        project.fresh().events()


def test_the_chain_cut_back_does_not_pass_a_ledger_that_knows_more(project: Project) -> None:
    project.built()
    agree(project.root / "trust", content(threshold=3), "dora", "emil", "fay")
    project.fresh().trusted()
    (project.root / "trust" / "2.root.json").unlink()

    with pytest.raises(Refused, match="there is no version 2"):
        Register(project.root, clock=lambda: project.now).trust()


def test_whoever_writes_next_writes_it_down(project: Project) -> None:
    """If the disk was full when the root was accepted, say."""
    release = project.built()
    agree(project.root / "trust", content(threshold=3), "dora", "emil", "fay")
    project.say(Kind.APPROVED, release, "ben", answers="a" * 64)

    assert [event.kind for event in project.fresh().events()] == [Kind.BUILT, Kind.TRUSTED, Kind.APPROVED]
