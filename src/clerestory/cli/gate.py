"""The commands of the gate: submit, approve, reject, emergency, approvals, publish, takedown, restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clerestory.cli.console import answering, err, out, print_json
from clerestory.cli.identity import AsOption, KeyOption, signer_for
from clerestory.cli.standalone import Format, FormatOption

if TYPE_CHECKING:
    from clerestory.release.ledger import Event

ReleaseArgument = Annotated[
    str, typer.Argument(help="The release, r-…; the one that was built last if absent.")
]
NamedArgument = Annotated[str, typer.Argument(help="The release, r-….")]
ProjectOption = Annotated[Path, typer.Option("--project", help="The project.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why, in your words; kept inside.", show_default=False)
]


def _signed(kind: str, project: Path, release: str, person: str, key: str | None, reason: str = "") -> Event:
    """One person's word on a release."""
    from clerestory.api.gate import signed
    from clerestory.release.ledger import Kind

    return signed(project, Kind(kind), release, signer_for(person, key), reason=reason)


def submit(
    person: AsOption,
    release: ReleaseArgument = "",
    project: ProjectOption = Path(),
    key: KeyOption = None,
) -> None:
    """Sign for having built a release, and hand it to the reviewers."""
    with answering():
        event = _signed("built", project, release, person, key)
        out.print(f"{event.release} is handed to the reviewers by {person}.", markup=False)
        out.print(f"Next, a reviewer: clerestory review {event.release} --project {project}", markup=False)


def approve(
    person: AsOption,
    release: ReleaseArgument = "",
    answers: Annotated[
        Path | None, typer.Option(help="The answers that the review page made.", show_default=False)
    ] = None,
    project: ProjectOption = Path(),
    key: KeyOption = None,
) -> None:
    """Approve a release whose review page you have read and answered."""
    from clerestory.api.approving import approve as run

    with answering():
        event = run(project, release, signer_for(person, key), answers)
        out.print(f"{event.release} is approved by {person}.", markup=False)
        out.print(f"Next: clerestory approvals {event.release} --project {project}", markup=False)


def reject(
    person: AsOption,
    reason: ReasonOption,
    release: ReleaseArgument = "",
    project: ProjectOption = Path(),
    key: KeyOption = None,
) -> None:
    """Send a release back, with reasons. It can never go live; the next one can."""
    with answering():
        event = _signed("rejected", project, release, person, key, reason)
        out.print(f"{event.release} is rejected by {person}; it can never go live.", markup=False)
        out.print(f"Next, the analyst: mend it, then clerestory build {project}", markup=False)


def emergency(
    person: AsOption,
    reason: ReasonOption,
    release: ReleaseArgument = "",
    project: ProjectOption = Path(),
    key: KeyOption = None,
) -> None:
    """Agree, as one of two officers, that a release need not wait for its review time. For ever on record."""
    with answering():
        event = _signed("emergency", project, release, person, key, reason)
        out.print(
            f"{person} agrees that {event.release} need not wait; line {event.seq + 1} of the ledger.",
            markup=False,
        )


def approvals(
    release: ReleaseArgument = "",
    project: ProjectOption = Path(),
    format: FormatOption = Format.TEXT,
) -> None:
    """Say where a release stands at the gate, and what it lacks. Exit 1 if it lacks something."""
    from clerestory.api.gate import approvals as run

    with answering(as_json=format is Format.JSON):
        found = run(project, release)
        if format is Format.JSON:
            print_json(found.said())
        else:
            for line in found.lines():
                out.print(line, markup=False)
        if found.counted.missing:
            raise SystemExit(1)


