"""A release is proven together with earlier ones, from public files alone; what does not fit is refused."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from clerestory.attack.history import SUFFIX, Earlier
from clerestory.confidential.protect.publish import protect
from clerestory.errors import Refused
from clerestory.policy import Policy
from clerestory.release import structure
from clerestory.release.history import Past, befores, past_of, read_past
from clerestory.release.ledger import FIRST, Event, Kind
from clerestory.release.manifest import NAME
from clerestory.release.proof import proof_list, witness
from clerestory.release.proof.proof_list import ProofList
from clerestory.release.proof.prove import prove
from clerestory.release.proof.verify_proof import verify_proof
from clerestory.release.structure import Before, Rule
from clerestory.release.verify import open_release
from clerestory.tables import Changes, PublicCells
from tests.confidential.protect.years import original, space
from tests.release.proving import edit_csv, facts_of, files_of, released

POLICY = Policy("test", "none", 5, 4)
RULE = Rule(2, 4, 5)
PEOPLE = np.array([[3, 20, 31], [22, 9, 45], [12, 26, 2]])


def put(releases: Path, public: PublicCells, before: tuple[Before, ...] = ()) -> tuple[Path, Before]:
    """A release of these cells, and what the next one says of it."""
    files = files_of(public, RULE)
    files[structure.path_of("s")] = structure.write(public.space, RULE, before)
    folder = released(releases, files, facts_of(public, RULE))
    digest = hashlib.sha256((folder / NAME).read_bytes()).hexdigest()
    return folder, Before(folder.name, digest, True)


@dataclass
class Two:
    """A release of two years, and one of three years that is protected with the first in view."""

    first: Path
    second: Path
    before: Before
    earlier: Earlier


@pytest.fixture
def two(tmp_path: Path) -> Two:
    old = protect(original(space(2, 3, Changes.FROZEN), PEOPLE[:2]), POLICY, seed=1).public
    first, before = put(tmp_path, old)
    earlier = Earlier(first.name, old)
    now = protect(original(space(3, 3, Changes.FROZEN), PEOPLE), POLICY, seed=1, earlier=[earlier]).public
    second, _ = put(tmp_path, now, (before,))
    return Two(first, second, before, earlier)


def test_a_proof_over_time_is_made_and_checked_from_public_files(two: Two, tmp_path: Path) -> None:
    made = prove(two.second)
    checked = verify_proof(two.second)

    assert [one.source for one in made.over_time] == ["s" + SUFFIX]
    assert checked.over_time[0].smallest is not None and checked.over_time[0].smallest >= 4
    content = (two.second / proof_list.path_of("s" + SUFFIX)).read_bytes()
    away = tmp_path / "away" / two.second.name
    shutil.copytree(two.second, away)
    assert verify_proof(away).not_over_time == {"s": (two.first.name,)}
    assert verify_proof(away, [two.first]).over_time == checked.over_time
    shutil.rmtree(away / "proof")
    with pytest.raises(Refused, match="cannot be proven without"):
        prove(away)
    prove(away, [tmp_path])
    assert (away / proof_list.path_of("s" + SUFFIX)).read_bytes() == content


def test_an_earlier_release_that_differs_by_one_is_caught(two: Two, tmp_path: Path) -> None:
    prove(two.second)
    file = two.first / structure.csv_path("t")

    def one_less(rows: list[list[str]]) -> None:
        row = next(row for row in rows[1:] if row[-2].isdigit())
        row[-2] = str(int(row[-2]) - 1)

    file.write_bytes(edit_csv(file.read_bytes(), one_less))
    with pytest.raises(Refused, match=r"cannot be audited against: site/data/t.csv has another digest"):
        verify_proof(two.second)

    # The same as a whole release of its own, which a dishonest builder names as the earlier one.
    values = two.earlier.public.values.copy()
    shown = np.flatnonzero(~two.earlier.public.hidden)
    values[shown] -= 1
    other, before = put(tmp_path, PublicCells(two.earlier.public.space, values, two.earlier.public.hidden))
    now = read(two.second)
    forged, _ = put(tmp_path, now.public, (before,))
    with pytest.raises(Refused, match="not what an earlier release shows"):
        prove(forged)
    assert other.is_dir()


def read(folder: Path) -> Past:
    digest = hashlib.sha256((folder / NAME).read_bytes()).hexdigest()
    past = read_past(folder, folder.name, digest, "s")
    assert past is not None
    return past


def test_a_release_that_was_protected_without_a_memory_cannot_be_proven(tmp_path: Path) -> None:
    changes = Changes.CUMULATIVE
    old = protect(original(space(3, 3, changes), PEOPLE), POLICY, seed=1).public
    _, before = put(tmp_path, old)
    more = PEOPLE + np.array([[0, 0, 1], [0, 0, 0], [0, 0, 0]])
    now = protect(original(space(3, 3, changes), more), POLICY, seed=1).public
    folder, _ = put(tmp_path, now, (before,))

    with pytest.raises(Refused, match="can be worked out"):
        prove(folder)


def test_a_witness_over_time_that_was_altered_is_caught(two: Two) -> None:
    prove(two.second)
    path = proof_list.path_of("s" + SUFFIX)
    proof = witness.parse((two.second / path).read_bytes(), where="test")
    base = proof.base.copy()
    base[0] += 1
    content = replace(proof, base=base).to_bytes()
    (two.second / path).write_bytes(content)
    listed = proof_list.read(two.second, open_release(two.second).id)
    assert listed is not None
    entries = tuple(
        replace(entry, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        if entry.path == path
        else entry
        for entry in listed.files
    )
    (two.second / proof_list.NAME).write_bytes(ProofList(listed.release, entries).to_bytes())

    with pytest.raises(Refused, match="witness"):
        verify_proof(two.second)


def test_a_proof_that_leaves_the_history_out_is_caught(two: Two) -> None:
    prove(two.second)
    path = proof_list.path_of("s" + SUFFIX)
    (two.second / path).unlink()
    listed = proof_list.read(two.second, open_release(two.second).id)
    assert listed is not None
    fewer = tuple(entry for entry in listed.files if entry.path != path)
    (two.second / proof_list.NAME).write_bytes(ProofList(listed.release, fewer).to_bytes())

    with pytest.raises(Refused, match="not one for each protected source and history"):
        verify_proof(two.second)


def test_a_frozen_table_cannot_leave_an_earlier_release_aside(two: Two, tmp_path: Path) -> None:
    now = read(two.second)
    folder, _ = put(tmp_path, now.public, (replace(two.before, linked=False),))
    prove(folder)

    with pytest.raises(Refused, match="leaves earlier releases aside"):
        verify_proof(folder)


def test_releases_of_the_ledger_that_say_nothing_new_are_read_once(two: Two, tmp_path: Path) -> None:
    first, second = read(two.first), read(two.second)
    again, before = put(tmp_path, first.public, (two.before,))
    names = [two.first, again, two.second]
    ledger = [
        Event(i, FIRST, Kind.PUBLISHED, "", f.name, hashlib.sha256((f / NAME).read_bytes()).hexdigest())
        for i, f in enumerate(names)
    ]

    pasts = past_of(tmp_path, ledger, "s")
    assert [past.release for past in pasts] == [first.release, second.release]
    assert before.release == again.name
    assert [one.linked for one in befores(pasts, linked=False)] == [True, False]
    assert past_of(tmp_path, ledger, "another") == ()
    shutil.rmtree(two.first)
    with pytest.raises(Refused, match="cannot be audited against"):
        past_of(tmp_path, ledger, "another")


@pytest.mark.parametrize(
    "before",
    [
        Before("r-0123456789ab", "f" * 64, True),
        Before("current", "0" * 64, True),
        Before("r-0123456789ab", "0123456789ab", True),
    ],
)
def test_an_earlier_release_is_named_by_its_id_and_digest(two: Two, before: Before) -> None:
    content = structure.write(read(two.second).public.space, RULE, (before,))
    with pytest.raises(Refused, match="not named by its id and digest"):
        structure.parse(content, where="test")
