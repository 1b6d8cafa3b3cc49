from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from clerestory.errors import InputError, Problems, Refused
from clerestory.release.gate import canonical
from clerestory.release.trust import (
    Revoked,
    Role,
    accept,
    load_chain,
    load_trust,
    propose,
    sign_draft,
    signed,
)
from clerestory.release.trust.change import check_signer, content_of, draft, revoking, rotating
from tests.release.signing import GATE, NOW, agree, content, person, signer

TODAY = date(2026, 11, 25)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    agree(tmp_path / "trust", content())
    return tmp_path / "trust"


def test_what_trustees_agreed_on_is_what_is_read(tmp_path: Path) -> None:
    first = agree(tmp_path / "trust", content())

    assert load_trust(tmp_path / "trust", now=NOW, pinned=first.digest) == first
    assert first.problem(signer("ana").public_key.keyid, Role.ANALYST, NOW) == ""
    assert content_of(first) == replace(content(), trustees=("dora", "emil", "fay"))

    second = agree(tmp_path / "trust", content(threshold=3), "dora", "emil", "fay")

    assert (second.version, second.previous) == (2, first.digest)
    assert sorted(file.name for file in (tmp_path / "trust").iterdir()) == ["1.root.json", "2.root.json"]


def test_a_draft_counts_for_nothing(folder: Path) -> None:
    before = load_trust(folder, now=NOW)
    propose(folder, content(gate=replace(GATE, reviewers=1)), now=NOW)

    assert load_trust(folder, now=NOW) == before


def test_a_draft_says_who_signed_and_what_it_lacks(folder: Path) -> None:
    propose(folder, content(threshold=3), now=NOW)
    assert draft(folder).signed == ()

    sign_draft(folder, signer("dora"))
    with pytest.raises(
        Refused, match="1 of 2 signatures of the old trustees and 2 of 3 signatures of its own"
    ):
        accept(folder)

    sign_draft(folder, signer("emil"))
    found = draft(folder)
    assert (found.signed, found.unsigned) == (("dora", "emil"), ("fay",))
    assert found.missing == "it lacks 1 of 3 signatures of its own trustees"

    sign_draft(folder, signer("fay"))
    assert draft(folder).missing == ""
    assert accept(folder).threshold == 3


def test_signing_in_any_order_gives_the_same_bytes(tmp_path: Path) -> None:
    one = agree(tmp_path / "a", content(), "dora", "emil")
    other = agree(tmp_path / "b", content(), "emil", "dora", "emil")

    assert one.digest == other.digest


@pytest.mark.parametrize("name", ["ana", "pia", "mallory"])
def test_only_trustees_sign(folder: Path, name: str) -> None:
    file = propose(folder, content(gate=replace(GATE, reviewers=3)), now=NOW)
    before = file.read_bytes()

    with pytest.raises(InputError, match="is of no trustee"):
        sign_draft(folder, signer(name))

    assert file.read_bytes() == before


def test_somebody_signs_with_their_own_key(folder: Path) -> None:
    propose(folder, content(gate=replace(GATE, reviewers=3)), now=NOW)

    check_signer(folder, "dora", signer("dora"))
    with pytest.raises(InputError, match="is dora's, not emil's"):
        check_signer(folder, "emil", signer("dora"))
    with pytest.raises(InputError, match="is nobody's"):
        check_signer(folder, "emil", signer("mallory"))


def test_only_what_was_read_is_signed(folder: Path) -> None:
    propose(folder, content(gate=replace(GATE, reviewers=3)), now=NOW)
    read = draft(folder).digest
    sign_draft(folder, signer("dora"), shown=read)
    assert draft(folder).digest == read  # signatures do not change what is read

    propose(folder, content(gate=replace(GATE, reviewers=1)), now=NOW, again=True)
    with pytest.raises(Refused, match="was replaced since you have read it"):
        sign_draft(folder, signer("emil"), shown=read)
    assert draft(folder).signed == ()


