"""Reads a page the way a browser would, with the standard library: elements, attributes, texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input", "wbr", "col"}


@dataclass
class Element:
    name: str
    attributes: dict[str, str]
    parent: Element | None
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def inside(self, name: str) -> bool:
        above = self.parent
        while above is not None:
            if above.name == name:
                return True
            above = above.parent
        return False


class Reader(HTMLParser):
    """Elements in order; `problems` says what is not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.problems: list[str] = []
        self.at: Element | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len({name for name, _ in attrs}) != len(attrs):
            self.problems.append(f"<{tag}> has an attribute twice")
        element = Element(tag, {name: value or "" for name, value in attrs}, self.at)
        if self.at is not None:
            self.at.children.append(element)
        self.elements.append(element)
        if tag not in VOID:
            self.at = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.at is None or self.at.name != tag:
            self.problems.append(f"</{tag}> closes {self.at.name if self.at else 'nothing'}")
        else:
            self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        above = self.at
        while above is not None:
            above.text += data
            above = above.parent


def read(page: bytes) -> Reader:
    """The page's elements. Raises AssertionError if they are not closed in order."""
    reader = Reader()
    reader.feed(page.decode())
    reader.close()
    assert not reader.problems, reader.problems[:3]
    assert reader.at is None
    return reader
