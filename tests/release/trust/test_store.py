"""Attacks on the root of trust: each ends in a refusal that says what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.signer import SSlibKey
from tuf.api.metadata import Metadata, Root

from clerestory.errors import Refused
from clerestory.policy import Floor, GateRules
from clerestory.release.gate import canonical
from clerestory.release.trust import Content, Training, load_chain, load_trust, signed, trust_at
from tests.release.signing import GATE, NOW, agree, content, person, signer

LATER = datetime(2027, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def agreed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three versions that the trustees agreed on."""
    folder = tmp_path_factory.mktemp("agreed") / "trust"
    agree(folder, content())
    agree(folder, content(gate=replace(GATE, recount=True)))
    agree(folder, content(gate=replace(GATE, recount=True, reproof=True)))
    return folder


@pytest.fixture
def folder(agreed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(agreed, tmp_path / "trust"))


def _root(folder: Path, version: int) -> Path:
    return folder / f"{version}.root.json"


def _edit(folder: Path, version: int, change: Callable[[dict[str, Any]], None]) -> None:
    said = json.loads(_root(folder, version).read_bytes())
    change(said["signed"])
    _root(folder, version).write_bytes(canonical.to_bytes(said))


def _forge(
    folder: Path, said: Content, *signers: str, version: int | None = None, previous: str = ""
) -> None:
    """A next version signed by whoever, without asking whether it may be."""
    chain = load_chain(folder) if _root(folder, 1).exists() else ()
    version = version or len(chain) + 1
    metadata = signed.to_root(said, version=version, previous=previous or (chain[-1].digest if chain else ""))
    for name in signers:
        metadata.sign(signer(name), append=True)
    folder.mkdir(exist_ok=True)
    _root(folder, version).write_bytes(signed.to_bytes(metadata))


def _refused(folder: Path, why: str, **asked: Any) -> None:
    with pytest.raises(Refused, match=why):
        load_trust(folder, now=NOW, **asked)


def test_what_was_agreed_is_loaded(agreed: Path) -> None:
    chain = load_chain(agreed)
    newest = load_trust(agreed, now=NOW, at_least=3)

    assert [trust.version for trust in chain] == [1, 2, 3]
    assert newest == chain[-1] and newest.gate.reproof
    assert [trust.previous for trust in chain] == ["", chain[0].digest, chain[1].digest]
    for trust in chain:
        assert load_trust(agreed, now=NOW, pinned=trust.digest) == newest
        assert trust_at(agreed, trust.version) == trust


def test_python_tuf_reads_it_as_its_own(agreed: Path) -> None:
    first: Metadata[Root] = Metadata.from_file(str(_root(agreed, 1)))
    second: Metadata[Root] = Metadata.from_file(str(_root(agreed, 2)))

    first.signed.verify_delegate("root", first.signed_bytes, first.signatures)
    first.signed.verify_delegate("root", second.signed_bytes, second.signatures)


# What an analyst with write access to the folder might edit


def _adds_a_person(said: dict[str, Any]) -> None:
    said["clerestory"]["people"]["mallory"] = {
        "name": "Mallory",
        "roles": ["publisher", "reviewer"],
        "keys": [signer("mallory").public_key.keyid],
        "training": [],
    }
    key = signer("mallory").public_key
    said["keys"][key.keyid] = key.to_dict()


def _takes_a_role(said: dict[str, Any]) -> None:
    said["clerestory"]["people"]["ana"]["roles"] = ["analyst", "publisher"]


def _lowers_the_threshold(said: dict[str, Any]) -> None:
    for role in said["roles"].values():
        role["threshold"] = 1


def _becomes_a_trustee(said: dict[str, Any]) -> None:
    for role in said["roles"].values():
        role["keyids"] = sorted([*role["keyids"], signer("ana").public_key.keyid])


def _backdates_a_training(said: dict[str, Any]) -> None:
    said["clerestory"]["people"]["ana"]["training"][0]["date"] = "2025-01-15"


