"""`clerestory ledger`: what was ever released, and whether that record is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clerestory.cli.console import answering, out, print_json
from clerestory.cli.standalone import Format, FormatOption

app = typer.Typer(no_args_is_help=True, help="The record of every release that ever became current.")
ProjectArgument = Annotated[Path, typer.Argument(help="The project.")]


@app.command()
def show(folder: ProjectArgument = Path(), format: FormatOption = Format.TEXT) -> None:
    """List the releases in the ledger, oldest first."""
    from clerestory.release import ledger

    with answering(as_json=format is Format.JSON):
        found = ledger.entries(folder)
        if format is Format.JSON:
            print_json(ledger.said(found))
            return
        for entry in found:
            out.print(f"{entry.seq:>5}  {entry.date}  {entry.kind:<9} {entry.release}", markup=False)
        if not found:
            out.print("Nothing was released yet.")


@app.command()
def verify(folder: ProjectArgument = Path(), format: FormatOption = Format.TEXT) -> None:
    """Check every link of the ledger, and that each release in it is there with the digest it had."""
    from clerestory.confidential import budget
    from clerestory.release import ledger

    with answering(as_json=format is Format.JSON):
        found = ledger.verify(folder)
        budget.whole(folder, [entry.budget for entry in found if entry.budget is not None])
        if format is Format.JSON:
            print_json(ledger.said(found))
        else:
            out.print(f"The ledger is whole: {len(found):,} entries, each release in its place.")
