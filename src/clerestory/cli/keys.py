"""`clerestory keys`: make a key, show its public half, replace it, revoke it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clerestory.cli.console import answering, out, print_json
from clerestory.cli.identity import KeyOption, key_file, passphrase, signer_for
from clerestory.cli.standalone import Format, FormatOption
from clerestory.cli.trust import AgainOption, FolderArgument, say_draft

if TYPE_CHECKING:
    from clerestory.release.trust import Trust

app = typer.Typer(no_args_is_help=True, help="Keys that people sign with.")
PersonArgument = Annotated[str, typer.Argument(help="A small letter first, then letters, digits, hyphens.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="The new file; PERSON.pem in the folder of keys if absent.")
]
ReasonOption = Annotated[str, typer.Option(help="Why, in words that may be public.", show_default=False)]


@app.command()
def new(person: PersonArgument, out_file: OutOption = None, format: FormatOption = Format.TEXT) -> None:
    """Make an Ed25519 key in a new file, encrypted with a passphrase."""
    from clerestory.release.gate.keys import new_key, public_text

    with answering(as_json=format is Format.JSON):
        file = out_file or key_file(person)
        key = new_key(file, passphrase("A new passphrase", str(file), twice=True))
        _say_key(person, str(file), key.keyid, public_text(key), format)


@app.command()
def show(person: PersonArgument, key: KeyOption = None, format: FormatOption = Format.TEXT) -> None:
    """Print the public half of a key, as trust.toml has it."""
    from clerestory.release.gate.keys import public_text

    with answering(as_json=format is Format.JSON):
        public = signer_for(person, key).public_key
        _say_key(person, key or str(key_file(person)), public.keyid, public_text(public), format)


@app.command()
def rotate(
    person: PersonArgument,
    folder: FolderArgument = Path(),
    out_file: Annotated[
        Path | None, typer.Option("--out", help="The new file; PERSON.next.pem if absent.")
    ] = None,
    reason: ReasonOption = "replaced on schedule",
    again: AgainOption = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Make a person's next key, and a draft of the root of trust that puts it in place of the present one."""
    from clerestory.release.gate.keys import new_key, public_text
    from clerestory.release.trust import change, load_chain, propose, trust_folder

    with answering(as_json=format is Format.JSON):
        where = trust_folder(folder)
        trust = load_chain(where)[-1]
        old = _one_key(trust, person)
        change.check_no_draft(where, again=again)
        present = key_file(person)
        file = out_file or present.with_name(f"{person}.next.pem")
        key = new_key(file, passphrase("A new passphrase", str(file), twice=True))
        content = change.rotating(trust, old, key, on=_today(), reason=reason)
        propose(where, content, again=again)
        _say_key(
            person, str(file), key.keyid, public_text(key), Format.TEXT if format is Format.TEXT else None
        )
        say_draft(where, folder, format)
        if format is Format.TEXT and out_file is None:
            out.print(f"When it is accepted: mv {file} {present}", markup=False)


@app.command()
def revoke(
    which: Annotated[str, typer.Argument(help="The person, or the number of the key.", show_default=False)],
    folder: FolderArgument = Path(),
    reason: ReasonOption = "",
    new: Annotated[
        str, typer.Option("--new", help="The public key that takes its place: ed25519:…", show_default=False)
    ] = "",
    again: AgainOption = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Make a draft of the root of trust in which a key counts no more: lost, stolen, or its owner left."""
    from clerestory.errors import InputError
    from clerestory.release.gate.keys import public_from
    from clerestory.release.trust import change, load_chain, propose, trust_folder

    with answering(as_json=format is Format.JSON):
        if not reason.strip():
            raise InputError("a reason is missing", where="--reason", fix='say why: --reason "laptop stolen"')
        where = trust_folder(folder)
        trust = load_chain(where)[-1]
        keyid = _one_key(trust, which) if which in trust.people else _numbered(trust, which)
        if new:
            content = change.rotating(
                trust, keyid, public_from(new, where="--new"), on=_today(), reason=reason
            )
        else:
            content = change.revoking(trust, keyid, on=_today(), reason=reason)
        propose(where, content, again=again)
        say_draft(where, folder, format)


def _one_key(trust: Trust, person: str) -> str:
    from clerestory.errors import InputError
    from clerestory.project.problems import nearest

    known = trust.people.get(person)
    if known is None:
        raise InputError(f"nobody is called {person!r}", where="PERSON", fix=nearest(person, trust.people))
    if len(known.keys) != 1:
        numbers = ", ".join(key[:12] for key in known.keys) or "none"
        raise InputError(
            f"{person} has not one key but {len(known.keys)}",
            where="PERSON",
            fix=f"name the key by its number, or edit trust.toml: {numbers}",
        )
    return known.keys[0]


def _numbered(trust: Trust, start: str) -> str:
    from clerestory.errors import InputError

    found = [keyid for keyid in trust.keys if keyid.startswith(start)] if len(start) >= 8 else []
    if len(found) != 1:
        raise InputError(
            f"{start!r} is no person and not the number of one key",
            where="PERSON or KEY",
            fix="see them with: clerestory trust show; eight digits of a number are enough",
        )
    return found[0]


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _say_key(person: str, where: str, keyid: str, public: str, format: Format | None) -> None:
    if format is Format.JSON:
        print_json(
            {"kind": "done", "exit": 0, "person": person, "file": where, "key": keyid, "public": public}
        )
    elif format is Format.TEXT:
        out.print(f"{person}: key {keyid[:12]} in {where}", markup=False)
        out.print(f"The line for trust.toml, which is no secret:\n{public}", markup=False)
