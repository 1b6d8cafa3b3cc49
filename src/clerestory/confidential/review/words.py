"""The word at the end of each section: whoever writes it down has been there.

A word follows from the review's secret nonce, so that nobody can guess it, and a new page has new ones. It is
no signature: it stops who would answer without reading, not who lies.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import cache
from importlib.resources import files


@cache
def _lists() -> tuple[list[str], list[str]]:
    """The first words and the second ones."""
    text = files(__package__).joinpath("words.txt").read_text(encoding="ascii")
    first, second = text.split("\n\n")
    return first.split(), second.split()


def word_for(nonce: bytes, page: str, section: str) -> str:
    """The two words of a section, such as "calm-harbor". page: the digest of what the page says."""
    digest = hmac.new(nonce, f"{page}\n{section}".encode(), hashlib.sha256).digest()
    first, second = _lists()
    return f"{first[digest[0] % len(first)]}-{second[digest[1] % len(second)]}"


def same_word(given: str, wanted: str) -> bool:
    """Whether somebody wrote the word, in whatever case and with a space or a hyphen."""
    tidy = "-".join(given.lower().replace("-", " ").split())
    return hmac.compare_digest(tidy.encode(), wanted.encode())
