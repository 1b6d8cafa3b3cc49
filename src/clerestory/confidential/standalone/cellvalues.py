"""The value and status columns of a protected table: which rows show a number, and what the others say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.standalone.amounts import decimals_of, multiples, number
from clerestory.confidential.standalone.reading import Columns, whole_number
from clerestory.confidential.standalone.signs import UNBOUNDED, span
from clerestory.errors import InputError
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]

HIDING_SIGNS = frozenset(
    {"", "x", "*", "**", "s", "c", "-", "--", "–", "—", "..", "…", ":", ":c", "d", "(d)", "p", "na", "n/a"}
    | {"nan", "suppressed", "hidden", "secret", "confidential", "masked", "withheld"}
)
"""What stands for a hidden number in a value column, in lower case; besides an empty value."""
HIDING_STATUS = frozenset(
    {"hidden", "suppressed", "secret", "confidential", "masked", "withheld", "primary", "secondary"}
    | {"u", "x", "m", "d", "c", "*", "**", "1", "2", "true"}
)
"""Status words of hidden cells, in lower case: ours, sdcTable's u and x, tau-ARGUS' u, m and x, 1 and 2 of
the CalHHS guidelines' annotation column, and true in GaussSuppression's column `suppressed`."""
SHOWN_STATUS = frozenset(
    {"", "0", "shown", "published", "safe", "s", "v", "z", "w", "e", "a", "incomplete", "unstable"}
    | {"4", "5", "false"}
)
"""Status words of cells whose number is published."""
NOT_PUBLISHED = frozenset({"no-data", "3"})
"""Status words of cells that were not collected: nothing is said about them."""
STATUS_COLUMNS = ("status", "sdcstatus", "suppressed")
"""Columns, in lower case, taken for the status if none is named (sdcTable, GaussSuppression)."""
_LISTED = 5


@dataclass(frozen=True)
class Knowledge:
    """What signs and status words tell a reader. small, large: in lower case; minimum: of the rule.

    zeros_shown: whether he knows that a hidden count is not 0.
    """

    small: frozenset[str]
    large: frozenset[str]
    minimum: int
    zeros_shown: bool


@dataclass(frozen=True, eq=False)
class CellValues:
    """numbers: (rows,) int64, 0 where hidden; hidden: (rows,) bool; out: (rows,) bool, no cell at all.

    least, greatest: (rows,) what the sign says of a hidden number. signs: what stood for hidden numbers;
    words: status words of hidden cells; bare: hidden rows in which the number stands beside the status.
    """

    numbers: IntArray
    hidden: BoolArray
    out: BoolArray
    least: IntArray
    greatest: IntArray
    signs: tuple[str, ...]
    words: tuple[str, ...]
    bare: int


def read_counts(read: Columns, value: str, status: str | None, known: Knowledge) -> CellValues:
    """Whole numbers of 0 or more, and signs. Raises InputError for anything else."""
    parsed = [whole_number(text) for text in (*read[value].texts, "")]
    return _cell_values(read, value, status, known, parsed, 1, "a whole number")


def read_sums(
    reads: Sequence[tuple[Columns, str, str | None]], known: Knowledge, decimals: int | None, *, finer: int
) -> tuple[list[CellValues], int]:
    """Sums of 0 or more in units of their last digit, for each table; and how many decimals that is.

    finer: decimals more than the numbers have.
    """
    texts = [(*read[value].texts, "") for read, value, _ in reads]
    parsed: list[list[Decimal | None]] = [[number(text) for text in column] for column in texts]
    where = f"{reads[0][0].where}, column {reads[0][1]!r}"
    kept = decimals_of([one for column in parsed for one in column], decimals, where) + finer
    found = [
        _cell_values(
            read, value, status, known, multiples(column, kept, f"{read.where}, column {value!r}"), 10**kept,
            "a number",
        )
        for (read, value, status), column in zip(reads, parsed, strict=True)
    ]  # fmt: skip
    return found, kept


def _cell_values(
    read: Columns,
    value: str,
    status: str | None,
    known: Knowledge,
    parsed: Sequence[int | None],
    unit: int,
    wanted: str,
) -> CellValues:
    column, told = read[value], known.small | known.large
    texts = [text.lower() for text in (*column.texts, "")]
    spans = [None if number is not None else span(text) for text, number in zip(texts, parsed, strict=True)]
    signed = np.array(
        [
            number is None and (text in HIDING_SIGNS | told or limits is not None)
            for text, number, limits in zip(texts, parsed, spans, strict=True)
        ]
    )[column.places]
    good = np.array([number is not None and number >= 0 for number in parsed])[column.places]
    hidden, out = signed.copy(), np.zeros(read.rows, dtype=bool)
    words: tuple[str, ...] = ()
    if status is not None:
        codes, secret = _status(read, status, told)
        places = read[status].places
        out = np.array([code in NOT_PUBLISHED - told for code in codes])[places] & signed
        hidden = (hidden | secret) & ~out
        words = tuple(sorted({codes[place] for place in np.unique(places[secret])}))
    bad = np.flatnonzero(~good & ~signed & ~hidden)
    if len(bad):
        examples = sorted({column.text(int(row)) for row in bad})[:_LISTED]
        raise InputError(
            f"{read.numbers(bad)} hold neither {wanted} (0 or more) nor a sign for a hidden one: {examples}",
            where=f"{read.where}, column {value!r}",
            fix=f"leave hidden values empty, or write one of: {' '.join(sorted(HIDING_SIGNS - {''}))} "
            "<11 1-10; another sign for small counts can be named with --small",
        )
    least, greatest = _bounds(read, value, status, known, hidden, spans, unit)
    numbers = np.array([number or 0 for number in parsed], dtype=np.int64)[column.places]
    signs = tuple(sorted({column.text(int(row)) for row in np.flatnonzero(signed & ~out)}))
    bare = int((hidden & good).sum())
    return CellValues(np.where(hidden, 0, numbers), hidden, out, least, greatest, signs, words, bare)


def _status(read: Columns, status: str, told: frozenset[str]) -> tuple[list[str], BoolArray]:
    """The words of the column and (rows,) whether the row's says that the cell is hidden."""
    column = read[status]
    codes = [text.lower() for text in (*column.texts, "")]
    strange = [c for c in codes if c not in HIDING_STATUS | SHOWN_STATUS | NOT_PUBLISHED | told]
    if strange:
        raise InputError(
            f"the status {strange[0]!r} is not known",
            where=f"{read.where}, column {status!r}",
            fix=f"hidden: {', '.join(sorted(HIDING_STATUS))}; shown: {', '.join(sorted(SHOWN_STATUS))}",
        )
    return codes, np.array([code in HIDING_STATUS | told for code in codes])[column.places]


