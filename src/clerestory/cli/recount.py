"""`clerestory rebuild-and-compare`: a second person counts again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clerestory.cli.console import Steps, answering, out, print_json
from clerestory.cli.identity import KeyOption, signer_for
from clerestory.cli.standalone import Format, FormatOption


def rebuild_and_compare(
    release: Annotated[
        str, typer.Argument(help="The release, r-…; the one that was built last if absent.")
    ] = "",
    project: Annotated[Path, typer.Option(help="The project.")] = Path(),
    person: Annotated[
        str,
        typer.Option("--as", help="Who you are: signs the recount if it is the same.", show_default=False),
    ] = "",
    key: KeyOption = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that draw the site.")] = 2,
    format: FormatOption = Format.TEXT,
) -> None:
    """Count a release again from the sources, and say whether every byte is the same.

    With the same date, seed and earlier releases. What it makes lies in confidential/ until it is compared.
    """
    from clerestory.api.gate import signed
    from clerestory.api.recount import recount
    from clerestory.release.ledger import Kind

    steps = Steps()
    with answering(steps, as_json=format is Format.JSON):
        signer = signer_for(person, key) if person else None
        found = recount(project, release, workers=workers, progress=steps)
        if signer is not None and found.same:
            signed(project, Kind.RECOUNTED, found.release, signer)
        if format is Format.JSON:
            print_json(found.said())
        elif found.same:
            out.print(f"The same, every byte: {found.release}, manifest {found.manifest}", markup=False)
            if person:
                out.print(f"Recounted and signed by {person}.", markup=False)
        else:
            out.print(f"The recount is not {found.release}:", markup=False)
            for line in found.differences:
                out.print(f"  {line}", markup=False)
            out.print(
                "Do not approve it before you know why: other records, another project, or another version.",
                markup=False,
            )
        if not found.same:
            raise SystemExit(1)
