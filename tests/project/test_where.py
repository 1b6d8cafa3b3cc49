from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerestory.errors import InputError
from clerestory.project.where import Condition, Value, parse, written

_WORDS = ("and", "in", "not", "is", "missing", "year")
_names = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True).filter(lambda name: name not in _WORDS)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_numbers = st.integers(min_value=-(10**17), max_value=10**17)
_dates = st.dates(min_value=date(1000, 1, 1))


def _lists() -> st.SearchStrategy[list[Value]]:
    return st.one_of(
        st.lists(_texts, min_size=1, max_size=4, unique=True),
        st.lists(_numbers, min_size=1, max_size=4, unique=True),
        st.lists(_dates, min_size=1, max_size=4, unique=True),
    )


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    field, part = draw(_names), draw(st.sampled_from(["", "year"]))
    operator = draw(
        st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "in", "not in", "is missing", "is not missing"])
    )
    if operator.startswith("is "):
        return Condition(field, operator, (), part)
    if operator in ("in", "not in"):
        return Condition(field, operator, tuple(draw(_lists())), part)
    values = st.one_of(_numbers, _dates)
    return Condition(
        field, operator, (draw(values if operator in "<=>=" else st.one_of(values, _texts)),), part
    )


@given(st.lists(conditions(), max_size=4))
def test_what_is_written_is_read_back(said: list[Condition]) -> None:
    assert parse(written(said)) == tuple(said)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        parse(text)
    except InputError as error:
        assert error.what.startswith("where, character ")
        assert error.fix


def test_the_documented_example() -> None:
    said = (
        """year >= 2012 and status in ["issued", 'renewed'] and county is not missing and year(d) != 2020"""
    )
    assert parse(said) == (
        Condition("year", ">=", (2012,)),
        Condition("status", "in", ("issued", "renewed")),
        Condition("county", "is not missing", ()),
        Condition("d", "!=", (2020,), "year"),
    )
    assert parse("") == parse("  \n ") == ()
    assert parse("name = 'O''Brien' and day = 2012-01-31") == (
        Condition("name", "=", ("O'Brien",)),
        Condition("day", "=", (date(2012, 1, 31),)),
    )


@pytest.mark.parametrize(
    ("text", "character", "what", "fix"),
    [
        ("year == 2012", 6, "found '=='", "did you mean '='?"),
        ("county = alder", 10, "expected a value, found the name alder", "quoted: 'alder'"),
        ("a = 1 or b = 2", 7, "expected 'and', found or", "there is no 'or'"),
        ("a = 1 AND b = 2", 7, "expected 'and', found AND", "small letters"),
        ("a = 1.5", 5, "numbers are whole", "bands"),
        ("a is null", 6, "expected 'missing'", "is missing"),
        ("a =", 4, "found the end", "the grammar"),
        ("a = 2012-13-01", 5, "not a day of the calendar", ""),
        ("a = 2012-1-1", 5, "not a date", "2012-01-31"),
        ("a = 'x", 5, "no closing '", ""),
        ("a = 1; drop table x", 6, "';' is not part", ""),
        ("a in [1, 'b']", 6, "different kinds", ""),
        ("a in [1, 1]", 6, "stands twice", ""),
        ("a in []", 7, "expected a value", ""),
        ("a in [1", 8, "expected ']'", ""),
        ("a < 'x'", 3, "not texts", "in [...]"),
        ("a like 'x'", 3, "expected a comparison", "no patterns"),
        ("a between 1 and 2", 3, "expected a comparison", ">= ... and"),
        ("month(d) = 3", 1, "not a part of a date", "year(FIELD)"),
        ("year(2012) = 3", 6, "expected the name of a date field", ""),
        ("1 = 1", 1, "expected the name of a field", ""),
        ("not a = 1", 1, "expected the name of a field", ""),
        ("a = 1 --", 7, "'-' is not part", ""),
        ("lower(a) = 'x'", 1, "not a part of a date", ""),
    ],
)
def test_a_fault_is_placed_and_explained(text: str, character: int, what: str, fix: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, where="tables/t.toml:3, t.where")
    assert caught.value.where == "tables/t.toml:3, t.where"
    assert caught.value.what.startswith(f"where, character {character}: ")
    assert what in caught.value.what
    assert fix in caught.value.fix
