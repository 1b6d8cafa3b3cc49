"""What `protect` and `audit` share on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from clerestory.errors import InputError


class Format(StrEnum):
    """How a command reports."""

    TEXT = "text"
    JSON = "json"


Dims = Annotated[str, typer.Option(help="The columns to count by: county,year,race.")]
HierarchyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--hierarchy",
        help="county=lookup.csv: what is inside what, a column a level, the finest first; or a .hrc file.",
    ),
]
Minimum = Annotated[int, typer.Option(min=1, help="Counts from 1 to one less are small.")]
Width = Annotated[int, typer.Option(min=1, help="How far apart two feasible values of a hidden count are.")]
Decimals = Annotated[
    int | None,
    typer.Option(min=0, max=6, help="Digits of sums that are kept; as many as there are if absent."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to report: for people or for programs.")]


def names_in(said: str) -> list[str]:
    """The names in a list with commas."""
    return [name.strip() for name in said.split(",")]


def hierarchies_in(said: Sequence[str] | None) -> dict[str, str]:
    """File by dimension. Raises InputError for what is not DIMENSION=FILE."""
    found: dict[str, str] = {}
    for one in said or ():
        name, equals, file = one.partition("=")
        if not equals or not file:
            raise InputError("a hierarchy is DIMENSION=FILE", where="--hierarchy", fix="county=lookup.csv")
        found[name.strip()] = file
    return found
