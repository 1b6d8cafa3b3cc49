"""Reads the text files of a project into models; what is wrong goes to the collector, with file and line."""

from __future__ import annotations

import re
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from clerestory.methods import Method
from clerestory.project.locate import Key, toml_lines
from clerestory.project.problems import Collector, Document, nearest, relative

_M = TypeVar("_M", bound=BaseModel)
_QUOTED = re.compile(r"'([^']*)'")
_TOML_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


def read_text(root: Path, file: Path, collect: Collector) -> str | None:
    """The text of a file, with LF line ends and no byte order mark; None, and a problem, if it is none."""
    name = relative(root, file)
    try:
        content = file.read_bytes()
    except OSError as error:
        collect.add(
            f"cannot be read: {error.strerror or 'it is not a file'}",
            where=name,
            fix="check the name and the permissions",
        )
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        collect.add("not UTF-8 text", where=f"{name}:{line}", fix="save the file with UTF-8 encoding")
        return None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        collect.add("holds a zero byte, so it is not a text file", where=f"{name}:{line}")
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_toml(root: Path, file: Path, collect: Collector) -> tuple[dict[str, Any], Document] | None:
    """A TOML file and where its keys stand; None, and a problem, if it cannot be read."""
    text = read_text(root, file, collect)
    if text is None:
        return None
    name = relative(root, file)
    try:
        said = tomllib.loads(text)
        lines = toml_lines(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _TOML_PLACE.search(message)
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        column = f", column {place[2]}" if place and place[2] else ""
        what = message[: place.start()] if place else message
        collect.add(
            f"not valid TOML: {what[:1].lower()}{what[1:]}{column}",
            where=f"{name}:{line}",
            fix="texts are quoted, keys stand once, and lists and braces are closed",
        )
        return None
    except (ValueError, RecursionError):
        collect.add("a number is too long, or lists are too deep", where=name, fix="write it more simply")
        return None
    return said, Document(name, lines)


def to_model(
    model: type[_M], said: object, document: Document, collect: Collector, *, key: Key = ()
) -> _M | None:
    """A model of a value that stands at a key of a document; None, and problems, if it does not fit."""
    try:
        return model.model_validate(said)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            _explain(model, one, document, collect, key)
        return None


def _explain(
    model: type[BaseModel], error: Mapping[str, Any], document: Document, collect: Collector, above: Key
) -> None:
    tags = [member.value for member in Method]
    # A method's own name stands in the place of an error, but not in the file.
    way: Key = tuple(part for part in error["loc"] if part != "[key]" and part not in tags)
    where = document.at((*above, *way))
    last = str(way[-1]) if way else ""
    kind, context = error["type"], error.get("ctx", {})
    what, fix = error["msg"], ""
    if kind == "extra_forbidden":
        what, fix = f"unknown key {last!r}", nearest(last, _keys_at(model, way[:-1]))
    elif kind == "missing" and last == "role":
        what, fix = (
            f"the field {way[-2]!r} has no role",
            'say what it is to people: role = "quasi-identifier"',
        )
    elif kind == "union_tag_not_found":
        what, fix = f"{last} has no name", f'say which it is: name = "{tags[0]}"'
    elif kind == "union_tag_invalid":
        what, fix = f"unknown {last} {context.get('tag')!r}", nearest(str(context.get("tag")), tags)
    elif kind == "missing":
        what, fix = f"the key {last!r} is missing", f"add {last} = …"
    elif kind in ("enum", "literal_error"):
        valid = _QUOTED.findall(str(context.get("expected", "")))
        given = str(error["input"])
        what, fix = f"unknown {last} {given!r}", nearest(given, valid)
    elif kind == "string_pattern_mismatch":
        what = f"{str(error['input'])!r} is not a name"
        fix = "a small letter first, then small letters, digits and " + (
            "hyphens" if "-" in str(context.get("pattern", "")) else "underscores"
        )
    elif kind == "value_error":
        what = what.removeprefix("Value error, ")
    elif kind in ("model_type", "dict_type", "model_attributes_type"):
        what, fix = f"{last or 'this'} must be a table of keys", "write { key = value } or a [section]"
    elif kind in ("tuple_type", "list_type"):
        what, fix = f"{last or 'this'} must be a list", "write [ … ]"
    elif kind == "string_type":
        what, fix = f"{last} must be a text", "put it in quotes"
    else:
        what = what[:1].lower() + what[1:]
    collect.add(what, where=where, fix=fix)


def _keys_at(model: object, way: Key) -> list[str]:
    """The keys that may stand at a place of a model: a walk over annotations."""
    here: list[object] = [model]
    for part in way:
        here = [after for one in here for after in _inside(one, part)]
    return [
        info.alias or name
        for one in here
        if isinstance(one, type) and issubclass(one, BaseModel)
        for name, info in one.model_fields.items()
    ]


def _inside(kind: object, part: str | int) -> list[object]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, info in kind.model_fields.items():
            if part in (name, info.alias):
                return _plain(info.annotation)
        return []
    arguments = [one for one in typing.get_args(kind) if one is not Ellipsis]
    return _plain(arguments[-1]) if arguments else []


def _plain(kind: object) -> list[object]:
    """An annotation without None and metadata."""
    if typing.get_origin(kind) is typing.Annotated:
        return _plain(typing.get_args(kind)[0])
    if isinstance(kind, type) or typing.get_origin(kind) in (dict, tuple, list):
        return [kind]
    return [after for one in typing.get_args(kind) if one is not type(None) for after in _plain(one)]
