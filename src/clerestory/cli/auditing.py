"""`audit`: an attack on tables that somebody protected."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clerestory.cli.console import Steps, answering, err, out, print_json
from clerestory.cli.standalone import (
    Decimals,
    Dims,
    Format,
    FormatOption,
    HierarchyOption,
    Minimum,
    Width,
    hierarchies_in,
    names_in,
)

if TYPE_CHECKING:
    from clerestory.api.standalone import AuditResult

_LISTED = 20
_WORDS = {
    "exact": "Hidden, and known exactly",
    "narrow": "Hidden, and known {near}",
    "implied": "Not in the table, but follows from it",
    "small-sum": "Hidden cells with a small known sum",
    "small-shown": "Small counts in plain sight",
    "undecided": "Not decided within the limits",
}


class Absent(StrEnum):
    """What it means that a cell has no row."""

    UNPUBLISHED = "unpublished"
    ZERO = "zero"
    HIDDEN = "hidden"


class Layout(StrEnum):
    """How the files say their cells."""

    PLAIN = "plain"
    CROSS = "cross"
    TAU_ARGUS = "tau-argus"


Files = Annotated[
    list[Path],
    typer.Argument(help="CSV (UTF-8) or Parquet files: one table, or linked ones of the same records."),
]


def audit(
    files: Files,
    dims: Dims,
    value: Annotated[str, typer.Option(help="The column of numbers; hidden ones empty or a sign.")] = "value",
    status: Annotated[
        str,
        typer.Option(help="The column that says which are hidden; status, sdcStatus or suppressed if there."),
    ] = "",
    hierarchy: HierarchyOption = None,
    total: Annotated[
        list[str] | None, typer.Option(help="A code of totals; all and Total if absent.")
    ] = None,
    absent: Annotated[Absent, typer.Option(help="What a cell without a row is.")] = Absent.UNPUBLISHED,
    no_total: Annotated[
        list[str] | None, typer.Option(help="A dimension over which the tables have no totals.")
    ] = None,
    small: Annotated[
        list[str] | None, typer.Option(help="A sign or status known to stand for small counts only: S, u.")
    ] = None,
    large: Annotated[
        list[str] | None, typer.Option(help="A sign or status known to stand for larger counts only: C, x.")
    ] = None,
    minimum: Minimum = 11,
    width: Width = 9,
    sums: Annotated[bool, typer.Option("--sums", help="The numbers are amounts, not counts.")] = False,
    within: Annotated[
        float, typer.Option(help="A hidden sum is narrow if it can be estimated to within this percentage.")
    ] = 10.0,
    decimals: Decimals = None,
    rounded: Annotated[
        bool, typer.Option("--rounded", help="Shown sums may be off by half a unit of their last digit.")
    ] = False,
    zeros_shown: Annotated[
        bool | None,
        typer.Option(
            "--zeros-shown/--zeros-hidden",
            help="Whether a hidden number is no zero; shown for counts if absent.",
        ),
    ] = None,
    level: Annotated[
        int | None,
        typer.Option(
            help="2: the reader knows the policy; 1: he only adds and subtracts. 2 if absent, for sums 1."
        ),
    ] = None,
    intervals: Annotated[
        bool, typer.Option("--intervals", help="Print the interval of every hidden cell.")
    ] = False,
    layout: Annotated[
        Layout, typer.Option(help="One row a cell, a cross table, or a file that tau-ARGUS wrote.")
    ] = Layout.PLAIN,
    format: FormatOption = Format.TEXT,
) -> None:
    """Attack tables that somebody protected: which hidden numbers can be worked out, or within how much."""
    from clerestory.api.standalone import audit as run

    as_json = format is Format.JSON
    steps = Steps()
    with answering(steps, as_json=as_json):
        steps.begin(f"attack {', '.join(file.name for file in files)}")
        found = run(
            files,
            names_in(dims),
            value,
            status=status or None,
            hierarchies=hierarchies_in(hierarchy),
            total=total or None,
            absent=absent.value,
            small=small or (),
            large=large or (),
            without_total=no_total or (),
            zeros_shown=zeros_shown,
            minimum_count=minimum,
            interval_width=width,
            sums=sums,
            within=within,
            decimals=decimals,
            rounded=rounded,
            level=level,
            intervals=intervals,
            layout=layout.value,
            name=files[0].stem,
            progress=steps.at,
        )
        steps.stop()
        if as_json:
            print_json(found.said())
        else:
            _say(found, files)
    raise SystemExit(found.exit_code)


def _say(found: AuditResult, files: list[Path]) -> None:
    names = " ".join(str(file) for file in files)
    out.print(
        f"{names}: {found.cells:,} cells, {found.hidden:,} hidden. Attacked at {found.level}.", markup=False
    )
    out.print(found.summary, markup=False)
    for kind, words in _WORDS.items():
        these = [finding for finding in found.findings if finding.kind == kind]
        if these:
            out.print(f"{words.format(near=found.near)} ({len(these):,}):", markup=False)
        for finding in these[:_LISTED]:
            out.print(f"  {finding}", markup=False)
        if len(these) > _LISTED:
            out.print(f"  … {len(these) - _LISTED:,} more; --format json lists all", markup=False)
    if found.intervals:
        out.print("The values that a reader cannot rule out:", markup=False)
        for interval in found.intervals:
            out.print(f"  {interval}", markup=False)
    for note in found.notes:
        err.print(f"Note: {note}.", markup=False)
    out.print(_verdict(found), markup=False)


def _verdict(found: AuditResult) -> str:
    if found.wide and not found.hidden:
        return "Nothing is hidden, and nothing small is shown or follows."
    if found.wide and found.of == "sums":
        return f"Wide: no hidden sum can be estimated to within {found.within:g} percent."
    if found.wide:
        return f"Wide: every hidden count has two feasible values at least {found.interval_width} apart."
    if found.verdict == "broken":
        return (
            "Broken. Next: protect the true numbers with `clerestory protect` before this is published; what "
            "is published already counts as known."
        )
    return "Undecided: that is no pass. Next: hide more, or use coarser categories."
