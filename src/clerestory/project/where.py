"""The small grammar of `where`: conditions on fields, joined by `and`. It is never passed on as SQL.

    where      = condition { "and" condition }
    condition  = left comparison value
               | left [ "not" ] "in" "[" value { "," value } "]"
               | left "is" [ "not" ] "missing"
    left       = NAME | "year" "(" NAME ")"
    comparison = "=" | "!=" | "<" | "<=" | ">" | ">="
    value      = 'text' | "text" | whole number | date

NAME is a field of the source, or a dimension of the table: with `year = { from = "applied", by = "year" }`
the condition `year >= 2012` means the same as `year(applied) >= 2012`. A quote inside a text is doubled:
'O''Brien'. A date is written 2012-01-31. Order comparisons take whole numbers and dates, and the values of
one `in` list are of one kind. There is no `or`: `in` says it for one field, and two tables for two fields.

    year >= 2012 and status in ["issued", "renewed"] and county is not missing

A record that has no value in the field meets only `is missing`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from clerestory.errors import InputError

Value = str | int | date

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}(?![\w-]))
      | (?P<number>-?[0-9]{1,18}(?![\w.-]))
      | (?P<name>[^\W\d]\w*)
      | (?P<sign>!=|<=|>=|=|<|>|\[|\]|,|\(|\))
    )""",
    re.VERBOSE,
)
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_ORDERED = ("<", "<=", ">", ">=")
_WORDS = ("and", "in", "not", "is", "missing")
_MISTAKES = {
    "or": 'there is no \'or\'; use FIELD in ["a", "b"], or two tables',
    "null": "write 'is missing'",
    "none": "write 'is missing'",
    "like": "there are no patterns; list the values: FIELD in [...]",
    "between": "write FIELD >= ... and FIELD <= ...",
}


@dataclass(frozen=True)
class Condition:
    """One condition on one field.

    operator: "=", "!=", "<", "<=", ">", ">=", "in", "not in", "is missing" or "is not missing".
    values: one value, several for in and not in, none for the last two.
    part: "year" when the field was named as year(FIELD), else "".
    """

    field: str
    operator: str
    values: tuple[Value, ...]
    part: str = ""

    def __str__(self) -> str:
        """The condition in the grammar."""
        left = f"{self.part}({self.field})" if self.part else self.field
        if self.operator.startswith("is "):
            return f"{left} {self.operator}"
        values = ", ".join(_written(value) for value in self.values)
        return (
            f"{left} {self.operator} [{values}]"
            if "in" in self.operator
            else (f"{left} {self.operator} {values}")
        )


def written(conditions: Sequence[Condition]) -> str:
    """Conditions in the grammar; parse() of it gives them back."""
    return " and ".join(str(condition) for condition in conditions)


def parse(text: str, *, where: str = "") -> tuple[Condition, ...]:
    """The conditions of a `where`, in order; none if it is empty.

    where: what to put before the message, such as "tables/ccw.toml:6, ccw.where".
    Raises InputError that says at which character what was expected.
    """
    return _Reader(text, where).conditions() if text.strip() else ()


def _written(value: Value) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return value.isoformat() if isinstance(value, date) else str(value)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int
    """Character, from 1."""