def _prolongs_a_training(said: dict[str, Any]) -> None:
    said["clerestory"]["people"]["ana"]["training"][0]["expires"] = "2030-01-15"


def _swaps_a_key(said: dict[str, Any]) -> None:
    old, new = signer("pia").public_key, signer("mallory").public_key
    said["keys"][old.keyid]["keyval"] = new.keyval


def _swaps_a_key_and_its_number(said: dict[str, Any]) -> None:
    old, new = signer("pia").public_key, signer("mallory").public_key
    del said["keys"][old.keyid]
    said["keys"][new.keyid] = new.to_dict()
    said["clerestory"]["people"]["pia"]["keys"] = [new.keyid]


def _lowers_the_floor(said: dict[str, Any]) -> None:
    said["clerestory"]["floor"]["minimum_count"] = 2


def _loosens_the_gate(said: dict[str, Any]) -> None:
    said["clerestory"]["gate"]["reviewers"] = 1


def _lengthens_its_life(said: dict[str, Any]) -> None:
    said["expires"] = "2099-01-01T00:00:00Z"


EDITS = [
    _adds_a_person,
    _takes_a_role,
    _lowers_the_threshold,
    _becomes_a_trustee,
    _backdates_a_training,
    _prolongs_a_training,
    _swaps_a_key,
    _swaps_a_key_and_its_number,
    _lowers_the_floor,
    _loosens_the_gate,
    _lengthens_its_life,
]


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__.strip("_"))
def test_no_version_can_be_edited(folder: Path, edit: Callable[[dict[str, Any]], None], version: int) -> None:
    _edit(folder, version, edit)

    with pytest.raises(Refused):
        load_trust(folder, now=NOW)
    with pytest.raises(Refused):
        trust_at(folder, 1)


def _again(folder: Path, version: int, *signers: str) -> None:
    """Signs an edited version anew, with keys that the signers truly have."""
    metadata: Metadata[Root] = Metadata.from_bytes(_root(folder, version).read_bytes())
    metadata.signatures.clear()
    for name in signers:
        metadata.sign(signer(name), append=True)
    _root(folder, version).write_bytes(signed.to_bytes(metadata))


@pytest.mark.parametrize(
    "signers", [("ana",), ("ana", "dora"), ("dora",), ("ana", "ben", "pia"), ("mallory", "fay")]
)
@pytest.mark.parametrize("edit", EDITS[:-1], ids=lambda edit: edit.__name__.strip("_"))
def test_nor_edited_and_signed_by_too_few_trustees(
    folder: Path, edit: Callable[[dict[str, Any]], None], signers: tuple[str, ...]
) -> None:
    _edit(folder, 3, edit)
    _again(folder, 3, *signers)

    with pytest.raises(Refused):
        load_trust(folder, now=NOW)


