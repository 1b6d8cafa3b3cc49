"""The commands. `clerestory --help` is their reference."""

from __future__ import annotations

import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clerestory import __version__
from clerestory.cli import (
    auditing,
    explain,
    gate,
    keys,
    ledger,
    previewing,
    proofs,
    protecting,
    recount,
    reports,
    review,
    serving,
    trust,
)
from clerestory.cli.console import Steps, answering, err, out, print_json
from clerestory.cli.identity import KeyOption, signer_for

if TYPE_CHECKING:
    from clerestory.api.build import BuildReport

app = typer.Typer(
    name="clerestory",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Publishes dashboards and open data from confidential records, so that nobody in the records can be "
    "seen or worked out.\n\nExit codes: 0 done, 1 the answer is no, 2 the call or the input is wrong, "
    "3 could not decide.",
)


class Format(StrEnum):
    """How a command reports."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="How to report: for people or for programs.")]
WorkersOption = Annotated[int, typer.Option(min=1, max=64, help="Processes that draw the site.")]


def _version(asked: bool) -> None:
    if asked:
        out.print(f"clerestory {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or an empty one.")],
    template: Annotated[str, typer.Option(help="What to start from: blank or openjustice.")] = "blank",
) -> None:
    """Make a project folder to start from."""
    from clerestory.api.new import new_project

    with answering():
        new_project(folder, template)
        out.print(f"Made {folder} from the template {template!r}.", markup=False)
        if template == "openjustice":
            out.print(f"Next: clerestory demo {folder} --records-only, or put your own records in place.")
        else:
            out.print(f"Next: clerestory check {folder}", markup=False)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="The project.")] = Path(),
    format: FormatOption = Format.TEXT,
) -> None:
    """All that `build` would refuse about the project's files, without opening a source."""
    from clerestory.project import load
    from clerestory.release.trust.project import rules_for

    with answering(as_json=format is Format.JSON):
        project = load(folder.resolve())
        rules_for(project, now=datetime.datetime.now(datetime.UTC))
        facts = {
            "sources": len(project.sources),
            "tables": len(project.tables),
            "pages": len(project.pages),
        }
        if format is Format.JSON:
            print_json({"kind": "done", "exit": 0, **facts})
        else:
            out.print("Nothing to refuse: " + ", ".join(f"{n} {what}" for what, n in facts.items()) + ".")
            out.print(f"Next: clerestory build {folder}", markup=False)


@app.command()
def inspect(
    source: Annotated[str, typer.Argument(help="A file, a glob, or a database URL.")],
    table: Annotated[str, typer.Option(help="The table, in a database.")] = "",
    format: FormatOption = Format.TEXT,
) -> None:
    """Read a source's shape and propose a role for every field, with reasons. No value is shown."""
    from clerestory.confidential.inspect import inspect_source, proposal_toml

    with answering(as_json=format is Format.JSON):
        proposals = inspect_source(source, table=table)
        if format is Format.JSON:
            print_json({"fields": [proposal.said() for proposal in proposals]})
        else:
            out.print(proposal_toml(source, proposals, table=table), markup=False)
            err.print("Read each line before you save it as sources/NAME.toml: roles are yours to decide.")


def _say_built(report: BuildReport) -> None:
    for name, source in report.sources.items():
        hidden = source.primary + source.secondary
        if source.utility is not None:
            out.print(
                f"  {name:<12} {source.cells:>7,} cells  {source.method}: nothing hidden, "
                "errors are in the build report",
                markup=False,
            )
            continue
        out.print(
            f"  {name:<12} {source.cells:>7,} cells  {source.published:>7,} published  {hidden:>6,} hidden "
            f"({source.primary:,} small, {source.secondary:,} to protect them)",
            markup=False,
        )
        for said in source.past.lines(name) if source.past else ():
            out.print(f"    {said}", markup=False)
    levels = [source.audit_level for source in report.sources.values() if source.audit_level]
    if levels:
        out.print(
            f"Every hidden number stays uncertain by the policy's width (level {min(levels)} audit).",
            markup=False,
        )
    out.print(f"{report.accounting.numbers:,} published numbers read back.", markup=False)
    high = {name: one.score.total for name, one in report.inside.scores.items() if not one.score.passes}
    if high:
        listed = ", ".join(f"{name} {total}" for name, total in sorted(high.items()))
        out.print(
            f"Publication scoring criteria: {len(high)} of {len(report.inside.scores)} tables ask for "
            f"masking ({listed}); small counts in them are hidden.",
            markup=False,
        )
    if report.typed:
        out.print(
            f"{len(report.typed)} numbers are typed in prose; read them in the build report:", markup=False
        )
        for file, line, words in report.typed[:5]:
            out.print(f"  {file}:{line}  {words}", markup=False)
    if report.changes is not None:
        out.print(report.changes.summary(), markup=False)
    out.print(f"Release {report.release.name} is whole: {report.release}", markup=False)


