"""What every answer says about itself, and what a request may ask for: encodings, ranges, conditions."""

from __future__ import annotations

import re
from dataclasses import dataclass

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types clerestory",
    )
)
"""Nothing from other hosts, nothing inline; the site's script swaps pages through one named policy."""

SECURITY = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (
        b"permissions-policy",
        b"accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), "
        b"payment=(), usb=(), browsing-topics=()",
    ),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""On every answer, errors included."""

SECURITY_BUT_POLICY = tuple(header for header in SECURITY if header[0] != b"content-security-policy")
"""For the server's own pages, which name a policy that is narrower still."""

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "xml": "application/xml; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
    "png": "image/png",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "webmanifest": "application/manifest+json; charset=utf-8",
}


def content_type(path: str) -> str:
    """The type of a file by its ending; a download of bytes where the ending is not one of a site's."""
    return _TYPES.get(path.rpartition(".")[2], "application/octet-stream")


def shrinks(kind: str) -> bool:
    """Whether files of this content type are worth compressing."""
    return "charset" in kind


def encodings_accepted(header: str) -> set[str]:
    """The encodings that an Accept-Encoding header takes, of br and gzip; q=0 means not."""
    accepted: set[str] = set()
    refused: set[str] = set()
    for part in header.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        weight = re.fullmatch(r"\s*q=(\d(?:\.\d{0,3})?)\s*", parameters)
        (refused if weight and float(weight[1]) == 0 else accepted).add(name.strip())
    named = {"br", "gzip"} if "*" in accepted else accepted & {"br", "gzip"}
    return named - refused


def matches(header: str, etag: str) -> bool:
    """Whether an If-None-Match header names this tag, compared weakly as the standard asks."""
    return header.strip() == "*" or any(tag.strip().removeprefix("W/") == etag for tag in header.split(","))


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes first to last of a file, both included."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


class Unsatisfiable(Exception):
    """The range asked for lies outside the file."""


def range_asked(header: str, size: int) -> ByteRange | None:
    """The single range that a Range header asks of a file of this size; None to send all of it.

    Several ranges, other units and malformed headers are ignored, as the standard allows.
    Raises Unsatisfiable if the range begins beyond the end.
    """
    asked = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header.strip())
    if asked is None or asked[1] == asked[2] == "":
        return None
    if asked[1] == "":
        length = min(int(asked[2]), size)
        if length == 0:
            raise Unsatisfiable
        return ByteRange(size - length, size - 1)
    first = int(asked[1])
    last = min(int(asked[2]), size - 1) if asked[2] else size - 1
    if asked[2] and int(asked[2]) < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return ByteRange(first, last)
