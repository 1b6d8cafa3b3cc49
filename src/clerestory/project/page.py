"""Reads pages: Markdown with front matter, and fenced chart, list and controls blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from clerestory.project.locate import Key, read_yaml
from clerestory.project.models import ChartFile, ListFile, PageFile
from clerestory.project.problems import Collector, Document, nearest, relative
from clerestory.project.project import Chart, Page, Part, Prose, Rows
from clerestory.project.read import read_text, to_model
from clerestory.project.reference import find_references

BLOCKS = ("chart", "list", "controls")
_CHART_KEYS = ("id", "title", "description", "data")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_SCHEMES = ("http", "https", "mailto", "tel")


def _any_link(url: str) -> bool:  # noqa: ARG001
    return True


def parser() -> MarkdownIt:
    """The Markdown that pages are written in: CommonMark and tables; all links come through."""
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    markdown.validateLink = _any_link  # type: ignore[method-assign]
    return markdown


@dataclass(frozen=True)
class ReadPage:
    """A page and where its keys stand. whole: no block was left out because something is wrong with it."""

    page: Page
    document: Document
    whole: bool


def read_page(root: Path, file: Path, path: str, language: str, collect: Collector) -> ReadPage | None:
    """A page; None if it has no front matter or cannot be read.

    Blocks that are not as they must be are left out, and problems are noted.
    """
    text = read_text(root, file, collect)
    if text is None:
        return None
    return _Reader(relative(root, file), text, collect).page(file, path, language)


class _Reader:
    def __init__(self, name: str, text: str, collect: Collector) -> None:
        self._name = name
        self._rows = text.split("\n")
        self._collect = collect
        self._lines: dict[Key, int] = {}
        self._document = Document(name, self._lines)
        self._controls: tuple[str, ...] | None = None
        self._whole = True

    def page(self, file: Path, path: str, language: str) -> ReadPage | None:
        front = self._front_matter()
        if front is None:
            return None
        said, first = front
        parts = tuple(self._parts(first))
        page = Page(
            path, language, file, said.title, said.summary, self._controls or (), parts, written_in=language
        )
        return ReadPage(page, self._document, self._whole)

    def _front_matter(self) -> tuple[PageFile, int] | None:
        """The front matter, and the position of the first row after it."""
        example = "a page begins with --- , then title: …, then ---"
        if not self._rows or self._rows[0].rstrip() != "---":
            self._add("the page has no front matter", 1, example)
            return None
        ends = [i for i, row in enumerate(self._rows) if i and row.rstrip() == "---"]
        if not ends:
            self._add("the front matter does not end", 1, example)
            return None
        value = self._yaml("\n".join(self._rows[1 : ends[0]]), 2, ())
        if value is None:
            return None
        said = to_model(PageFile, value, self._document, self._collect)
        if said is None:
            return None
        for key, words in (("title", said.title), ("summary", said.summary)):
            if "{{" in words:
                self._collect.add(
                    "values can be named in the page's text only",
                    where=self._document.at((key,)),
                    fix="move the {{ value(…) }} below the front matter",
                )
        return said, ends[0] + 1

    def _parts(self, first: int) -> Iterator[Part]:
        body = "\n".join(self._rows[first:])
        tokens = parser().parse(body)
        self._refuse(tokens, first)
        start = first
        for token in tokens:
            kind = self._block(token, first)
            if not kind or token.map is None:
                continue
            begin, end = first + token.map[0], first + token.map[1]
            yield from self._prose(start, begin)
            start = end
            part = self._fenced(kind, token.content, begin + 1)
            if part is not None:
                yield part
            elif kind != "controls":
                self._whole = False
        yield from self._prose(start, len(self._rows))

    def _block(self, token: Token, first: int) -> str:
        """Which of our blocks a token is, "" if none; a block that is not as it must be is a problem."""
        if token.type != "fence" or token.map is None:
            return ""
        line = first + token.map[0] + 1
        word = token.info.split()[0] if token.info.split() else ""
        if word not in BLOCKS:
            if get_close_matches(word.lower(), BLOCKS, n=1, cutoff=0.7):
                self._add(f"unknown block {word!r}", line, nearest(word, BLOCKS))
                self._whole = False
            return ""
        if token.level:
            self._add(
                f"a {word} block stands inside a list or quotation", line, "begin it at the left margin"
            )
            return ""
        if (
            self._rows[first + token.map[1] - 1].strip().strip(token.markup[0])
            or token.map[1] - token.map[0] < 2
        ):
            self._add(f"the {word} block does not end", line, f"close it with {token.markup}")
            self._whole = False
            return ""
        return word

    def _prose(self, start: int, end: int) -> Iterator[Prose]:
        while start < end and not self._rows[start].strip():
            start += 1
        markdown = "\n".join(self._rows[start:end]).rstrip()
        if markdown:
            values = find_references(markdown, self._name, start + 1, self._collect)
            yield Prose(markdown + "\n", start + 1, values)

    def _fenced(self, kind: str, content: str, line: int) -> Part | None:
        said = self._yaml(content, line + 1, (f"{kind} block",))
        if said is None:
            return None
        if kind == "controls":
            self._set_controls(said, line)
            return None
        if not isinstance(said, dict):
            self._add(f"a {kind} block holds keys, such as id: and title:", line)
            return None
        name = f"{kind} {said['id']}" if isinstance(said.get("id"), str) else f"{kind} block"
        for key in [key for key in self._lines if key[:1] == (f"{kind} block",)]:
            self._lines[(name, *key[1:])] = self._lines.pop(key)
        if kind == "list":
            rows = to_model(ListFile, said, self._document, self._collect, key=(name,))
            return Rows(rows, line) if rows else None
        own = {key: said[key] for key in _CHART_KEYS if key in said}
        spec = {key: value for key, value in said.items() if key not in _CHART_KEYS}
        chart = to_model(ChartFile, {**own, "spec": spec}, self._document, self._collect, key=(name,))
        return Chart(chart, line) if chart else None

    def _set_controls(self, said: Any, line: int) -> None:
        if not isinstance(said, list) or not all(isinstance(one, str) for one in said) or not said:
            self._add("a controls block holds a list of dimensions", line, "write [county] or - county")
        elif self._controls is not None:
            self._add("a second controls block", line, "name all dimensions in the first one")
        else:
            if len(set(said)) < len(said):
                self._add("a dimension stands twice in the controls", line, "name each once")
            self._controls = tuple(dict.fromkeys(said))
            for key in [key for key in self._lines if key[:1] == ("controls block",)]:
                self._lines[("controls", *key[1:])] = self._lines.pop(key)

    def _yaml(self, text: str, line: int, above: Key) -> Any:
        try:
            value, lines = read_yaml(text, first_line=line)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or "it cannot be read"
            self._add(
                f"not valid YAML: {problem}",
                line + (mark.line if mark else 0),
                "indent with spaces, and put a text with a colon or a # in quotes",
            )
            return None
        for key, number in lines.items():
            self._lines[(*above, *key)] = number
        if value is None:
            self._add("the block is empty" if above else "the front matter is empty", line)
        return value

    def _refuse(self, tokens: list[Token], first: int) -> None:
        """Notes raw HTML, pictures and links that are not plain ones."""
        for token in tokens:
            if token.map is None:
                continue
            line = first + token.map[0] + 1
            if token.type == "html_block":
                self._refuse_html(line)
            for child in token.children or ():
                if child.type in ("softbreak", "hardbreak"):
                    line += 1
                elif child.type == "html_inline":
                    self._refuse_html(line)
                elif child.type == "image":
                    self._add(
                        "a page has no pictures", line, "draw a chart, so that each number is accounted for"
                    )
                elif child.type == "link_open":
                    self._refuse_link(str(child.attrGet("href") or ""), line)

    def _refuse_html(self, line: int) -> None:
        self._add("raw HTML is not allowed in a page", line, "write Markdown; a literal < is written &lt;")

    def _refuse_link(self, href: str, line: int) -> None:
        scheme = _SCHEME.match(href)
        if scheme and scheme[1].lower() not in _SCHEMES:
            self._add(
                f"a link to {scheme[1].lower()}: is not allowed", line, f"use {', '.join(_SCHEMES)} or a path"
            )
        elif href.startswith("//"):
            self._add("a link without a scheme", line, "write https://…")

    def _add(self, what: str, line: int, fix: str = "") -> None:
        self._collect.add(what, where=f"{self._name}:{line}", fix=fix)
