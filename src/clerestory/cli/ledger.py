"""`clerestory ledger`: what happened to every release, and whether that record is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from clerestory.cli.console import answering, out, print_json
from clerestory.cli.standalone import Format, FormatOption

app = typer.Typer(no_args_is_help=True, help="The record of all that ever happened to releases.")
ProjectArgument = Annotated[Path, typer.Argument(help="The project, or the folder that a server has.")]


@app.command()
def show(folder: ProjectArgument = Path(), format: FormatOption = Format.TEXT) -> None:
    """List what happened, oldest first, and what is live."""
    from clerestory.api.ledger import ledger_said, shown

    with answering(as_json=format is Format.JSON):
        found = shown(folder)
        if format is Format.JSON:
            print_json(ledger_said(found))
            return
        for line in found.lines():
            out.print(line, markup=False)


@app.command()
def head(
    folder: ProjectArgument = Path(),
    file: Annotated[Path | None, typer.Option("--out", help="Write it there instead.")] = None,
) -> None:
    """Print the ledger's head, to publish: whoever has it can show any later change of what came before."""
    from clerestory.api.ledger import published_head

    with answering():
        said = published_head(folder)
        if file is None:
            print_json(said)
        else:
            file.write_text(json.dumps(said) + "\n", encoding="utf-8")
            out.print(f"Wrote {file}.", markup=False)


@app.command()
def verify(
    folder: ProjectArgument = Path(),
    head: Annotated[
        str, typer.Option(help="A head that was published: a digest, or a file that `ledger head` wrote.")
    ] = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Check every link and signature of the ledger, and that each release in it is there as it was."""
    from clerestory.api.ledger import ledger_said, verified

    with answering(as_json=format is Format.JSON):
        found = verified(folder, head=head)
        if format is Format.JSON:
            print_json(ledger_said(found))
            return
        for line in found.warnings():
            out.print(line, markup=False, style="bold yellow")
        out.print(
            f"The ledger is whole: {len(found.events):,} entries, each signature stands, each release in its "
            "place.",
            markup=False,
        )
