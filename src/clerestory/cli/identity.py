"""Whose key a command signs with: the options, the file, the passphrase."""

from __future__ import annotations

import getpass
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clerestory.errors import InputError

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

PASSPHRASE = "CLERESTORY_PASSPHRASE"  # noqa: S105  the variable's name
KEYS = "CLERESTORY_KEYS"
_PERSON = re.compile(r"[a-z][a-z0-9-]{0,59}")

AsOption = Annotated[
    str, typer.Option("--as", help="Who you are, as the root of trust calls you.", show_default=False)
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        help="Your key: a file, or an address such as hsm:, gcpkms:…, awskms:…, azurekms:…; "
        "if absent, PERSON.pem in $CLERESTORY_KEYS or ~/.config/clerestory/keys.",
        show_default=False,
    ),
]


def signer_for(person: str, key: str | Path | None = None) -> Signer:
    """What signs for a person: the key that is named, or their file in the folder of keys.

    The passphrase, or the PIN of hardware, is in $CLERESTORY_PASSPHRASE or asked for.
    Raises InputError if there is no such key, or the passphrase is not its own.
    """
    from clerestory.release.gate.keys import URI_SCHEMES, load_signer, signer_from

    if key is not None and str(key).partition(":")[0] in URI_SCHEMES:
        return signer_from(str(key), secrets=lambda name: passphrase(name, str(key)).decode())
    file = Path(key) if key is not None else key_file(person)
    if not file.is_file():
        load_signer(file, b"")  # says what is wrong, before anybody types a passphrase
    return load_signer(file, passphrase("Passphrase", str(file)))


def key_file(person: str) -> Path:
    """Where a person's key lies if no file is named. Raises InputError if the name is none."""
    if not _PERSON.fullmatch(person):
        raise InputError(
            f"{person!r} is not the name of a person",
            where="--as",
            fix="a small letter first, then small letters, digits and hyphens",
        )
    return keys_folder() / f"{person}.pem"


def keys_folder() -> Path:
    """$CLERESTORY_KEYS, or ~/.config/clerestory/keys."""
    named = os.environ.get(KEYS)
    if named:
        return Path(named)
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "clerestory" / "keys"


def passphrase(name: str, where: str, *, twice: bool = False) -> bytes:
    """The passphrase from the environment, or typed. twice: as for a new key. Raises InputError if none."""
    known = os.environ.get(PASSPHRASE)
    if known is not None:
        return known.encode()
    if not sys.stdin.isatty():
        raise InputError(
            "there is nobody to ask for the passphrase",
            where=where,
            fix=f"run the command in a terminal, or put the passphrase into ${PASSPHRASE}",
        )
    typed = getpass.getpass(f"{name} for {where}: ")
    if twice and getpass.getpass("Again: ") != typed:
        raise InputError("the two are not the same", where=where, fix="try again")
    return typed.encode()
