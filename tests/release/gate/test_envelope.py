from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clerestory.errors import Refused
from clerestory.release.gate import canonical
from clerestory.release.gate.envelope import PAYLOAD_TYPE, countersign, open_envelope, seal, verified
from tests.release.signing import signer

ANA, BEN = signer("ana"), signer("ben")
KEYS = {one.public_key.keyid: one.public_key for one in (ANA, BEN)}
SAID = {"_type": "x", "predicate": {"person": "Ana Díaz", "numbers": [1, 2, 3], "none": None}}
SEALED = seal(SAID, ANA)

_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def _changed(**changes: Any) -> bytes:
    return canonical.to_bytes({**json.loads(SEALED), **changes})


@given(st.dictionaries(st.text(max_size=8), _values, max_size=5))
@settings(max_examples=60, deadline=None)
def test_what_was_sealed_is_what_is_opened(said: dict[str, Any]) -> None:
    content = seal(said, ANA)

    assert open_envelope(content, where="x").statement == said
    assert verified(content, KEYS) == {ANA.public_key.keyid}
    assert seal(said, ANA) == content  # one byte form


def test_the_signature_is_over_dsse_s_encoding() -> None:
    """The pre-authentication encoding by hand, from the protocol's text (secure-systems-lab/dsse v1)."""
    opened = open_envelope(SEALED, where="x")
    by_hand = (
        b"DSSEv1 28 application/vnd.in-toto+json " + str(len(opened.payload)).encode() + b" " + opened.payload
    )

    assert opened.signed == by_hand
    ANA.public_key.verify_signature(opened.signatures[ANA.public_key.keyid], by_hand)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
@settings(max_examples=500, deadline=None)
def test_no_byte_can_be_flipped(place: int, flip: int) -> None:
    content = bytearray(SEALED)
    content[place] ^= flip
    try:
        found = verified(bytes(content), KEYS)
    except Refused:
        return
    assert found == frozenset()


@given(st.integers(0, len(SEALED)), st.binary(min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_none_can_be_added(place: int, more: bytes) -> None:
    try:
        found = verified(SEALED[:place] + more + SEALED[place:], KEYS)
    except Refused:
        return
    assert found == frozenset()


@given(st.integers(0, len(SEALED) - 1))
@settings(deadline=None)
def test_nor_cut_off(place: int) -> None:
    with pytest.raises(Refused):
        open_envelope(SEALED[:place], where="x")


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(Refused):
        open_envelope(content, where="x")


@given(_values)
@settings(deadline=None)
def test_any_other_json_is_refused(said: Any) -> None:
    with pytest.raises(Refused):
        open_envelope(canonical.to_bytes(said), where="x")


def _payload(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(json.loads(SEALED)).encode(),
        SEALED.rstrip(),
        SEALED.replace(b'"signatures"', b'"payloadType":"application/vnd.in-toto+json","signatures"'),
        _changed(payloadType="application/json"),
        _changed(payloadType=PAYLOAD_TYPE + " "),
        _changed(signatures=[]),
        _changed(signatures=json.loads(SEALED)["signatures"] * 2),
        _changed(more=1),
        _changed(payload=_payload(b'{"a":1}')),
        _changed(payload=_payload(b'{"a":1,"a":2}\n')),
        _changed(payload=_payload(b'{"a":1.5}\n')),
        _changed(payload=_payload(b'{"a":NaN}\n')),
        _changed(payload=_payload(b"[]\n")),
        _changed(payload=json.loads(SEALED)["payload"].rstrip("=") + "\n"),
        _changed(payload="A" * (1 << 20)),
        b"[" * 100_000,
    ],
)
def test_every_other_form_is_refused(content: bytes) -> None:
    with pytest.raises(Refused):
        open_envelope(content, where="x")


def test_a_signature_moved_to_another_statement_is_none() -> None:
    other = json.loads(seal({**SAID, "_type": "y"}, ANA))
    moved = _changed(payload=other["payload"])

    assert open_envelope(moved, where="x").statement["_type"] == "y"
    assert verified(moved, KEYS) == frozenset()


def test_a_signature_under_another_s_number_is_none() -> None:
    sealed = json.loads(SEALED)["signatures"][0]["sig"]
    borrowed = _changed(signatures=[{"keyid": BEN.public_key.keyid, "sig": sealed}])

    assert verified(borrowed, KEYS) == frozenset()


def test_two_sign_one_envelope() -> None:
    both = countersign(SEALED, BEN, where="x")

    assert verified(both, KEYS) == set(KEYS)
    assert both == countersign(seal(SAID, BEN), ANA, where="x")
    assert verified(both, {BEN.public_key.keyid: BEN.public_key}) == {BEN.public_key.keyid}


def test_who_is_not_asked_for_does_not_count() -> None:
    assert verified(SEALED, {}) == frozenset()
    assert verified(SEALED, {BEN.public_key.keyid: BEN.public_key}) == frozenset()
