"""`clerestory trust`: write down, propose, sign, accept, show and verify the root of trust."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clerestory.cli.console import answering, err, out, print_json
from clerestory.cli.identity import AsOption, KeyOption, signer_for
from clerestory.cli.standalone import Format, FormatOption

if TYPE_CHECKING:
    from clerestory.release.trust import Trust
    from clerestory.release.trust.change import Draft

app = typer.Typer(no_args_is_help=True, help="Who may do what at the gate, agreed by several trustees.")
FolderArgument = Annotated[Path, typer.Argument(help="The project, or a server's folder; it holds trust/.")]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Replace the draft that is there, and its signatures.")
]


@app.command()
def init(folder: FolderArgument = Path(), format: FormatOption = Format.TEXT) -> None:
    """Write a trust.toml to fill in: people, roles, public keys, training, the gate's rules, the floor."""
    from importlib.resources import files

    from clerestory.errors import InputError
    from clerestory.release.trust.form import NAME

    with answering(as_json=format is Format.JSON):
        file = folder / NAME
        if file.exists():
            raise InputError(
                "it is there already", where=str(file), fix="fill it in, then: clerestory trust propose"
            )
        if not folder.is_dir():
            raise InputError("there is no such folder", where=str(folder), fix="make the project first")
        next_year = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=365)
        text = files("clerestory.templates").joinpath("trust", NAME).read_text(encoding="utf-8")
        file.write_text(text.replace("EXPIRES", next_year.isoformat()), encoding="utf-8")
        if format is Format.JSON:
            print_json({"kind": "done", "exit": 0, "file": str(file)})
            return
        out.print(f"Made {file}. Write in who you are, then: clerestory trust propose {folder}", markup=False)


