"""Strict HTML tokens: only a form that every parser reads alike; anything else is refused, not guessed.

Strict means: `<!doctype html>` first; lower-case names; attributes in double quotes without < or >; every
element closed in order; no comments, no processing instructions, no raw-text elements but title.
A general parser would mend what it does not understand, and then we should check another page than the one
that a browser shows.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

_DOCTYPE = re.compile(r"<!doctype html>\s*", re.IGNORECASE)
_ATTRIBUTE = re.compile(r'\s+([a-zA-Z_][\w:.-]*+)(?:="([^"<>]*+)")?+')
TOKEN = re.compile(
    r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)"
    r'((?:\s++[a-zA-Z_][\w:.-]*+(?:="[^"<>]*+")?+)*+)'
    r"\s*+(/?)>([^<]*+)"
)
"""One tag and the text after it: closing slash, name, attributes, self-closing slash, text."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control and direction characters, which show something else than they are."""


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


VOID = words("br hr img input link meta wbr col")


def body_of(text: str) -> int:
    """Where the first tag after the doctype begins; -1 if the page does not begin with a doctype."""
    match = _DOCTYPE.match(text)
    return match.end() if match else -1


def odd_character(text: str) -> int:
    """Where a character stands that no page may hold; -1 if there is none."""
    match = _FORBIDDEN.search(text)
    return match.start() if match else -1


@lru_cache(maxsize=50_000)
def attributes_of(written: str) -> dict[str, str] | None:
    """The attributes of a tag, values unescaped, "" for those without one; None if one stands twice.

    The dictionary is shared by all callers: not to be changed.
    """
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(written):
        if name in found:
            return None
        found[name] = html.unescape(value) if "&" in value else value
    return found


def unescaped(text: str) -> str:
    """A text between tags as a reader sees it."""
    return html.unescape(text) if "&" in text else text


def place_of(text: str, position: int) -> str:
    """A position in a file, in words."""
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return f"line {line}, column {column}"
