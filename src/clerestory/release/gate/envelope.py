"""DSSE envelopes (version 1): a statement in its one byte form, and who signed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Key, Signature, Signer

from clerestory.errors import InputError, Refused
from clerestory.release.gate import canonical

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_MOST_SIGNATURES = 64


@dataclass(frozen=True, slots=True)
class Opened:
    """What an envelope holds. Its signatures are not checked: verified() does that."""

    statement: Mapping[str, Any]
    payload: bytes
    signatures: Mapping[str, Signature]

    @property
    def signed(self) -> bytes:
        """The bytes that the signatures are over: DSSE's pre-authentication encoding."""
        return Envelope(self.payload, PAYLOAD_TYPE, {}).pae()


def seal(statement: Mapping[str, Any], signer: Signer) -> bytes:
    """The envelope of a statement with one signature. Raises InputError if the signer fails."""
    return _with(Envelope(canonical.to_bytes(statement), PAYLOAD_TYPE, {}), signer)


def countersign(content: bytes, signer: Signer, *, where: str) -> bytes:
    """The same envelope with one signature more. Raises Refused if it cannot be used."""
    opened = open_envelope(content, where=where)
    return _with(Envelope(opened.payload, PAYLOAD_TYPE, dict(opened.signatures)), signer)


def _with(envelope: Envelope, signer: Signer) -> bytes:
    try:
        envelope.sign(signer)
    except Exception as problem:  # hardware and clouds document none of what they raise
        raise InputError(
            f"the key did not sign: {type(problem).__name__}",
            where="signing",
            fix="check that the key is reachable and that you may use it",
        ) from None
    content = _bytes(envelope)
    open_envelope(content, where="the new envelope")
    return content


def _bytes(envelope: Envelope) -> bytes:
    said = envelope.to_dict()
    said["signatures"].sort(key=lambda one: one["keyid"])
    return canonical.to_bytes(said)


def open_envelope(content: bytes, *, where: str) -> Opened:
    """What an envelope holds.

    Raises Refused if it is larger than 1 MB, not exactly in the one byte form, of another payload type, or
    without a signature.
    """
    said = canonical.parse(content, where=where)
    try:
        if said["payloadType"] != PAYLOAD_TYPE:
            raise ValueError("its payload is of a type that is not used here")
        if not 1 <= len(said["signatures"]) <= _MOST_SIGNATURES:
            raise ValueError("it has no signature, or too many")
        if any(set(one) != {"keyid", "sig"} for one in said["signatures"]):
            raise ValueError("a signature has more or fewer keys than it should")
        envelope = Envelope.from_dict(said)
        if _bytes(envelope) != content:
            raise ValueError("it is not in the canonical form")
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        reason = str(problem) if type(problem) is ValueError else "a key is missing or of the wrong kind"
        raise Refused(f"the envelope cannot be used: {reason}", where=where, fix=canonical.FIX) from None
    statement = canonical.parse(envelope.payload, where=where)
    if not isinstance(statement, dict):
        raise Refused("the envelope holds no statement", where=where, fix=canonical.FIX)
    return Opened(statement, envelope.payload, dict(envelope.signatures))


def verified(content: bytes, keys: Mapping[str, Key], *, where: str = "envelope") -> frozenset[str]:
    """The numbers of those of these keys that truly signed. Raises Refused as open_envelope() does."""
    opened = open_envelope(content, where=where)
    signed = opened.signed
    return frozenset(
        number
        for number, signature in opened.signatures.items()
        if number in keys and signature_holds(keys[number], signature, signed)
    )


def signature_holds(key: Key, signature: Signature, content: bytes) -> bool:
    """Whether a signature is this key's over these bytes."""
    try:
        key.verify_signature(signature, content)
    except UnverifiedSignatureError:
        return False
    return True
