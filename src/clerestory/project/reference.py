"""Finds {{ value("table", dimension="code") }} in prose, and the numbers that somebody typed there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from clerestory.project.problems import Collector
from clerestory.project.project import Page, ValueReference

_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NUMBER = re.compile(r"\d(?:[\d.,\u00a0\u202f]*\d)?(?:\s?%)?")
_EXAMPLE = 'write {{ value("table", dimension="code") }}'
_LONGEST = 500


def find_references(markdown: str, name: str, line: int, collect: Collector) -> tuple[ValueReference, ...]:
    """The references of a prose part, in order; what is in braces and is none is a problem.

    name: the page's file; line: where the part begins in it.
    """
    found: list[ValueReference] = []
    for match in _BRACES.finditer(markdown):
        here = line + markdown.count("\n", 0, match.start())
        said = _parse(match[1].strip())
        if isinstance(said, str):
            collect.add(said, where=f"{name}:{here}", fix=_EXAMPLE)
        else:
            found.append(ValueReference(said[0], said[1], here, match.start(), match.end()))
    rest = _BRACES.sub(lambda match: " " * len(match[0]), markdown)
    for braces in ("{{", "}}"):
        if braces in rest:
            here = line + markdown.count("\n", 0, rest.index(braces))
            collect.add(f"{braces} without its partner", where=f"{name}:{here}", fix=_EXAMPLE)
    return tuple(found)


def _parse(text: str) -> tuple[str, dict[str, str]] | str:
    """Table and codes of a value(...) call, or what is wrong with it."""
    if len(text) > _LONGEST:
        return "a value reference is too long"
    try:
        call = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "this is not a value reference"
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "value":
        return "only value(…) can stand in {{ }}"
    words = [_code(argument) for argument in call.args]
    if len(words) != 1 or words[0] is None:
        return "value(…) takes one table, in quotes"
    at: dict[str, str] = {}
    for keyword in call.keywords:
        code = _code(keyword.value)
        if keyword.arg is None or code is None:
            return f"the code of {keyword.arg or 'a dimension'} must be a text in quotes"
        at[keyword.arg] = code
    return words[0], at


def _code(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and type(node.value) in (str, int):
        return str(node.value)
    return None


def typed_numbers(page: Page) -> list[tuple[int, str]]:
    """Line and text of every number that the analyst typed into a page's words, for the reviewer.

    Numbers of value references are not among them; those in titles, captions, links' titles and code are.
    """
    found: list[tuple[int, str]] = [(1, number) for number in _numbers(f"{page.title}\n{page.summary}")]
    for part in page.prose():
        blank = _BRACES.sub(lambda match: "value" + "\n" * match[0].count("\n"), part.markdown)
        found += _in_markdown(blank, part.line)
    for rows in page.lists():
        found += [(rows.line, number) for number in _numbers("\n".join(rows.said.title.values()))]
    for chart in page.charts():
        words = "\n".join([*chart.said.title.values(), *(chart.said.description or {}).values()])
        found += [(chart.line, number) for number in (*_numbers(words), *_in_spec(chart.said.spec))]
    return sorted(found, key=lambda one: one[0])


def words_around(root: Path, typed: Iterable[tuple[str, int, str]]) -> list[str]:
    """The line that each typed number stands in: at its line, or where its block has it next.

    typed: file, relative to the project in `root`, line and number.
    """
    texts: dict[str, list[str]] = {}
    found = []
    for file, line, number in typed:
        if file not in texts:
            texts[file] = (root / file).read_text(encoding="utf-8").splitlines()
        block = texts[file][line - 1 :]
        alone = re.compile(rf"(?<!\d){re.escape(number)}(?!\d)")
        said = (words for words in block if alone.search(_BRACES.sub("", words)))
        found.append(next(said, block[0] if block else "").strip())
    return found


def _numbers(text: str) -> list[str]:
    return [match[0].strip() for match in _NUMBER.finditer(text)]


def _in_markdown(markdown: str, first: int) -> Iterator[tuple[int, str]]:
    line = first
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown):
        line = first + token.map[0] if token.map else line
        if token.type in ("fence", "code_block"):
            yield from ((line, number) for number in _numbers(token.content))
        here = line
        for child in token.children or ():
            if child.type in ("softbreak", "hardbreak"):
                here += 1
            yield from ((here, number) for number in _numbers(_words(child)))


def _words(token: Token) -> str:
    return f"{token.content} {token.attrGet('title') or ''}"


def _in_spec(spec: object, *, drawn: bool = False) -> Iterator[str]:
    """Numbers in texts that a chart itself draws: titles, text marks, rules at a datum, axis values."""
    if isinstance(spec, dict):
        for key, value in spec.items():
            yield from _in_spec(value, drawn=drawn or key in ("title", "subtitle", "text", "datum", "values"))
    elif isinstance(spec, list):
        for value in spec:
            yield from _in_spec(value, drawn=drawn)
    elif drawn and isinstance(spec, (str, int, float)) and not isinstance(spec, bool):
        yield from _numbers(str(spec))
