"""`clerestory explain`: why a cell is hidden, what protection cost, how the tables score. For insiders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from clerestory.cli.console import answering, out, print_json
from clerestory.cli.standalone import Format, FormatOption

_BAR = 20
_WIDEST = 28
_MOST = 40
"""Categories of one dimension that the text report draws; JSON has all."""


def explain(
    release: Annotated[
        Path,
        typer.Argument(help="A release folder, its name, or a project, for its current release."),
    ] = Path(),
    cell: Annotated[
        str, typer.Argument(help="table:county=alpine,year=2020; dimensions not named are at their total.")
    ] = "",
    utility: Annotated[
        bool, typer.Option("--utility", help="What protection cost: cells and value hidden, and where.")
    ] = False,
    scoring: Annotated[
        bool, typer.Option("--scoring", help="The CalHHS Publication Scoring Criteria of each table.")
    ] = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Why a cell of a release is hidden or shown. Inside only: it tells primary from secondary.

    It prints reasons and proven widths, never a true value; those stay in confidential/reports.
    """
    from clerestory.api.explain import explain_cell, explain_report, report_file
    from clerestory.errors import InputError

    with answering(as_json=format is Format.JSON):
        if bool(cell) + utility + scoring != 1:
            raise InputError(
                "say one thing to explain: a cell, --utility or --scoring",
                fix="clerestory explain . table:county=alpine,year=2020",
            )
        if cell:
            found = explain_cell(release, cell)
            if format is Format.JSON:
                print_json(found.said())
            else:
                for sentence in found.sentences():
                    out.print(sentence, markup=False)
            return
        what = "utility" if utility else "scoring"
        said = explain_report(release, what)
        if format is Format.JSON:
            print_json(said)
            return
        for line in (_utility if utility else _scoring)(said[what]):
            out.print(line, markup=False)
        if utility:
            out.print(f"True values stand in {report_file(release)}.", markup=False)


def _scoring(tables: dict[str, Any]) -> Iterator[str]:
    if not tables:
        yield "No table was scored."
    for name, score in tables.items():
        verdict = "no more masking asked" if score["passes"] else "mask, or document why not"
        yield (
            f"{name}: {score['total']} (limit {score['limit']}, edition {score['edition']}): {verdict}; "
            f"margin {', '.join(score['margin'])}"
        )
        for part in score["parts"]:
            yield f"  {part['points']:+3d}  {part['variable']}: {part['category']}"


def _utility(sources: dict[str, Any]) -> Iterator[str]:
    for source, said in sources.items():
        yield f"{source}: {said['hidden']:,} of {said['cells']:,} cells hidden ({said['hidden_share']:.1%})"
        if said["largest_hidden"]:
            yield f"  largest hidden cell: {said['largest_hidden']['where']}"
        for name, table in said["tables"].items():
            yield f"  {name}: {table['hidden']:,} of {table['cells']:,} cells ({table['hidden_share']:.1%})"
            for margin in table["margins"]:
                where = " x ".join(margin["margin"]) or "the total"
                yield (
                    f"    {where}: {margin['hidden']:,} of {margin['cells']:,} cells "
                    f"({margin['hidden_share']:.1%}), {margin['hidden_value_share']:.1%} of the value"
                )
            for dimension, codes in table["where"].items():
                yield from _map(dimension, codes)


def _map(dimension: str, codes: dict[str, Any]) -> Iterator[str]:
    """A bar for each category: the share of its cells that are hidden."""
    hit = [(code, one) for code, one in codes.items() if one["hidden"]]
    if not hit:
        return
    yield f"    hidden share by {dimension}:"
    for code, one in hit[:_MOST]:
        bar = "#" * round(one["hidden_share"] * _BAR)
        yield f"      {code[:_WIDEST]:<{_WIDEST}} {bar:<{_BAR}} {one['hidden_share']:.0%}"
    rest = len(hit) - _MOST
    if rest > 0:
        yield f"      and {rest} more"
    if len(hit) < len(codes):
        yield f"      nothing hidden in {len(codes) - len(hit)} others"