@app.command()
def propose(
    folder: FolderArgument = Path(),
    file: Annotated[
        Path | None, typer.Option("--from", help="What it should say; DIR/trust.toml if absent.")
    ] = None,
    again: AgainOption = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Make the draft of the next version from trust.toml. It counts for nothing until enough have signed."""
    from clerestory.release.trust import propose as run
    from clerestory.release.trust import trust_folder
    from clerestory.release.trust.form import NAME, read_form

    with answering(as_json=format is Format.JSON):
        where = trust_folder(folder)
        run(where, read_form(file or folder / NAME), again=again)
        say_draft(where, folder, format)


@app.command()
def sign(
    person: AsOption,
    folder: FolderArgument = Path(),
    key: KeyOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Show what the draft would change, and add a trustee's signature to it."""
    from clerestory.release.trust import sign_draft, trust_folder
    from clerestory.release.trust.change import check_signer, draft

    with answering(as_json=format is Format.JSON):
        where = trust_folder(folder)
        found = draft(where)
        if format is Format.TEXT:
            say_changes(found)
        signer = signer_for(person, key)
        check_signer(where, person, signer)
        sign_draft(where, signer, shown=found.digest)
        say_draft(where, folder, format, changes=False)


@app.command()
def accept(folder: FolderArgument = Path(), format: FormatOption = Format.TEXT) -> None:
    """Make the draft the root of trust, if enough trustees of the present and of the new version signed."""
    from clerestory.release.gate.register import Register
    from clerestory.release.trust import accept as run
    from clerestory.release.trust import trust_folder

    with answering(as_json=format is Format.JSON):
        where = trust_folder(folder)
        trust = run(where)
        Register(where.parent).trusted()
        if format is Format.JSON:
            print_json(said(trust))
            return
        out.print(
            f"Version {trust.version} is the root of trust, until {trust.expires:%Y-%m-%d}.", markup=False
        )
        out.print(f"Tell everybody who verifies its digest, by another way than this folder:\n{trust.digest}")


@app.command()
def show(
    folder: FolderArgument = Path(),
    form: Annotated[bool, typer.Option("--form", help="As a trust.toml, to edit and propose.")] = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Print who may do what, whose training is current, and the rules; expired or not."""
    from clerestory.release.trust import load_chain, trust_folder
    from clerestory.release.trust.form import form_of

    with answering(as_json=format is Format.JSON):
        trust = load_chain(trust_folder(folder))[-1]
        if form:
            typer.echo(form_of(trust), nl=False)
        elif format is Format.JSON:
            print_json(said(trust))
        else:
            _say_trust(trust)


@app.command()
def verify(
    folder: FolderArgument = Path(),
    root: Annotated[
        str, typer.Option(help="The digest of a version that you know; it must be in the chain.")
    ] = "",
    at_least: Annotated[int, typer.Option(min=0, help="A version that you saw already.")] = 0,
    format: FormatOption = Format.TEXT,
) -> None:
    """Check every version: its signatures, that it follows the one before, that the newest is in force."""
    from clerestory.release.trust import load_trust, trust_folder

    with answering(as_json=format is Format.JSON):
        now = datetime.datetime.now(datetime.UTC)
        trust = load_trust(trust_folder(folder), now=now, pinned=root or None, at_least=at_least)
        if format is Format.JSON:
            print_json(said(trust))
            return
        until = f"in force until {trust.expires:%Y-%m-%d}"
        out.print(f"The root of trust is whole: version {trust.version}, {until}.", markup=False)
        if root:
            out.print("The version that you know is among them.")
        else:
            out.print("It was compared with no digest (--root), so it may be another's.")
        out.print(trust.digest)


def say_changes(found: Draft) -> None:
    """What the draft would change, and what is not wise in it."""
    from clerestory.release.trust.differences import cautions, differences

    follows = f"would follow version {found.old.version}" if found.old else "would be the first"
    out.print(f"Draft of version {found.version}, which {follows}:", markup=False)
    for sentence in differences(found.old, found.content):
        out.print(f"  {sentence}", markup=False)
    for sentence in cautions(found.content):
        err.print(f"  Note: {sentence}", markup=False)


def say_draft(where: Path, folder: Path, format: Format, *, changes: bool = True) -> None:
    """The draft as it is now, and what comes next."""
    from clerestory.release.trust.change import draft
    from clerestory.release.trust.differences import cautions, differences

    found = draft(where)
    if format is Format.JSON:
        print_json(
            {
                "kind": "done",
                "exit": 0,
                "draft": str(found.file),
                "version": found.version,
                "changes": list(differences(found.old, found.content)),
                "cautions": list(cautions(found.content)),
                "signed": list(found.signed),
                "unsigned": list(found.unsigned),
                "complete": not found.missing,
            }
        )
        return
    if changes:
        say_changes(found)
    if found.signed:
        out.print(f"Signed by {', '.join(found.signed)}.", markup=False)
    if found.missing:
        out.print(f"Not agreed yet: {found.missing}, of {', '.join(found.unsigned)}.", markup=False)
        out.print(f"Next: clerestory trust sign {folder} --as PERSON", markup=False)
    else:
        out.print(f"Next: clerestory trust accept {folder}", markup=False)


def said(trust: Trust) -> dict[str, Any]:
    """The JSON of a version."""
    from dataclasses import asdict

    from clerestory.release.gate.keys import public_text
    from clerestory.release.trust.said import floor_said

    return {
        "kind": "done",
        "exit": 0,
        "version": trust.version,
        "digest": trust.digest,
        "expires": trust.expires.isoformat(),
        "threshold": trust.threshold,
        "trustees": list(trust.trustees),
        "rules": trust.rules_digest,
        "people": {
            name: {
                "name": person.name,
                "roles": sorted(role.value for role in person.roles),
                "keys": {keyid: public_text(trust.keys[keyid]) for keyid in person.keys},
                "training": [
                    {"course": one.course, "date": str(one.date), "expires": str(one.expires)}
                    for one in person.training
                ],
            }
            for name, person in sorted(trust.people.items())
        },
        "revoked": {
            keyid: {"person": one.person, "date": str(one.date), "reason": one.reason}
            for keyid, one in trust.revoked.items()
        },
        "gate": asdict(trust.gate),
        "floor": floor_said(trust.floor),
    }


def _say_trust(trust: Trust) -> None:
    from clerestory.release.trust.differences import numbers

    today = datetime.datetime.now(datetime.UTC)
    state = "expired on" if trust.expires <= today else "in force until"
    out.print(f"Version {trust.version}, {state} {trust.expires:%Y-%m-%d}", markup=False)
    out.print(f"Digest {trust.digest}", markup=False)
    out.print(f"{trust.threshold} of {', '.join(trust.trustees)} change it together", markup=False)
    for name, person in sorted(trust.people.items()):
        roles = ", ".join(sorted(role.value for role in person.roles))
        out.print(f"  {name:<12} {person.name}: {roles}", markup=False)
        for keyid in person.keys:
            out.print(f"  {'':<12} key {keyid[:12]}", markup=False)
        for one in person.training:
            word = "expired" if one.expires < today.date() else "until"
            out.print(f"  {'':<12} {one.course}, {word} {one.expires}", markup=False)
    for keyid, gone in sorted(trust.revoked.items()):
        out.print(f"  revoked: {keyid[:12]} of {gone.person}, {gone.date}: {gone.reason}", markup=False)
    for sentence in (*numbers("gate", None, trust.gate), *numbers("floor", None, trust.floor)):
        out.print(f"  {sentence}", markup=False)