@pytest.mark.parametrize("edit", [_adds_a_person, _takes_a_role, _prolongs_a_training, _lowers_the_floor])
def test_enough_of_them_may_do_just_that(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """The same edits are fine with the signatures: what is refused above is refused for want of them."""
    _edit(folder, 3, edit)
    _again(folder, 3, "dora", "emil")

    assert load_trust(folder, now=NOW).version == 3


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_byte_of_any_version_can_be_flipped(agreed: Path, data: st.DataObject) -> None:
    version = data.draw(st.integers(1, 3))
    known = {v: _root(agreed, v).read_bytes() for v in (1, 2, 3)}
    content_ = bytearray(known[version])
    content_[data.draw(st.integers(0, len(content_) - 1))] ^= data.draw(st.integers(1, 255))
    _root(agreed, version).write_bytes(bytes(content_))
    try:
        with pytest.raises(Refused):
            load_trust(agreed, now=NOW)
    finally:
        _root(agreed, version).write_bytes(known[version])


# Whole versions


def test_one_trustee_alone_cannot_add_a_version(folder: Path) -> None:
    _forge(folder, content(threshold=2), "dora")

    _refused(folder, "lacks 1 of 2 signatures of the old trustees and 1 of 2 signatures of its own")


def test_trustees_who_name_themselves_cannot(folder: Path) -> None:
    people = {name: person(name) for name in ("mallory", "oscar")}
    said = content(people, trustees=("mallory", "oscar"), floor=Floor(), gate=GateRules())
    _forge(folder, said, "mallory", "oscar")

    with pytest.raises(Refused, match="is gone, and must be listed as revoked"):
        load_trust(folder, now=NOW)


def test_nor_by_keeping_all_others(folder: Path) -> None:
    names = ("ana", "ben", "cleo", "pia", "iris", "ivo", "dora", "emil", "fay", "mallory", "oscar")
    said = content({name: person(name) for name in names}, trustees=("mallory", "oscar"))
    _forge(folder, said, "mallory", "oscar")

    _refused(folder, "lacks 2 of 2 signatures of the old trustees")


def test_old_trustees_cannot_install_those_who_do_not_agree(folder: Path) -> None:
    said = content(trustees=("ana", "ben"))
    _forge(folder, said, "dora", "emil")

    _refused(folder, "lacks 2 of 2 signatures of its own trustees")


def test_a_signature_counts_once(folder: Path) -> None:
    _forge(folder, content(), "dora", "dora")

    _refused(folder, "lacks 1 of 2")


def test_a_signature_too_many_is_refused(folder: Path) -> None:
    """So that a version has one digest: nobody can add to it what no pin knows."""
    _forge(folder, content(), "dora", "emil", "mallory")

    _refused(folder, "signed it and is no trustee")


def test_one_key_under_two_numbers_is_refused(folder: Path) -> None:
    double = SSlibKey("f" * 64, "ed25519", "ed25519", dict(signer("dora").public_key.keyval))
    known = content()
    people = {**known.people, "gus": person("gus", keys=(double.keyid,))}
    said = replace(
        known,
        people=people,
        keys={**known.keys, double.keyid: double},
        trustees=("dora", "emil", "gus"),
    )
    metadata = signed.to_root(said, version=4, previous=load_chain(folder)[-1].digest)
    for name in ("dora", "emil"):
        metadata.sign(signer(name), append=True)
    _root(folder, 4).write_bytes(signed.to_bytes(metadata))

    _refused(folder, "its number is not the digest of the key")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"threshold": 1}, "nobody may change the root of trust alone"),
        ({"threshold": 4}, "there are 3 trustees"),
        ({"people": {**content().people, "dora": person("dora", keys=())}}, "has 0 keys|is nobody's"),
        (
            {"people": {**content().people, "ana": person("ana", name="A\u202ena")}},
            "no name that can be shown",
        ),
        (
            {
                "people": {
                    **content().people,
                    "ana": person("ana", training=(Training("x", date(2026, 1, 2), date(2026, 1, 1)),)),
                }
            },
            "expires before it was taken",
        ),
        (
            {"people": {**content().people, "ana": person("ana", keys=person("ben").keys)}},
            "stands more than once",
        ),
        ({"gate": GateRules(courses=("a", "a"))}, "stands twice"),
    ],
)
def test_what_no_number_of_trustees_may_agree_on(folder: Path, changes: dict[str, Any], why: str) -> None:
    _forge(folder, replace(content(), **changes), "dora", "emil", "fay")

    _refused(folder, why)


# Freshness


def test_the_chain_cut_back_is_refused_by_who_saw_more(folder: Path) -> None:
    newest = load_chain(folder)[-1]
    _root(folder, 3).unlink()

    _refused(folder, "version 3 was seen already", at_least=3)
    _refused(folder, "is not in this chain", pinned=newest.digest)
    assert load_trust(folder, now=NOW, at_least=2).version == 2


def test_an_older_version_offered_as_newer_is_refused(folder: Path) -> None:
    _root(folder, 4).write_bytes(_root(folder, 1).read_bytes())

    _refused(folder, "it says that it is version 1, not 4")


