"""Keys: Ed25519 in an encrypted file, or in hardware or a cloud through securesystemslib; and their one line.

A public key is one line, `ed25519:HEX`, or `SCHEME:BASE64` of its DER for keys of hardware and clouds.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import parse_qsl

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.exceptions import UnsupportedLibraryError
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, CryptoSigner, Key, Signer, SSlibKey

from clerestory.errors import ClerestoryError, InputError
from clerestory.release.gate.pkcs8 import encrypted

SHORTEST_PASSPHRASE = 12
"""Characters of a passphrase, at least."""
SCHEMES = ("ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "rsassa-pss-sha256")
"""Ed25519 from files; the others are what hardware tokens and clouds hold."""
URI_SCHEMES = ("hsm", "gcpkms", "awskms", "azurekms")
"""Schemes of keys that are in no file; each is also the name of the extra that it needs."""
_LARGEST_FILE = 64 << 10


def new_key(file: Path, passphrase: bytes) -> SSlibKey:
    """A new Ed25519 key, its private half encrypted in a new file that only its owner can read.

    Raises InputError if the file exists, cannot be made, or the passphrase is shorter than 12 characters.
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise InputError(
            f"the passphrase has fewer than {SHORTEST_PASSPHRASE} characters",
            where=str(file),
            fix="take a sentence that only you know",
        )
    key = Ed25519PrivateKey.generate()
    content = encrypted(key, passphrase)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(file, flags, 0o600), "wb") as out:
            os.fchmod(out.fileno(), 0o600)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError:
        raise InputError(
            "there is a key already, and a key is never overwritten",
            where=str(file),
            fix="choose another file; to replace a key use: clerestory keys rotate",
        ) from None
    except OSError as problem:
        raise InputError(f"the key cannot be written: {problem.strerror}", where=str(file)) from None
    return SSlibKey.from_crypto(key.public_key())


def load_signer(file: Path, passphrase: bytes) -> CryptoSigner:
    """What signs with the key in an encrypted PKCS8 file.

    Raises InputError if there is none, others can read it, it is not encrypted, it is not Ed25519, or the
    passphrase is not its own.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as source:
            mode = os.fstat(descriptor).st_mode
            content = source.read(_LARGEST_FILE)
    except OSError as problem:
        raise InputError(
            f"the key cannot be read: {problem.strerror}",
            where=str(file),
            fix="make one with: clerestory keys new PERSON; or name its file with --key",
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise InputError(
            "others can read this key",
            where=str(file),
            fix=f"close it with: chmod 600 {file}; then rotate it",
        )
    if b"BEGIN ENCRYPTED PRIVATE KEY" not in content:
        raise InputError(
            "this is not an encrypted key",
            where=str(file),
            fix="a key is PKCS8 in PEM with a passphrase; make one with: clerestory keys new PERSON",
        )
    try:
        key = load_pem_private_key(content, passphrase or b"\0")
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(
            "the passphrase does not open this key",
            where=str(file),
            fix="try again; if it is lost, the trustees can replace the key: docs/how-to/lost-keys.md",
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(
            "the key is not Ed25519", where=str(file), fix="make one with: clerestory keys new PERSON"
        )
    return CryptoSigner(key)


class _Importing(Protocol):
    """What the signer classes for hardware and clouds have in common."""

    def import_(self, *arguments: object) -> tuple[str, SSlibKey]: ...


def signer_from(
    uri: str, *, public: Key | None = None, secrets: Callable[[str], str] | None = None
) -> Signer:
    """What signs with a key that is in hardware or a cloud.

    uri: hsm:[ID][?label=LABEL], gcpkms:…, awskms:…, azurekms:…, as securesystemslib has them. public: its
    public half; asked of the device or cloud if absent. secrets: asks a person for a PIN.
    Raises InputError if the scheme is none of these, its library is not installed, or the key is not reached.
    """
    scheme, _, rest = uri.partition(":")
    if scheme not in URI_SCHEMES:
        raise InputError(
            f"no keys of scheme {scheme!r}", where="--key", fix=f"choose one of: {', '.join(URI_SCHEMES)}"
        )
    try:
        if public is None:
            uri, public = _imported(scheme, rest, secrets)
        return Signer.from_priv_key_uri(uri, public, secrets)
    except (UnsupportedLibraryError, ImportError):
        raise InputError(
            f"keys of scheme {scheme!r} need a library that is not installed",
            where="--key",
            fix=f"install it with: pip install 'clerestory[{scheme}]'",
        ) from None
    except ClerestoryError:
        raise
    except Exception as problem:  # these libraries document none of what they raise
        hint = ", and that $PYKCS11LIB names the token's library" if scheme == "hsm" else ""
        raise InputError(
            f"the key is not reached: {type(problem).__name__}",
            where="--key",
            fix=f"check the address, that the device or cloud is there, that you may use the key{hint}",
        ) from None


def _imported(scheme: str, rest: str, secrets: Callable[[str], str] | None) -> tuple[str, SSlibKey]:
    """The whole address of a key and its public half, in the one form, as the device or cloud has them."""
    maker = cast(_Importing, SIGNER_FOR_URI_SCHEME[scheme])
    if scheme == "hsm":
        number, _, query = rest.partition("?")
        label = dict(parse_qsl(query)).get("label")
        uri, key = maker.import_(int(number) if number else None, label, secrets)
    elif scheme == "azurekms":
        vault, _, name = rest.removeprefix("//").partition(".vault.azure.net/keys/")
        uri, key = maker.import_(vault, name.partition("/")[0])
    else:
        uri, key = maker.import_(rest)
    return uri, public_from(public_text(key))


def public_text(key: Key) -> str:
    """A public key as one line."""
    if key.scheme == "ed25519":
        return f"ed25519:{key.keyval['public']}"
    der = _crypto(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"{key.scheme}:{base64.b64encode(der).decode()}"


def public_from(text: str, *, where: str = "") -> SSlibKey:
    """The public key of a line. Raises InputError if it is none."""
    scheme, _, rest = text.strip().partition(":")
    try:
        if scheme not in SCHEMES:
            raise ValueError
        if scheme == "ed25519":
            made = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(rest)))
        else:
            der = load_der_public_key(base64.b64decode(rest, validate=True))
            made = SSlibKey.from_crypto(der, scheme=scheme)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(
            "this is not a public key",
            where=where or "a public key",
            fix="copy the whole line that `clerestory keys show` prints",
        ) from None
    if problem := key_problem(made):
        raise InputError(f"this key cannot be used: {problem}", where=where or "a public key")
    return made


def key_problem(key: Key) -> str:
    """Why a public key may not be in a trust file; empty if it may.

    Its number must be the digest of the key and the key in one form, so that one key can never count twice
    under two numbers.
    """
    if key.scheme not in SCHEMES:
        return "it is of a scheme that is not used here"
    try:
        again = SSlibKey.from_crypto(_crypto(key), scheme=key.scheme)
    except (ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm):
        return "it is not a public key"
    if (again.keyid, again.to_dict()) != (key.keyid, key.to_dict()):
        return "its number is not the digest of the key"
    return ""


def _crypto(key: Key) -> PublicKeyTypes:
    if key.scheme == "ed25519":
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.keyval["public"]))
    return load_pem_public_key(key.keyval["public"].encode())
