"""Encrypted PKCS8 whose passphrase is stretched by scrypt: PBES2 with AES-256-CBC (RFC 8018, RFC 7914).

`cryptography` reads this form but writes only PBKDF2 with 2,048 rounds, which a stolen file does not
withstand; so the outer structure is written here. `openssl pkey` reads it too.
"""

from __future__ import annotations

import base64
import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

COST, BLOCK, PARALLEL = 1 << 14, 8, 5
"""scrypt's N, r, p: OWASP Password Storage Cheat Sheet; OpenSSL reads no larger N, its limit being 32 MB."""

_PBES2 = bytes.fromhex("06092a864886f70d01050d")  # 1.2.840.113549.1.5.13
_SCRYPT = bytes.fromhex("06092b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11
_AES_256_CBC = bytes.fromhex("060960864801650304012a")  # 2.16.840.1.101.3.4.1.42
_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30


def encrypted(key: Ed25519PrivateKey, passphrase: bytes) -> bytes:
    """The key as an ENCRYPTED PRIVATE KEY in PEM."""
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    salt, start = os.urandom(16), os.urandom(16)
    stretched = Scrypt(salt=salt, length=32, n=COST, r=BLOCK, p=PARALLEL).derive(passphrase)
    padder = PKCS7(128).padder()
    padded = padder.update(plain) + padder.finalize()
    cipher = Cipher(algorithms.AES(stretched), modes.CBC(start)).encryptor()
    hidden = cipher.update(padded) + cipher.finalize()
    numbers = b"".join(_integer(number) for number in (COST, BLOCK, PARALLEL))
    stretching = _sequence(_SCRYPT, _sequence(_der(_OCTETS, salt), numbers))
    hiding = _sequence(_AES_256_CBC, _der(_OCTETS, start))
    whole = _sequence(_sequence(_PBES2, _sequence(stretching, hiding)), _der(_OCTETS, hidden))
    text = base64.b64encode(whole)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    label = b"ENCRYPTED PRIVATE KEY-----"
    return b"\n".join([b"-----BEGIN " + label, *lines, b"-----END " + label, b""])


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def _integer(number: int) -> bytes:
    return _der(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _sequence(*parts: bytes) -> bytes:
    return _der(_SEQUENCE, b"".join(parts))
