"""`clerestory reports`: what readers say exposes somebody, each with a clock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clerestory.cli.console import answering, out, print_json
from clerestory.cli.identity import AsOption, KeyOption, signer_for
from clerestory.cli.standalone import Format, FormatOption

app = typer.Typer(no_args_is_help=True, help="Reports from outside that something seems to expose a person.")
ProjectOption = Annotated[Path, typer.Option("--project", help="The project.")]
LogOption = Annotated[
    Path | None,
    typer.Option("--log", help="The server's log folder, if not the project's own.", show_default=False),
]


@app.command("list")
def list_(project: ProjectOption = Path(), log: LogOption = None, format: FormatOption = Format.TEXT) -> None:
    """Take in what the server received, and list what waits for an answer. Exit 1 if something is overdue."""
    from clerestory.api.reports import waiting

    with answering(as_json=format is Format.JSON):
        found = waiting(project, log)
        if format is Format.JSON:
            print_json(found.said())
        else:
            for line in found.lines():
                out.print(line, markup=False)
        if found.overdue:
            raise SystemExit(1)


@app.command()
def add(
    page: Annotated[str, typer.Option(help="Where it is: an address or a title.")],
    text: Annotated[str, typer.Option(help="What was seen.")],
    contact: Annotated[str, typer.Option(help="How to reach who reported it.")] = "",
    project: ProjectOption = Path(),
) -> None:
    """Write down a report that came by mail or telephone; its clock starts now."""
    from clerestory.api.reports import add as run

    with answering():
        digest = run(project, page=page, text=text, contact=contact)
        out.print(f"Report {digest[:12]} is written down.", markup=False)
        out.print(
            f"Next, somebody who did not build it: clerestory reports answer {digest[:12]} …", markup=False
        )


@app.command()
def answer(
    report: Annotated[str, typer.Argument(help="The report's number, at least six letters.")],
    person: AsOption,
    reason: Annotated[str, typer.Option("--reason", help="What was found; kept inside.", show_default=False)],
    finding: Annotated[
        Path, typer.Option("--finding", help="The file with the result of the check; its digest is signed.")
    ],
    safe: Annotated[
        bool | None,
        typer.Option(
            "--safe/--exposes", help="Is it shown to be safe? If not, it is taken down.", show_default=False
        ),
    ] = None,
    project: ProjectOption = Path(),
    key: KeyOption = None,
) -> None:
    """Answer a report, as somebody who did not build the release: safe, or exposes, which takes it down."""
    from clerestory.api.reports import answer as run
    from clerestory.errors import InputError

    with answering():
        if safe is None:
            raise InputError(
                "the answer is missing",
                where="clerestory reports answer",
                fix="--safe if the check shows it, else --exposes",
            )
        down = run(project, report, safe=safe, reason=reason, finding=finding, signer=signer_for(person, key))
        out.print(
            f"Report {report} is answered by {person}: {'safe' if safe else 'it exposes'}.", markup=False
        )
        if down:
            out.print(f"{down} is withdrawn. Next: clerestory ledger show {project}", markup=False)