@pytest.mark.parametrize("version", [1, 2])
def test_a_gap_is_refused(folder: Path, version: int) -> None:
    _root(folder, version).unlink()

    _refused(folder, f"version {version} of the root of trust is missing")


def test_versions_cannot_change_places(folder: Path) -> None:
    second, third = _root(folder, 2).read_bytes(), _root(folder, 3).read_bytes()
    _root(folder, 2).write_bytes(third)
    _root(folder, 3).write_bytes(second)

    _refused(folder, "it says that it is version 3, not 2")


def test_a_fork_is_refused_by_whoever_knows_the_other(agreed: Path, tmp_path: Path) -> None:
    """The same trustees signed two third versions; each is whole, and neither passes for the other."""
    fork = tmp_path / "trust"
    fork.mkdir()
    for version in (1, 2):
        shutil.copy(_root(agreed, version), fork)
    other = agree(fork, content(gate=replace(GATE, recount=True, review_minutes=5)))
    ours = load_chain(agreed)[-1]

    _refused(fork, "is not in this chain", pinned=ours.digest)
    _refused(agreed, "is not in this chain", pinned=other.digest)


def test_the_versions_of_a_fork_do_not_mix(agreed: Path, tmp_path: Path) -> None:
    fork = tmp_path / "trust"
    fork.mkdir()
    shutil.copy(_root(agreed, 1), fork)
    agree(fork, content(gate=replace(GATE, review_minutes=5)))
    shutil.copy(_root(agreed, 3), fork)

    _refused(fork, "does not follow the version before, but another one")


def test_another_s_whole_chain_is_refused_by_the_pin(agreed: Path, tmp_path: Path) -> None:
    people = {name: person(name) for name in ("mallory", "oscar")}
    agree(tmp_path / "trust", content(people, trustees=("mallory", "oscar")), "mallory", "oscar")

    _refused(tmp_path / "trust", "another root of trust", pinned=load_chain(agreed)[0].digest)


def test_an_expired_one_is_refused_and_still_tells_of_the_past(folder: Path) -> None:
    with pytest.raises(Refused, match="expired on 2027-11-25") as found:
        load_trust(folder, now=LATER)

    assert "trust propose" in found.value.fix
    assert trust_at(folder, 1).version == 1


def test_it_expires_at_that_second(folder: Path) -> None:
    expires = load_chain(folder)[-1].expires

    assert load_trust(folder, now=expires - timedelta(seconds=1)).version == 3
    with pytest.raises(Refused, match="expired"):
        load_trust(folder, now=expires)


# Files


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{}\n",
        b"[]\n",
        b'{"signatures":[],"signed":{}}\n',
        b'{"signatures":[],"signed":{"_type":"targets"}}\n',
        b"\xff\xfe",
        b"[" * 100_000,
        b" " * (1 << 21),
    ],
)
def test_what_is_no_root_is_refused(folder: Path, damage: bytes) -> None:
    _root(folder, 3).write_bytes(damage)

    with pytest.raises(Refused):
        load_trust(folder, now=NOW)


def test_another_form_of_the_same_is_refused(folder: Path) -> None:
    said = json.loads(_root(folder, 3).read_bytes())
    _root(folder, 3).write_text(json.dumps(said, indent=1))

    _refused(folder, "not in the canonical form")


def test_a_link_is_refused(folder: Path) -> None:
    _root(folder, 3).rename(folder / "away.json")
    _root(folder, 3).symlink_to("away.json")

    _refused(folder, "cannot be read")


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    _refused(tmp_path / "none", "there is no root of trust here")
    _refused(tmp_path, "there is no root of trust here")


@pytest.mark.parametrize("version", [0, 4, -1])
def test_there_are_only_the_versions_that_there_are(agreed: Path, version: int) -> None:
    with pytest.raises(Refused, match="there is no version"):
        trust_at(agreed, version)
