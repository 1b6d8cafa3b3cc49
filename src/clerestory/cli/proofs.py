"""The commands that need a release folder and nothing else: prove, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clerestory.cli.console import answering, out, print_json
from clerestory.cli.identity import KeyOption, signer_for
from clerestory.cli.standalone import Format, FormatOption

ReleaseArgument = Annotated[
    Path, typer.Argument(help="A release folder; or a project, for its current release.", show_default=False)
]

EarlierOption = Annotated[
    list[Path] | None,
    typer.Option(help="Where earlier releases are, if not beside this one.", show_default=False),
]


def _again(release: Path, earlier: list[Path], person: str, key: str | None) -> None:
    from clerestory.api.gate import signed
    from clerestory.api.proofs import proof_comes_out_the_same
    from clerestory.release.check import release_folder
    from clerestory.release.ledger import Kind

    with answering():
        signer = signer_for(person, key)
        folder = release_folder(release)
        proof_comes_out_the_same(folder, earlier)
        signed(folder.parent.parent, Kind.PROVED, folder.name, signer)
        out.print(f"The proof of {folder.name} comes out the same; {person} has signed that.", markup=False)


def prove(
    release: ReleaseArgument,
    earlier: EarlierOption = None,
    person: Annotated[
        str,
        typer.Option(
            "--as", help="Sign that it comes out the same again, as this person.", show_default=False
        ),
    ] = "",
    key: KeyOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Make the proof of a release from its public files alone: the same bytes on any machine."""
    if person:
        _again(release, earlier or [], person, key)
        return
    from clerestory.release.check import release_folder
    from clerestory.release.proof.prove import prove as run

    with answering(as_json=format is Format.JSON):
        proof = run(release_folder(release), earlier or ())
        if format is Format.JSON:
            print_json(proof.said())
            return
        for source in (*proof.sources, *proof.over_time):
            out.print(f"  {source.sentence()}", markup=False)
        size = sum(proof.sizes.values()) / 1e6
        out.print(
            f"The proof of {proof.release} is written: {size:,.2f} MB, level {proof.level}.", markup=False
        )
        out.print(f"Next: clerestory verify {release}", markup=False)


def verify(
    release: Annotated[
        str, typer.Argument(help="A release folder, a project, or the address of a site.", show_default=False)
    ],
    root: Annotated[
        str, typer.Option(help="The digest of the root of trust that you know: it must hold.")
    ] = "",
    trust: Annotated[
        Path | None,
        typer.Option(help="The folder with the root of trust, if not beside.", show_default=False),
    ] = None,
    earlier: EarlierOption = None,
    no_proof: Annotated[bool, typer.Option("--no-proof", help="Accept a release that has no proof.")] = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Check a release or a live site: every byte, the proof by multiplication, the signatures. No solver."""
    from clerestory.release.gate.outside import check

    with answering(as_json=format is Format.JSON):
        found = check(release, root=root, trust=trust, earlier=earlier or (), insist=not no_proof)
        if format is Format.JSON:
            print_json(found.said())
            return
        for line in found.lines():
            out.print(line, markup=False)