def _bounds(
    read: Columns,
    value: str,
    status: str | None,
    known: Knowledge,
    hidden: BoolArray,
    spans: Sequence[tuple[int, int] | None],
    unit: int,
) -> tuple[IntArray, IntArray]:
    """(rows,) least and greatest values that signs and status words of hidden cells give."""
    marks = [read[value], *([read[status]] if status is not None else [])]

    def carries(signs: frozenset[str]) -> BoolArray:
        found = [np.array([t.lower() in signs for t in (*mark.texts, "")])[mark.places] for mark in marks]
        return np.asarray(hidden & np.any(found, axis=0))

    column = read[value]
    low = np.array([0 if limits is None else limits[0] * unit for limits in spans], dtype=np.int64)
    high = np.array(
        [UNBOUNDED if not limits or limits[1] < 0 else limits[1] * unit for limits in spans], dtype=np.int64
    )
    if known.zeros_shown and any(limits and limits[0] == 0 == limits[1] for limits in spans):
        raise InputError(
            "a sign says that a hidden number is 0",
            where=f"{read.where}, column {value!r}",
            fix="say --zeros-hidden",
        )
    least = np.where(hidden, low[column.places], 0)
    greatest = np.where(hidden, high[column.places], UNBOUNDED)
    for signs, option in ((known.small, "small"), (known.large, "large")):
        rows = carries(signs)
        if option == "small":
            greatest[rows] = known.minimum - 1
        else:
            least[rows] = np.maximum(least[rows], known.minimum)
    return least, greatest
