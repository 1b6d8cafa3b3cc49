"""`protect`: disclosure control of one table, without a project."""

from __future__ import annotations

from collections.abc import Sequence
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
from clerestory.errors import InputError

if TYPE_CHECKING:
    from clerestory.api.standalone import ProtectedTable

File = Annotated[Path, typer.Argument(help="A CSV (UTF-8) or Parquet file.")]


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
    sum_: Annotated[
        str, typer.Option("--sum", help="The column of amounts to add up, instead of counting.")
    ] = "",
    contributor: Annotated[
        str, typer.Option(help="The column that says whose an amount is; each row's own if absent.")
    ] = "",
    p: Annotated[float | None, typer.Option("--p", help="p% rule for sums; 10 if no rule is named.")] = None,
    pq: Annotated[str, typer.Option("--pq", help="pq rule for sums: 10,50.")] = "",
    dominance: Annotated[str, typer.Option(help="(n,k) dominance rule for sums: 2,85.")] = "",
    minimum_contributors: Annotated[
        int | None, typer.Option(help="Fewest contributors to a sum; 3 if no rule is named.")
    ] = None,
    within: Annotated[
        float, typer.Option(help="Percent by which every hidden sum can be larger and smaller.")
    ] = 10.0,
    decimals: Decimals = None,
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
    """Count one file's records by its columns, or add up an amount, and hide what would give people away."""
    from clerestory.api.standalone import protect as run

    as_json = format is Format.JSON
    steps = Steps()
    with answering(steps, as_json=as_json):
        if value and records:
            raise InputError("rows are records or counts", where="--records, --value", fix="give one of them")
        target = to or file.with_name(f"{file.stem}.protected.csv")
        if target.resolve() == file.resolve():
            raise InputError("this would overwrite the input", where="--out", fix="name another file")
        n, k = _two(dominance, "--dominance") if dominance else (0.0, 0.0)
        if n != int(n):
            raise InputError("n is how many contributors", where="--dominance", fix="2,85")
        steps.begin(f"protect {file.name}")
        done = run(
            file,
            names_in(dims),
            value or None,
            hierarchies=hierarchies_in(hierarchy),
            margins=[names_in(margin) for margin in margins.split(";") if margin.strip()] or None,
            minimum_count=minimum,
            interval_width=width,
            sum=sum_ or None,
            contributor=contributor or None,
            p=p,
            pq=_two(pq, "--pq") if pq else None,
            dominance=(int(n), k) if dominance else None,
            minimum_contributors=minimum_contributors,
            within=within,
            decimals=decimals,
            seed=seed or None,
            name=file.stem,
            progress=steps.at,
        )
        steps.stop()
        _write(done, target)
        if as_json:
            print_json({**done.said(), "file": str(target)})
            return
        _say(done, target)
        if not seed:
            err.print(
                f"Seed: {done.seed}  Keep it secret, and use it for this table again: two outcomes of "
                "different seeds together may give away what each one hides.",
                markup=False,
            )
        options = ["--sums"] * bool(done.rules) + [f"--within {within:g}"] * (
            bool(done.rules) and within != 10
        )
        if not done.rules:
            options += [f"--minimum {minimum}"] * (minimum != 11) + [f"--width {width}"] * (width != 9)
        out.print(f"Next: {_next(target, dims, hierarchy, options)}", markup=False)


def _say(done: ProtectedTable, target: Path) -> None:
    what = "sensitive" if done.rules else "small"
    out.print(
        f"{target}: {done.cells:,} cells, {done.hidden:,} hidden ({done.primary:,} {what}, "
        f"{done.secondary:,} to protect them).",
        markup=False,
    )
    if done.rules:
        out.print(f"Sensitive by: {done.rules}.", markup=False)
        if done.hidden:
            out.print(
                f"Every hidden sum can be {done.within:g} percent larger and smaller, and by its rule's "
                f"protection level ({done.level}).",
                markup=False,
            )
    elif done.hidden:
        out.print(
            f"Every hidden count has two feasible values at least {done.interval_width} apart "
            f"({done.level}).",
            markup=False,
        )


def _two(said: str, where: str) -> tuple[float, float]:
    try:
        one, two = (float(part) for part in said.split(","))
    except ValueError:
        raise InputError("this is not two numbers", where=where, fix="write 2,85, say") from None
    return one, two


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


def _next(target: Path, dims: str, hierarchy: Sequence[str] | None, options: Sequence[str]) -> str:
    names = ",".join("status_category" if name == "status" else name for name in names_in(dims))
    words = [f"clerestory audit {target} --dims {names}"]
    words += [f"--hierarchy {one}" for one in hierarchy or ()]
    return " ".join([*words, *options])