@pytest.mark.parametrize("key", ["threshold", "expires"])
def test_a_draft_changed_after_it_was_signed_is_refused(folder: Path, key: str) -> None:
    file = propose(folder, content(threshold=3), now=NOW)
    sign_draft(folder, signer("dora"))
    said = json.loads(file.read_bytes())
    if key == "threshold":
        for role in said["signed"]["roles"].values():
            role["threshold"] = 2
    else:
        said["signed"]["expires"] = "2028-01-01T00:00:00Z"
    file.write_bytes(canonical.to_bytes(said))

    for act in (accept, lambda where: sign_draft(where, signer("emil"))):
        with pytest.raises(Refused, match="a signature of the draft is not true"):
            act(folder)


def test_a_draft_for_another_chain_is_refused(folder: Path, tmp_path: Path) -> None:
    agree(tmp_path / "other", content(gate=replace(GATE, reviewers=3)))
    file = propose(tmp_path / "other", content(), now=NOW)
    (folder / file.name).write_bytes(file.read_bytes())

    with pytest.raises(Refused, match="does not follow the version before, but another one"):
        sign_draft(folder, signer("dora"))


def test_a_draft_is_replaced_only_when_asked(folder: Path) -> None:
    propose(folder, content(threshold=3), now=NOW)
    sign_draft(folder, signer("dora"))

    with pytest.raises(InputError, match="there is a draft"):
        propose(folder, content(gate=replace(GATE, reviewers=3)), now=NOW)
    assert draft(folder).signed == ("dora",)

    propose(folder, content(gate=replace(GATE, reviewers=3)), now=NOW, again=True)
    assert draft(folder).signed == ()


def test_without_a_draft_there_is_nothing_to_sign_or_accept(folder: Path) -> None:
    for act in (accept, draft, lambda where: sign_draft(where, signer("dora"))):
        with pytest.raises(InputError, match="there is no draft"):
            act(folder)


def test_nothing_to_change_is_said(folder: Path) -> None:
    with pytest.raises(InputError, match="nothing would change"):
        propose(folder, content(), now=NOW)


@pytest.mark.parametrize("expires", [NOW, datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)])
def test_a_version_lasts_neither_never_nor_for_ever(tmp_path: Path, expires: datetime) -> None:
    with pytest.raises(Problems, match="at most two years"):
        propose(tmp_path / "trust", content(expires=expires), now=NOW)


def test_all_that_may_not_be_is_said_at_once(tmp_path: Path) -> None:
    people = {**content().people, "ana": person("ana", name=" ")}

    with pytest.raises(Problems) as found:
        propose(tmp_path / "trust", replace(content(), people=people, threshold=1), now=NOW)

    assert len(found.value.problems) == 2
    assert not (tmp_path / "trust").exists()


def test_an_expired_root_is_renewed(folder: Path) -> None:
    later = datetime(2027, 12, 1, tzinfo=UTC)
    with pytest.raises(Refused):
        load_trust(folder, now=later)

    agree(folder, content(expires=datetime(2028, 11, 25, tzinfo=UTC)), now=later)

    assert load_trust(folder, now=later).version == 2


# Keys that change


def test_a_key_is_rotated_by_the_old_and_the_new(folder: Path) -> None:
    """A trustee's new key signs too: it is one of the keys that the new version asks."""
    trust = load_chain(folder)[-1]
    old, new = signer("dora"), signer("dora, again")
    said = rotating(trust, old.public_key.keyid, new.public_key, on=TODAY, reason="on schedule")
    after = agree(folder, said, "dora", "emil", "dora, again")

    assert after.people["dora"].keys == (new.public_key.keyid,)
    assert after.problem(new.public_key.keyid, Role.TRUSTEE, NOW) == ""
    assert "revoked on 2026-11-25: on schedule" in after.problem(old.public_key.keyid, Role.TRUSTEE, NOW)
    with pytest.raises(InputError, match="is of no trustee"):
        propose(folder, content_of(replace(after, threshold=3)), now=NOW)
        sign_draft(folder, old)


def test_a_lost_key_of_a_trustee_is_replaced_by_the_others(folder: Path) -> None:
    trust = load_chain(folder)[-1]
    new = signer("fay, again")
    said = rotating(trust, signer("fay").public_key.keyid, new.public_key, on=TODAY, reason="lost")
    after = agree(folder, said, "dora", "emil")

    assert after.trustees == ("dora", "emil", "fay")
    assert after.people["fay"].keys == (new.public_key.keyid,)


