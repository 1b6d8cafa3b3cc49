"""Files that are neither pages nor data: texts for readers and for crawlers."""

from __future__ import annotations

import re

from clerestory.release.accounting.attributes import ends_in_a_page
from clerestory.release.accounting.markup import odd_character, place_of
from clerestory.release.accounting.numbers import DIGIT, Known
from clerestory.release.accounting.numbers import plain as spaced
from clerestory.release.accounting.tally import Tally

_MOST = 256 << 10
_SITEMAP = re.compile(
    r'<\?xml version="1\.0" encoding="(?:UTF|utf)-8"\?>\s*'
    r'<urlset xmlns="http://www\.sitemaps\.org/schemas/sitemap/0\.9"[^<>]*>\s*'
    r"((?:<url>(?:\s*<(?:loc|lastmod|changefreq)>[^<>]*</(?:loc|lastmod|changefreq)>|"
    r'\s*<xhtml:link rel="alternate" hreflang="[a-z-]+" href="[^"<>]*"\s?/>)*\s*</url>\s*)*)</urlset>\s*'
)
_SITEMAP_TEXT = re.compile(r'<(lastmod|loc|changefreq)>([^<>]*)<|href="([^"]*)"')
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def account_text(text: str, known: Known, tally: Tally) -> None:
    """Accounts for a .txt file: lines with numbers are listed for the reviewer. May raise Stop."""
    if len(text) > _MOST:
        raise tally.stop("the file", "a text for readers is not that long")
    if (odd := odd_character(text)) >= 0:
        raise tally.stop(place_of(text, odd), "a control or direction character")
    for line in text.splitlines():
        if DIGIT.search(line) and known.leaves_digits(line, label=True):
            tally.printed.append(spaced(line))


def account_sitemap(text: str, known: Known, tally: Tally) -> None:
    """Accounts for sitemap.xml: addresses and dates only. May raise Stop."""
    if not _SITEMAP.fullmatch(text):
        raise tally.stop("the file", "it is not a plain sitemap")
    for match in _SITEMAP_TEXT.finditer(text):
        said = match[2] or match[3] or ""
        if match[1] == "lastmod":
            if not _DATE.fullmatch(said):
                tally.refuse(place_of(text, match.start()), "lastmod is no date")
        elif known.leaves_digits(said, label=True) and not ends_in_a_page(said, known):
            tally.refuse(place_of(text, match.start()), "a number in an address that is no label")