@app.command()
def build(
    folder: Annotated[Path, typer.Argument(help="The project.")] = Path(),
    date: Annotated[str, typer.Option(help="The release date, YYYY-MM-DD; today if absent.")] = "",
    person: Annotated[
        str, typer.Option("--as", help="Sign for having built it, as this person.", show_default=False)
    ] = "",
    key: KeyOption = None,
    workers: WorkersOption = 2,
    format: FormatOption = Format.TEXT,
) -> None:
    """Sources → protected tables → a staged release, audited and accounted for; nothing goes live."""
    from clerestory.api.build import build as run
    from clerestory.errors import InputError

    steps = Steps()
    with answering(steps, as_json=format is Format.JSON):
        try:
            day = datetime.date.fromisoformat(date) if date else None
        except ValueError:
            raise InputError("--date is not a date", fix="write it as YYYY-MM-DD") from None
        signer = signer_for(person, key) if person else None
        report = run(folder, date=day, workers=workers, progress=steps)
        if signer is not None:
            from clerestory.api.gate import signed
            from clerestory.release.ledger import Kind

            signed(folder, Kind.BUILT, report.release.name, signer)
        if format is Format.JSON:
            print_json(report.said())
        else:
            _say_built(report)
            name = report.release.name
            if person:
                out.print(f"{name} is handed to the reviewers by {person}.", markup=False)
                out.print(f"Next, a reviewer: clerestory review {name} --project {folder}", markup=False)
            else:
                out.print(f"Next: clerestory submit {name} --as PERSON --project {folder}", markup=False)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to make it.")] = Path("demo"),
    scale: Annotated[
        float, typer.Option(help="Share of the true size of DROS, FSC and AWR; 1 is all.")
    ] = 0.05,
    seed: Annotated[int, typer.Option(help="The records are a function of the seed.")] = 20220627,
    serve: Annotated[bool, typer.Option(help="Serve the site when it is built.")] = True,
    records_only: Annotated[bool, typer.Option("--records-only", help="Write the records and stop.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; if taken, the next one.")] = 8000,
    workers: WorkersOption = 2,
    format: FormatOption = Format.TEXT,
) -> None:
    """Synthetic firearms records and real deaths-in-custody records → a live site on 127.0.0.1."""
    from clerestory.api.demo import demo as run

    steps = Steps()
    with answering(steps, as_json=format is Format.JSON):
        report = run(
            folder, scale=scale, seed=seed, records_only=records_only, workers=workers, progress=steps
        )
        if report is None:
            out.print(f"Records are in {folder / 'records'}. Next: clerestory build {folder}", markup=False)
            return
        if format is Format.JSON:
            print_json(report.said())
        else:
            _say_built(report)
        if serve:
            serving.serve_afresh(folder, port)
        elif format is Format.TEXT:
            out.print(f"Next: clerestory serve {folder}", markup=False)


app.command()(serving.serve)
app.command()(previewing.preview)
app.command()(protecting.protect)
app.command()(auditing.audit)
app.command()(explain.explain)
app.command()(review.review)
app.command()(recount.rebuild_and_compare)
app.command()(proofs.prove)
app.command()(proofs.verify)
for step in (
    gate.submit,
    gate.approve,
    gate.reject,
    gate.emergency,
    gate.approvals,
    gate.publish,
    gate.send,
    gate.takedown,
    gate.restore,
):
    app.command()(step)
app.add_typer(ledger.app, name="ledger")
app.add_typer(reports.app, name="reports")
app.add_typer(keys.app, name="keys")
app.add_typer(trust.app, name="trust")
app.add_typer(serving.log_app, name="log")


def main() -> None:
    """The entry point. What a command does not answer for itself is answered for here."""
    with answering():
        app()
