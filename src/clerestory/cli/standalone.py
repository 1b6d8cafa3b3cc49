"""`protect` and `audit`: disclosure control of one table, without a project."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clerestory.cli.console import Steps, answering, err, out, print_json
from clerestory.errors import InputError

if TYPE_CHECKING:
    from clerestory.api import AuditResult, ProtectedTable

_LISTED = 20
_WORDS = {
    "exact": "hidden cells can be worked out exactly",
    "narrow": "hidden cells can be worked out within less than the width",
    "implied": "counts that follow from the table can be worked out",
    "small-sum": "groups of hidden cells have a small known sum",
    "small-shown": "small counts stand in plain sight",
    "undecided": "cells could not be decided within the limits",
}


class Format(StrEnum):
    """How a command reports."""

    TEXT = "text"
    JSON = "json"


class Absent(StrEnum):
    """What it means that a cell has no row."""

    UNPUBLISHED = "unpublished"
    ZERO = "zero"
    HIDDEN = "hidden"


File = Annotated[Path, typer.Argument(help="A CSV (UTF-8) or Parquet file.")]
Dims = Annotated[str, typer.Option(help="The columns to count by: county,year,race.")]
HierarchyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--hierarchy", help="county=lookup.csv: what is inside what, a column a level, the finest first."
    ),
]
Minimum = Annotated[int, typer.Option(min=1, help="Counts from 1 to one less are small.")]
Width = Annotated[int, typer.Option(min=1, help="How far apart two feasible values of a hidden count are.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How to report: for people or for programs.")]


def protect(
    file: File,
    dims: Dims,
    value: Annotated[str, typer.Option(help="The column of counts, if rows are counts.")] = "",
    records: Annotated[bool, typer.Option("--records", help="Rows are records; so without --value.")] = False,
    hierarchy: HierarchyOption = None,
    margins: Annotated[
        str, typer.Option(help="What is crossed: county,year;county,race. Everything if absent.")
    ] = "",
    minimum: Minimum = 11,
    width: Width = 9,
    seed: Annotated[
        str,
        typer.Option(
            envvar="CLERESTORY_SEED", help="Secret, hexadecimal, or in CLERESTORY_SEED; else drawn and said."
        ),
    ] = "",
    to: Annotated[
        Path | None, typer.Option("--out", help="A CSV or Parquet file; NAME.protected.csv if absent.")
    ] = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Count one file's records by its columns, and hide what would give small counts away."""
    from clerestory.api import protect as run

    as_json = format is Format.JSON
    steps = Steps()
    with answering(steps, as_json=as_json):
        if value and records:
            raise InputError("rows are records or counts", where="--records, --value", fix="give one of them")
        target = to or file.with_name(f"{file.stem}.protected.csv")
        if target.resolve() == file.resolve():
            raise InputError("this would overwrite the input", where="--out", fix="name another file")
        steps.begin(f"protect {file.name}")
        done = run(
            file,
            _names(dims),
            value or None,
            hierarchies=_hierarchies(hierarchy),
            margins=[_names(margin) for margin in margins.split(";") if margin.strip()] or None,
            minimum_count=minimum,
            interval_width=width,
            seed=seed or None,
            name=file.stem,
            progress=steps.at,
        )
        steps.stop()
        _write(done, target)
        if as_json:
            print_json({**done.said(), "file": str(target)})
            return
        out.print(
            f"{target}: {done.cells:,} cells, {done.hidden:,} hidden ({done.primary:,} small, "
            f"{done.secondary:,} to protect them).",
            markup=False,
        )
        if done.hidden:
            out.print(
                f"Every hidden count has two feasible values at least {done.interval_width} apart "
                f"({done.level}).",
                markup=False,
            )
        if not seed:
            err.print(
                f"Seed: {done.seed}  Keep it secret, and use it for this table again: two outcomes of "
                "different seeds together may give away what each one hides.",
                markup=False,
            )
        out.print(f"Next: {_next(target, dims, hierarchy, minimum, width)}", markup=False)


