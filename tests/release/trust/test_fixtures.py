"""Small committed folders, each with one thing wrong: read with what is committed, not with what is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from clerestory.errors import Refused
from clerestory.release.gate.envelope import open_envelope, verified
from clerestory.release.gate.statement import Approval
from clerestory.release.trust import Role, load_trust
from tests.release.signing import NOW
from tests.release.trust.make_fixtures import FIXTURES, MANIFEST, make


def judged(folder: Path, *, at_least: int = 0) -> str:
    """Why the one approval of a fixture does not count; empty if it does."""
    try:
        trust = load_trust(folder / "trust", now=NOW, at_least=at_least)
        content = (folder / "approval.json").read_bytes()
        said = Approval.from_statement(open_envelope(content, where="approval").statement, where="approval")
    except Refused as problem:
        return problem.what
    signers = verified(content, trust.keys)
    assert said.manifest == MANIFEST
    (keyid,) = open_envelope(content, where="approval").signatures
    problem = trust.problem(keyid, Role.REVIEWER, said.time)
    return problem or ("" if keyid in signers else "the signature is not true")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("whole", ""),
        ("flipped-root", "is not true"),
        ("flipped-approval", "the signature is not true"),
        ("one-trustee-short", "it lacks 1 of 3 signatures of its own trustees"),
        ("role-missing", "Pia does not have the role reviewer"),
        ("training-expired", "Ben's training in sdc-101 expired on 2026-10-31"),
        ("key-revoked", "of ben was revoked on 2026-11-25: laptop stolen"),
        ("older-root-as-newer", "it says that it is version 1, not 3"),
    ],
)
def test_each_is_refused_for_its_own_reason(name: str, why: str) -> None:
    found = judged(FIXTURES / name)

    assert why in found and (why == "") == (found == "")


def test_the_chain_cut_back_passes_only_for_who_never_saw_the_end() -> None:
    folder = FIXTURES / "chain-cut-back"

    assert judged(folder) == ""
    assert "version 2 was seen already" in judged(folder, at_least=2)


def test_they_are_what_the_maker_makes(tmp_path: Path) -> None:
    make(tmp_path / "again")
    files = {file.relative_to(FIXTURES) for file in FIXTURES.rglob("*") if file.is_file()}

    again = {
        file.relative_to(tmp_path / "again") for file in (tmp_path / "again").rglob("*") if file.is_file()
    }
    assert files == again
    for file in files:
        assert (FIXTURES / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file
