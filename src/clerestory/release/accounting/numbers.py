"""What is known: protected cells as they may be written, lists, and phrases that hold digits."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol
from urllib.parse import quote

from clerestory.tables import PublicTable, Status

DIGIT = re.compile(r"[\d\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209c\u2150-\u218f\u2460-\u24ff\u2776-\u2793]")
"""A character that can be part of a number, in any script: digits, fractions, superscripts, circled ones."""


class PublicRows(Protocol):
    """A list whose rows are public as such: its name, column names, and for each row one text a column."""

    @property
    def name(self) -> str:
        """The name of its download, and of its table in a page."""

    @property
    def columns(self) -> Sequence[str]:
        """Column names, in order."""

    @property
    def rows(self) -> Sequence[Sequence[str]]:
        """Rows, in order."""


@dataclass(frozen=True, slots=True)
class KnownCell:
    """One protected cell: the number (None where there is none) and the word in the status column."""

    value: int | None
    status: str

    @property
    def written(self) -> str:
        """The number as pages write it; empty where there is none."""
        return "" if self.value is None else f"{self.value:,}"


@dataclass(frozen=True, slots=True)
class KnownDimension:
    """One dimension: its levels, and code -> (level, labels in every language); the total's code first."""

    name: str
    levels: tuple[str, ...]
    nodes: Mapping[str, tuple[str, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class KnownTable:
    """One protected table. cells: by the text of data-cell, such as "county=alameda;year=2012"."""

    name: str
    dimensions: tuple[KnownDimension, ...]
    cells: Mapping[str, KnownCell]

    def dimension(self, name: str) -> KnownDimension:
        """The dimension with this name. Raises KeyError."""
        for dimension in self.dimensions:
            if dimension.name == name:
                return dimension
        raise KeyError(name)


@dataclass(frozen=True)
class KnownList:
    """One public list: its columns and rows, as texts."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @cached_property
    def plain_rows(self) -> frozenset[tuple[str, ...]]:
        """The rows, as a page shows them."""
        return frozenset(tuple(plain(value) for value in row) for row in self.rows)


@dataclass(frozen=True)
class Known:
    """All that a number in a release may come from. Small, without arrays, so that it goes to processes.

    phrases: labels, titles and project texts that hold digits; figures: those without a letter ("2012",
    "21–24"), which count as labels only where a label stands. files: paths in the release.
    """

    tables: Mapping[str, KnownTable]
    lists: Mapping[str, KnownList]
    phrases: frozenset[str]
    figures: frozenset[str]
    files: frozenset[str]
    _found: dict[bool, _Phrases] = field(default_factory=dict, repr=False)

    def leaves_digits(self, text: str, *, label: bool) -> bool:
        """Whether digits are left in a text without known phrases; label: whether figures count."""
        if not DIGIT.search(text):
            return False
        if label not in self._found:
            self._found[label] = _Phrases(self.phrases | self.figures if label else self.phrases)
        return self._found[label].leave_digits(text)


class _Phrases:
    """Phrases to be taken out of texts; remembers its answers, since pages repeat their texts."""

    def __init__(self, phrases: frozenset[str]) -> None:
        longest = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
        inside = "|".join(re.escape(phrase) for phrase in longest) or r"(?!)"
        # A phrase must not be cut out of a longer number: "12" is no part of "1,312" or "12.5".
        self._pattern = re.compile(rf"(?<![\w])(?<!\d[.,])(?:{inside})(?![\w]|[.,]\d)")
        self._answers: dict[str, bool] = {}

    def leave_digits(self, text: str) -> bool:
        answer = self._answers.get(text)
        if answer is None:
            if len(self._answers) > 100_000:
                self._answers.clear()
            answer = self._answers[text] = DIGIT.search(self._pattern.sub(" ", plain(text))) is not None
        return answer


def plain(text: str) -> str:
    """A text with every run of white space as one space, and none at its ends."""
    return " ".join(text.split())


def cell_name(codes: Iterable[tuple[str, str]]) -> str:
    """The text of data-cell for (dimension, code) pairs that are not totals."""
    return ";".join(f"{name}={quote(code, safe='')}" for name, code in sorted(codes))


def know(
    tables: Mapping[str, PublicTable],
    lists: Mapping[str, PublicRows],
    texts: Collection[str],
    files: Iterable[str],
) -> Known:
    """What is known of these tables and lists, and of texts that the project's files hold."""
    phrases = {plain(text) for text in texts}
    for table in tables.values():
        phrases.update(plain(title) for title in table.title.values())
        for dimension in table.dimensions:
            phrases.update(plain(title) for title in dimension.title.values())
            for node in dimension.nodes:
                phrases.add(node.code)
                phrases.update(plain(label) for label in node.label.values())
    for rows in lists.values():
        phrases.update(plain(column) for column in rows.columns)
    phrases = {phrase for phrase in phrases if DIGIT.search(phrase)}
    figures = {phrase for phrase in phrases if not re.search(r"[^\W\d_]{2}", phrase)}
    return Known(
        tables={name: _known_table(table) for name, table in tables.items()},
        lists={
            rows.name: KnownList(tuple(rows.columns), tuple(tuple(row) for row in rows.rows))
            for rows in lists.values()
        },
        phrases=frozenset(phrases - figures),
        figures=frozenset(figures),
        files=frozenset(files),
    )


def _known_table(table: PublicTable) -> KnownTable:
    statuses = list(Status)
    with_number = (Status.SHOWN, Status.INCOMPLETE, Status.UNSTABLE)
    names = [dimension.name for dimension in table.dimensions]
    codes = [[node.code for node in dimension.nodes] for dimension in table.dimensions]
    cells: dict[str, KnownCell] = {}
    for coords, value, number in zip(
        table.coords.tolist(), table.values.tolist(), table.statuses.tolist(), strict=True
    ):
        status = statuses[number]
        where = cell_name((names[k], codes[k][node]) for k, node in enumerate(coords) if node)
        cells[where] = KnownCell(value if status in with_number else None, status.value)
    return KnownTable(
        table.name,
        tuple(
            KnownDimension(
                dimension.name,
                dimension.levels,
                {node.code: (node.level, frozenset(node.label.values())) for node in dimension.nodes},
            )
            for dimension in table.dimensions
        ),
        cells,
    )