class _Reader:
    def __init__(self, text: str, where: str) -> None:
        self._text = text
        self._where = where
        self._next = 0
        self._tokens = self._split()

    def conditions(self) -> tuple[Condition, ...]:
        found = [self._condition()]
        while self._peek().kind != "end":
            self._take_word("and")
            found.append(self._condition())
        return tuple(found)

    def _split(self) -> list[_Token]:
        tokens: list[_Token] = []
        position = 0
        end = len(self._text.rstrip())
        while position < end:
            match = _TOKEN.match(self._text, position)
            if match is None or match.lastgroup is None:
                start = position + len(self._text[position:]) - len(self._text[position:].lstrip())
                self._stray(start)
            else:
                kind = match.lastgroup
                tokens.append(_Token(kind, match.group(kind), match.start(kind) + 1))
                position = match.end()
        return [*tokens, _Token("end", "", end + 1)]

    def _stray(self, start: int) -> NoReturn:
        rest = self._text[start:]
        if rest[0] in "'\"":
            raise self._error(start + 1, f"a text that begins here has no closing {rest[0]}")
        if re.match(r"-?\d+\.\d", rest):
            raise self._error(start + 1, "numbers are whole", "round it, or use a dimension with bands")
        if re.match(r"-?\d", rest):
            raise self._error(start + 1, "not a number and not a date", "a date is written 2012-01-31")
        raise self._error(start + 1, f"{rest[0]!r} is not part of the grammar")

    def _condition(self) -> Condition:
        field, part = self._left()
        token = self._take()
        if token.text == "=" and self._peek().text == "=":
            raise self._error(token.at, "found '=='", "did you mean '='?")
        if token.kind == "sign" and token.text in _COMPARISONS:
            value = self._value()
            if token.text in _ORDERED and isinstance(value, str):
                raise self._error(
                    token.at,
                    f"{token.text!r} compares whole numbers and dates, not texts",
                    "take the quotes away, or list the values: FIELD in [...]",
                )
            return Condition(field, token.text, (value,), part)
        if token.kind == "name" and token.text == "is":
            denied = self._peek().text == "not"
            if denied:
                self._take()
            self._take_word("missing")
            return Condition(field, "is not missing" if denied else "is missing", (), part)
        if token.kind == "name" and token.text in ("in", "not"):
            if token.text == "not":
                self._take_word("in")
            return Condition(field, "not in" if token.text == "not" else "in", self._values(), part)
        raise self._expected("a comparison (=, !=, <, <=, >, >=, in, not in, is missing)", token)

    def _left(self) -> tuple[str, str]:
        token = self._take()
        if token.kind != "name" or token.text in _WORDS:
            raise self._expected("the name of a field or dimension", token)
        if self._peek().text != "(":
            return token.text, ""
        if token.text != "year":
            raise self._error(token.at, f"{token.text!r} is not a part of a date here", "use year(FIELD)")
        self._take()
        field = self._take()
        if field.kind != "name":
            raise self._expected("the name of a date field", field)
        self._take_sign(")")
        return field.text, "year"

    def _values(self) -> tuple[Value, ...]:
        opening = self._take_sign("[")
        values = [self._value()]
        while self._peek().text == ",":
            self._take()
            values.append(self._value())
        self._take_sign("]")
        if len({type(value) for value in values}) > 1:
            raise self._error(opening.at, "the values of one list are of different kinds")
        if len(set(values)) < len(values):
            raise self._error(opening.at, "a value stands twice in this list")
        return tuple(values)

    def _value(self) -> Value:
        token = self._take()
        if token.kind == "text":
            quote = token.text[0]
            return token.text[1:-1].replace(quote * 2, quote)
        if token.kind == "number":
            return int(token.text)
        if token.kind == "date":
            try:
                return date.fromisoformat(token.text)
            except ValueError:
                raise self._error(token.at, f"{token.text} is not a day of the calendar") from None
        if token.kind == "name" and token.text.lower() not in _MISTAKES:
            raise self._error(
                token.at,
                f"expected a value, found the name {token.text}",
                f"a text is quoted: {token.text!r}",
            )
        raise self._expected("a value: a quoted text, a whole number or a date", token)

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _take_word(self, word: str) -> None:
        token = self._take()
        if token.kind != "name" or token.text != word:
            raise self._expected(f"{word!r}", token)

    def _take_sign(self, sign: str) -> _Token:
        token = self._take()
        if token.kind != "sign" or token.text != sign:
            raise self._expected(f"{sign!r}", token)
        return token

    def _expected(self, what: str, token: _Token) -> InputError:
        found = f"found {token.text}" if token.kind != "end" else "found the end"
        fix = ""
        if token.kind == "name":
            low = token.text.lower()
            fix = _MISTAKES.get(low, "")
            if low in _WORDS and low != token.text:
                fix = f"write {low!r} in small letters"
        elif token.text == "&":
            fix = "write 'and'"
        return self._error(token.at, f"expected {what}, {found}", fix)

    def _error(self, at: int, what: str, fix: str = "") -> InputError:
        return InputError(
            f"where, character {at}: {what}",
            where=self._where,
            fix=fix
            or "the grammar: FIELD = 'text' and FIELD >= 2012 and FIELD in ['a', 'b'] and FIELD is missing",
        )