def audit(
    file: File,
    dims: Dims,
    value: Annotated[str, typer.Option(help="The column of counts; hidden ones empty or a sign.")] = "value",
    status: Annotated[
        str, typer.Option(help="The column that says which cells are hidden; `status` if there is one.")
    ] = "",
    hierarchy: HierarchyOption = None,
    total: Annotated[
        list[str] | None, typer.Option(help="A code of totals; all and Total if absent.")
    ] = None,
    absent: Annotated[Absent, typer.Option(help="What a cell without a row is.")] = Absent.UNPUBLISHED,
    no_total: Annotated[
        list[str] | None, typer.Option(help="A dimension over which the table has no totals.")
    ] = None,
    small: Annotated[
        list[str] | None, typer.Option(help="A sign known to stand for small counts only, such as <11.")
    ] = None,
    minimum: Minimum = 11,
    width: Width = 9,
    zeros_shown: Annotated[
        bool, typer.Option("--zeros-shown/--zeros-hidden", help="Whether a hidden count is at least 1.")
    ] = True,
    format: FormatOption = Format.TEXT,
) -> None:
    """Attack a table that somebody protected: which hidden counts can be worked out, or within how much."""
    from clerestory.api import audit as run

    as_json = format is Format.JSON
    steps = Steps()
    with answering(steps, as_json=as_json):
        steps.begin(f"attack {file.name}")
        found = run(
            file,
            _names(dims),
            value,
            status=status or None,
            hierarchies=_hierarchies(hierarchy),
            total=total or None,
            absent=absent.value,
            small=small or (),
            without_total=no_total or (),
            zeros_shown=zeros_shown,
            minimum_count=minimum,
            interval_width=width,
            name=file.stem,
            progress=steps.at,
        )
        steps.stop()
        if as_json:
            print_json(found.said())
        else:
            _say(found, file)
    raise SystemExit(found.exit_code)


def _say(found: AuditResult, file: Path) -> None:
    out.print(
        f"{file}: {found.cells:,} cells, {found.hidden:,} hidden. Attacked at {found.level}.", markup=False
    )
    for kind, words in _WORDS.items():
        these = [finding for finding in found.findings if finding.kind == kind]
        if these:
            out.print(f"{len(these):,} {words}:", markup=False)
        for finding in these[:_LISTED]:
            out.print(f"  {finding}", markup=False)
        if len(these) > _LISTED:
            out.print(f"  … {len(these) - _LISTED:,} more; --format json lists all", markup=False)
    for note in found.notes:
        err.print(f"Note: {note}.", markup=False)
    if found.wide and not found.hidden:
        out.print("Nothing is hidden, and nothing small is shown or follows.", markup=False)
    elif found.wide:
        out.print(
            f"Wide: every hidden count has two feasible values at least {found.interval_width} apart.",
            markup=False,
        )
    elif found.verdict == "broken":
        out.print(
            "Broken. Next: protect the true counts with `clerestory protect` before this is published.",
            markup=False,
        )
    else:
        out.print("Undecided: that is no pass. Next: hide more, or use coarser categories.", markup=False)


def _names(said: str) -> list[str]:
    return [name.strip() for name in said.split(",")]


def _hierarchies(said: Sequence[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in said or ():
        name, equals, file = one.partition("=")
        if not equals or not file:
            raise InputError("a hierarchy is DIMENSION=FILE", where="--hierarchy", fix="county=lookup.csv")
        found[name.strip()] = file
    return found


def _write(done: ProtectedTable, target: Path) -> None:
    import csv

    import pyarrow.parquet as pq

    rows = done.to_arrow()
    try:
        if target.suffix in {".parquet", ".pq"}:
            pq.write_table(rows, target)
            return
        with target.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(rows.column_names)
            writer.writerows(zip(*(column.to_pylist() for column in rows.columns), strict=True))
    except OSError:
        raise InputError("the file cannot be written", where=str(target), fix="check the folder") from None


def _next(target: Path, dims: str, hierarchy: Sequence[str] | None, minimum: int, width: int) -> str:
    names = ",".join("status_category" if name == "status" else name for name in _names(dims))
    words = [f"clerestory audit {target} --dims {names}"]
    words += [f"--hierarchy {one}" for one in hierarchy or ()]
    words += [f"--minimum {minimum}"] * (minimum != 11) + [f"--width {width}"] * (width != 9)
    return " ".join(words)