def publish(
    person: AsOption,
    release: ReleaseArgument = "",
    project: ProjectOption = Path(),
    to: Annotated[
        Path | None, typer.Option(help="Also copy what is public to this folder, for a server elsewhere.")
    ] = None,
    key: KeyOption = None,
) -> None:
    """Verify every byte, the proof and the signatures, and let a release go live."""
    from clerestory.api.gate import go_live
    from clerestory.api.server_folder import send_to

    with answering():
        found = go_live(project, release, signer_for(person, key))
        was = f" It replaces {found.before}." if found.before else ""
        out.print(f"{found.release} is live, published by {person}.{was}", markup=False)
        if to is not None:
            send_to(project, to)
            out.print(f"Sent to {to}.", markup=False)
        out.print(f"Next: clerestory serve {to or project}", markup=False)


def send(
    to: Annotated[Path, typer.Argument(help="The server's folder.")],
    project: ProjectOption = Path(),
) -> None:
    """Bring a server's folder up to date: releases, trust, ledger; and take over its takedowns."""
    from clerestory.api.server_folder import send_to

    with answering():
        send_to(project, to)
        out.print(f"Sent to {to}.", markup=False)


def takedown(
    reason: ReasonOption,
    release: Annotated[str, typer.Argument(help="The release, r-…; the live one if absent.")] = "",
    person: Annotated[str, typer.Option("--as", help="Who you are: an incident officer or publisher.")] = "",
    break_glass: Annotated[
        bool,
        typer.Option("--break-glass", help="Without a signature, if no key is at hand. On record for ever."),
    ] = False,
    project: Annotated[Path, typer.Option(help="The project, or the folder that a server has.")] = Path(),
    key: KeyOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Withdraw a release at once. One signature; it takes two to bring it back."""
    # Nothing heavy is loaded before it is down.
    from clerestory.errors import InputError
    from clerestory.release.gate.takedown import takedown as run

    with answering(as_json=format is Format.JSON):
        if not person and not break_glass:
            raise InputError(
                "nobody signs this",
                where="clerestory takedown",
                fix="say who you are with --as PERSON; if no key is at hand: --break-glass",
            )
        signer = None if break_glass else signer_for(person, key)
        done = run(project, release, reason, signer, copy=not (project / "clerestory.toml").is_file())
        from clerestory.api.gate import sealed

        found = sealed(project, done, reason)
        if format is Format.JSON:
            print_json(found.said())
            return
        if break_glass:
            err.print(
                "BREAK-GLASS: nobody signed this. It is on record for ever: the ledger's check says so.",
                style="bold red",
            )
        taken = found.taken
        out.print(f"{taken.release} is withdrawn since {taken.time}.", markup=False)
        if taken.waiting:
            out.print(
                f"The ledger could not take it yet ({taken.waiting}); it counts all the same.", markup=False
            )
        out.print(
            f"Our server answers 410 within a second. Copies that others keep expire within {found.cache} "
            "seconds; what was fetched counts as known.",
            markup=False,
        )
        for one in found.purged:
            said = f"NOT purged: {one.address}: {one.problem}" if one.problem else f"Purged: {one.address}"
            out.print(said, markup=False)
        if found.evidence:
            out.print(
                f"Evidence: {found.evidence.files:,} files sealed in {found.evidence.folder}; write this "
                f"down: {found.evidence.digest}",
                markup=False,
            )
        else:
            err.print(
                f"NOT sealed: {found.unsealed}. Touch nothing until it is.", style="bold red", markup=False
            )
        out.print(f"To bring it back, two people: clerestory restore {taken.release} --as …", markup=False)


def restore(
    person: AsOption,
    reason: ReasonOption,
    release: NamedArgument,
    project: ProjectOption = Path(),
    key: KeyOption = None,
) -> None:
    """Agree, as one of two people, that a withdrawn release may come back."""
    from clerestory.api.gate import bring_back

    with answering():
        found = bring_back(project, release, reason, signer_for(person, key))
        if not found.back:
            out.print(
                f"{person} agrees. {found.release} stays down until a second person does.", markup=False
            )
        elif found.live:
            out.print(f"{found.release} is live again, agreed by {', '.join(found.agreed)}.", markup=False)
        else:
            out.print(f"{found.release} is no longer withdrawn; another release is live.", markup=False)
