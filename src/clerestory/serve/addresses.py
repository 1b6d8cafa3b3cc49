"""How readers' addresses are written to the access log, and for how long they can be told.

Hashed (the default): a keyed digest, so that the addresses of a period can be counted and compared but not
read; the key is destroyed when the period ends, after which nobody can try an address out. Full: as they are,
for so many days. None: not at all.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from clerestory.errors import InputError

NAME = "address-key.json"
KEEP_DAYS = 30


class Addresses(StrEnum):
    """What the log holds of an address."""

    HASHED = "hashed"
    FULL = "full"
    NONE = "none"


def written(address: str, how: str, key: str) -> str:
    """An address as the log has it. key: number and hexadecimal key of the period, as Key.said gives them."""
    if how == Addresses.FULL:
        return address
    if how == Addresses.NONE or not key:
        return ""
    number, _, secret = key.partition(":")
    digest = hashlib.blake2b(address.encode(), key=bytes.fromhex(secret), digest_size=8).hexdigest()
    return f"h{number}:{digest}"


def plain(address: str) -> str:
    """One way to write an address: IPv4 inside IPv6 as IPv4; "" if it is none."""
    try:
        found = ipaddress.ip_address(address.strip())
    except ValueError:
        return ""
    inner = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(inner or found)


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a period. number: counts periods; since: its first day (UTC)."""

    number: int
    since: date
    secret: str

    @property
    def said(self) -> str:
        """What written() needs."""
        return f"{self.number}:{self.secret}"


def key_for(folder: Path, today: date, keep_days: int) -> Key:
    """The key of today's period, made and kept in the folder if the last one is over; that one is destroyed.

    A clock set back changes nothing. Raises InputError if the folder cannot be written.
    """
    file = folder / NAME
    try:
        said = json.loads(file.read_text(encoding="ascii"))
        last = Key(int(said["number"]), date.fromisoformat(said["since"]), bytes.fromhex(said["key"]).hex())
        if today < last.since + timedelta(days=keep_days):
            return last
        number = last.number + 1
    except FileNotFoundError:
        number = 1
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            "the key of the addresses cannot be read",
            where=str(file),
            fix="remove the file: a new key is made",
        ) from None
    key = Key(number, today, secrets.token_hex(32))
    body = json.dumps({"number": key.number, "since": key.since.isoformat(), "key": key.secret}) + "\n"
    made = folder / f".{NAME}-{secrets.token_hex(4)}"
    try:
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(body)
            out.flush()
            os.fsync(descriptor)
        made.replace(file)
    except OSError as problem:
        made.unlink(missing_ok=True)
        raise InputError(
            f"the key of the addresses cannot be kept: {problem.strerror}", where=str(folder), fix="make room"
        ) from None
    return key
