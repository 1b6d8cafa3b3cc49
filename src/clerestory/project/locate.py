"""On which line a key of a TOML or YAML text stands: the standard readers do not say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

Key = tuple[str | int, ...]
"""The way to a value: names of keys and positions in lists, such as ("fields", "county", "role")."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_FILLER = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]\}\s#]+(?: [0-9:.+Z-]+)?")
_LONG = {'"""': re.compile(r'(?:\\.|[^\\])*?"{3,5}', re.DOTALL), "'''": re.compile(r".*?'{3,5}", re.DOTALL)}
_SHORT = {'"': re.compile(r'(?:\\.|[^"\\\n])*"'), "'": re.compile(r"[^'\n]*'")}


def toml_lines(text: str) -> dict[Key, int]:
    """The line, from 1, of every table, key and list item of a valid TOML text."""
    return _Toml(text).lines()


def line_of(lines: Mapping[Key, int], key: Key) -> int:
    """The line of a key, or of the nearest thing above it that is there; 1 if nothing is."""
    for length in range(len(key), 0, -1):
        if key[:length] in lines:
            return lines[key[:length]]
    return lines.get((), 1)


class _Toml:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Key, int] = {}
        self._lists: dict[Key, int] = {}

    def lines(self) -> dict[Key, int]:
        above: Key = ()
        self._skip(_FILLER)
        while self._at < len(self._text):
            line, start = self._line(), self._at
            if self._text.startswith("[[", self._at):
                self._at += 2
                name = self._resolve(self._names())
                self._at += 2
                self._lists[name] = self._lists.get(name, -1) + 1
                self._note(name, line)
                above = (*name, self._lists[name])
                self._note(above, line)
            elif self._text[self._at] == "[":
                self._at += 1
                above = self._resolve(self._names())
                self._at += 1
                self._note(above, line)
            else:
                self._pair(above)
            self._skip(_FILLER)
            if self._at == start:
                break
        return self._lines

    def _pair(self, above: Key) -> None:
        line = self._line()
        key = (*above, *self._names())
        for length in range(len(above) + 1, len(key) + 1):
            self._note(key[:length], line)
        self._at += 1
        self._skip(_SPACE)
        self._value(key)

    def _value(self, key: Key) -> None:
        opening = self._text[self._at]
        if opening == "[":
            self._at += 1
            self._skip(_FILLER)
            position = 0
            while self._text[self._at] != "]":
                self._note((*key, position), self._line())
                self._value((*key, position))
                position += 1
                self._comma()
            self._at += 1
        elif opening == "{":
            self._at += 1
            self._skip(_FILLER)
            while self._text[self._at] != "}":
                self._pair(key)
                self._comma()
            self._at += 1
        elif opening in "\"'":
            self._string()
        else:
            self._skip(_SCALAR)

    def _comma(self) -> None:
        self._skip(_FILLER)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_FILLER)

    def _names(self) -> Key:
        names: list[str | int] = []
        while True:
            self._skip(_SPACE)
            start = self._at
            if self._text[start] in "\"'":
                self._string()
                names.append(self._text[start + 1 : self._at - 1])
            else:
                self._skip(_BARE)
                names.append(self._text[start : self._at])
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return tuple(names)
            self._at += 1

    def _resolve(self, names: Key) -> Key:
        """The key of a table header, with the position of the last item of each list on the way."""
        found: Key = ()
        for place, name in enumerate(names):
            found = (*found, name)
            if found in self._lists and place < len(names) - 1:
                found = (*found, self._lists[found])
        return found

    def _string(self) -> None:
        long = self._text[self._at : self._at + 3]
        if long in _LONG:
            self._at += 3
            self._skip(_LONG[long])
        else:
            short = self._text[self._at]
            self._at += 1
            self._skip(_SHORT[short])

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _note(self, key: Key, line: int) -> None:
        self._lines.setdefault(key, line)


class _Loader(yaml.SafeLoader):
    """YAML without surprises: no dates, `yes` and `no` are texts, nothing is written twice or aliased."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not used here", problem_mark=self.get_mark())
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"~|null|", ["~", "n", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def read_yaml(text: str, *, first_line: int = 1) -> tuple[Any, dict[Key, int]]:
    """The value of a YAML text, and the line of every key and list item in it.

    first_line: where the text begins in its file. Raises yaml.MarkedYAMLError, its lines from 0 in the text.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[Key, int] = {(): first_line}
        if node is None:
            return None, lines
        _walk(node, (), lines, first_line)
        return loader.construct_document(node), lines
    finally:
        loader.dispose()


def _walk(node: yaml.Node, key: Key, lines: dict[Key, int], first_line: int) -> None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is a word", problem_mark=name.start_mark)
            way = (*key, name.value)
            if way in lines:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {name.value!r} stands twice", problem_mark=name.start_mark
                )
            lines[way] = first_line + name.start_mark.line
            name.tag = "tag:yaml.org,2002:str"
            _walk(value, way, lines, first_line)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            lines[(*key, position)] = first_line + value.start_mark.line
            _walk(value, (*key, position), lines, first_line)
