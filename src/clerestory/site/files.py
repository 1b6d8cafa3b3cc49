"""One file of the site."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A file of the release: path relative to the release folder, its bytes, and what it is.

    what: "page", "table", "list", "readme", "asset" or "index".
    """

    path: str
    content: bytes
    what: str