def test_a_revoked_key_of_a_trustee_takes_the_role_with_it(folder: Path) -> None:
    trust = load_chain(folder)[-1]
    said = revoking(trust, signer("fay").public_key.keyid, on=TODAY, reason="left")
    after = agree(folder, said)

    assert after.trustees == ("dora", "emil")
    assert Role.TRUSTEE not in after.people["fay"].roles


def test_too_few_trustees_cannot_remain(folder: Path) -> None:
    agree(folder, revoking(load_chain(folder)[-1], signer("fay").public_key.keyid, on=TODAY, reason="left"))
    said = revoking(load_chain(folder)[-1], signer("emil").public_key.keyid, on=TODAY, reason="left")

    with pytest.raises(Problems, match="there are 1 trustees"):
        propose(folder, said, now=NOW)


def test_past_versions_still_know_a_revoked_key(folder: Path) -> None:
    keyid = signer("ben").public_key.keyid
    first = load_chain(folder)[-1]
    agree(folder, revoking(first, keyid, on=TODAY, reason="stolen"))
    chain = load_chain(folder)

    assert chain[0].problem(keyid, Role.REVIEWER, NOW) == ""
    assert "stolen" in chain[1].problem(keyid, Role.REVIEWER, NOW)


BEN = signer("ben").public_key.keyid


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "must stay listed as it was"),
        ({"revoked": {BEN: Revoked("ben", TODAY, "a better reason")}}, "must stay listed as it was"),
        (
            {
                "revoked": {BEN: Revoked("ben", TODAY, "stolen")},
                "people": {**content().people, "ben": person("ben")},
            },
            "can never be used again",
        ),
    ],
)
def test_what_is_revoked_stays_revoked(folder: Path, changes: dict[str, Any], why: str) -> None:
    trust = agree(folder, revoking(load_chain(folder)[-1], BEN, on=TODAY, reason="stolen"))
    said = replace(content(), **changes)

    with pytest.raises(Problems, match=why):
        propose(folder, said, now=NOW)

    metadata = signed.to_root(said, version=3, previous=trust.digest)
    for name in ("dora", "emil", "fay"):
        metadata.sign(signer(name), append=True)
    (folder / "3.root.json").write_bytes(signed.to_bytes(metadata))
    with pytest.raises(Refused, match=why):
        load_trust(folder, now=NOW)


@pytest.mark.parametrize(
    ("ana", "why"),
    [
        (person("ana", keys=(signer("new").public_key.keyid,)), "is gone, and must be listed as revoked"),
        (None, "is gone, and must be listed as revoked"),
    ],
)
def test_no_key_goes_without_a_reason(folder: Path, ana: Any, why: str) -> None:
    known = content()
    people = {name: one for name, one in known.people.items() if name != "ana"} | (
        {"ana": ana} if ana else {}
    )
    keys = {
        **{keyid: key for keyid, key in known.keys.items() if keyid != signer("ana").public_key.keyid},
        **({signer("new").public_key.keyid: signer("new").public_key} if ana else {}),
    }

    with pytest.raises(Problems, match=why):
        propose(folder, replace(known, people=people, keys=keys), now=NOW)


def test_a_key_never_becomes_another_person_s(folder: Path) -> None:
    known = content()
    people = {name: one for name, one in known.people.items() if name != "ana"}
    people["eve"] = person("eve", keys=(signer("ana").public_key.keyid,))

    with pytest.raises(Problems, match="of ana cannot become another person's"):
        propose(folder, replace(known, people=people), now=NOW)


def test_a_reader_of_a_whole_folder_sees_no_half_version(folder: Path) -> None:
    """Acceptance is one link: a draft left beside it changes nothing."""
    file = propose(folder, content(threshold=3), now=NOW)
    for name in ("dora", "emil", "fay"):
        sign_draft(folder, signer(name))
    kept = file.read_bytes()
    accept(folder)
    file.write_bytes(kept)

    assert load_trust(folder, now=NOW).version == 2
    with pytest.raises(InputError, match="there is no draft"):
        accept(folder)
