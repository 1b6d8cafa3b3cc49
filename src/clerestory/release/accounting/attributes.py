"""Attributes of HTML: which may stand where, and which digits they may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from posixpath import dirname, normpath

from clerestory.release.accounting.markup import words
from clerestory.release.accounting.numbers import DIGIT, Known

_TEXTS = words("title alt placeholder content label aria-label aria-description aria-roledescription")
_NAMES = words(
    """id class for name headers scope role lang dir rel type method enctype autocomplete form list charset
    media hreflang translate inputmode aria-labelledby aria-describedby aria-controls aria-owns
    aria-current aria-live aria-hidden aria-expanded aria-sort aria-busy aria-atomic aria-haspopup
    aria-pressed aria-selected aria-checked hidden open checked selected disabled required readonly
    multiple async defer download itemprop nomodule crossorigin integrity loading decoding focusable
    spellcheck property sizes"""
)
_COUNTS = words("colspan rowspan tabindex width height size maxlength minlength rows")
_DATA = words("data-table data-cell data-status data-list")
_VIEWPORT = re.compile(r"width=device-width, ?initial-scale=1(?:\.0)?")
_NAME = re.compile(r"[\w:. +/-]{0,200}")
_COUNT = re.compile(r"-?\d{1,4}%?")
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s\"'<>]+")
_LOCAL = re.compile(r"/?(?:\.{1,2}/)*[\w./-]*")


def account_attributes(
    element: str, attributes: dict[str, str], file: str, known: Known, prose: bool
) -> Iterator[str]:
    """The rules that an element's attributes break. prose: whether an analyst typed it, links included."""
    for name, value in attributes.items():
        if name in _DATA:
            continue  # read with the cell, the chart or the list
        if name in _NAMES:
            if not _NAME.fullmatch(value):
                yield f"{name} holds more than a name"
        elif name in _TEXTS:
            if (
                not prose
                and DIGIT.search(value)
                and known.leaves_digits(value, label=True)
                and not (
                    element == "meta" and attributes.get("name") == "viewport" and _VIEWPORT.fullmatch(value)
                )
            ):
                yield f"a number in {name} that is no label"
        elif name in ("href", "src", "action"):
            yield from _account_address(name, value, file, known, prose)
        elif name in _COUNTS:
            if not _COUNT.fullmatch(value):
                yield f"{name} is no small number"
        elif name == "value":
            if element == "option" and _LOCAL.fullmatch(value) and "/" in value:
                yield from _account_address(name, value, file, known, prose)
            elif element not in ("data", "li") and known.leaves_digits(value, label=True):
                yield "a number in value that is no label"
            if element == "data" and "data-cell" not in attributes:
                yield "<data> without data-cell"
        elif name == "start" and prose:
            continue  # a list that the analyst numbered
        elif name == "datetime":
            if element != "time":
                yield "datetime outside <time>"
        else:
            yield f"the attribute {name if re.fullmatch('[a-z-]+', name) else 'in this tag'} is not for pages"


def _account_address(name: str, value: str, file: str, known: Known, prose: bool) -> Iterator[str]:
    path, _, fragment = value.partition("#")
    if not _NAME.fullmatch(fragment):
        yield "the part of an address after # holds more than a name"
    if not path:
        return
    if _ADDRESS.fullmatch(path):
        if name != "href":
            yield f"{name} leads to another host"
        elif not prose and known.leaves_digits(path, label=True) and not ends_in_a_page(path, known):
            yield "a number in an address that no one typed in prose"
    elif not _LOCAL.fullmatch(path):
        yield f"{name} is neither https, mailto nor a path in the site"
    elif not _leads_to_a_file(dirname(file), path, known.files):
        yield f"{name} leads to no file of the release"


@lru_cache(maxsize=200_000)
def _leads_to_a_file(folder: str, path: str, files: frozenset[str]) -> bool:
    joined = f"site{path}" if path.startswith("/") else f"{folder}/{path}"
    target = normpath(joined)
    return target in files or f"{target}/index.html" in files


def ends_in_a_page(address: str, known: Known) -> bool:
    """Whether a whole address is that of a page of this release, under a host and path without a number."""
    segments = address.partition("://")[2].split("/")
    for first in range(1, len(segments)):
        page = "/".join(["site", *segments[first:]])
        if page in known.files or f"{page.rstrip('/')}/index.html" in known.files:
            return not known.leaves_digits("/".join(segments[:first]), label=True)
    return False
