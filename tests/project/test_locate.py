from __future__ import annotations

import tomllib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clerestory.project.locate import Key, line_of, read_yaml, toml_lines

TOML = '''# title = "no"
title = "a # [x]" # comment
[fields]
a = { role = "x", categories = { "b c" = "k", d = {en="s"} } }
b.c = [1, # one
  2,
  { z = [ "}" , ']' ] }, ]
text = """a
"" = [no]
\\""" """
'q' = \'\'\'x
y\'\'\'
[[m.n]]
when = 2012-01-01 10:00:00
[[m.n]]
y = 1.5e3
[m.n.q]
z = true
[ spaced . "out" ]
last = 1
'''


def test_every_key_of_a_toml_text_has_its_line() -> None:
    lines = toml_lines(TOML)
    assert lines["title",] == 2
    assert lines["fields", "a", "categories", "d", "en"] == 4
    assert lines["fields", "b", "c", 1] == 6
    assert lines["fields", "b", "c", 2, "z", 1] == 7
    assert lines["fields", "text"] == 8
    assert lines["fields", "q"] == 11
    assert lines["m", "n", 0, "when"] == 14
    assert lines["m", "n", 1, "y"] == 16
    assert lines["m", "n", 1, "q", "z"] == 18
    assert lines["spaced", "out", "last"] == 20


def test_a_key_that_is_not_there_is_placed_at_what_is_above_it() -> None:
    assert line_of(toml_lines(TOML), ("fields", "a", "bounds", 0)) == 4
    assert line_of(toml_lines(TOML), ("nothing",)) == 1


def _ways(value: Any, above: Key = ()) -> set[Key]:
    found: set[Key] = {above} if above else set()
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in items:
        found |= _ways(one, (*above, name))
    return found


_bare = st.from_regex(r"[a-z]{1,4}", fullmatch=True)
_text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=6)
_scalar = st.one_of(
    st.integers().map(str),
    st.booleans().map(lambda one: str(one).lower()),
    _text.map(lambda one: '"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"'),
    _text.filter(lambda one: "'" not in one).map(lambda one: f"'{one}'"),
    st.sampled_from(
        ["1.5", "2012-01-01", "2012-01-01 10:00:00", "2012-01-01T10:00:00Z", "inf", '"""a\nb"""']
    ),
)
_value = st.recursive(
    _scalar,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda one: "[ " + ",\n # ]\n".join(one) + " ]"),
        st.dictionaries(_bare, inner, max_size=3).map(
            lambda one: "{" + ", ".join(f"{key} = {value}" for key, value in one.items()) + "}"
        ),
    ),
    max_leaves=6,
)


@given(st.dictionaries(_bare, st.dictionaries(_bare, _value, max_size=3), max_size=3))
def test_the_scanner_finds_the_keys_that_the_reader_finds(tables: dict[str, dict[str, str]]) -> None:
    text = "".join(
        f"[{name}] # =\n" + "".join(f"{key} = {value}\n" for key, value in table.items())
        for name, table in tables.items()
    )
    assert set(toml_lines(text)) == _ways(tomllib.loads(text))


def test_yaml_holds_no_surprises() -> None:
    value, lines = read_yaml("a: yes\nb:\n  - 1\n  - {x: 2012-01-01, y: 06, no: 0.5}\n2: ~\n", first_line=10)
    assert value == {"a": "yes", "b": [1, {"x": "2012-01-01", "y": "06", "no": 0.5}], "2": None}
    assert lines["b", 1, "y"] == 13
    assert lines["2",] == 14


@pytest.mark.parametrize(
    "text", ["a: 1\na: 2", "a: &x 1\nb: *x", "? [a]\n: 1", "a: !!python/name:os.system", "a: ["]
)
def test_yaml_that_is_not_plain_is_refused(text: str) -> None:
    with pytest.raises(yaml.MarkedYAMLError):
        read_yaml(text)
