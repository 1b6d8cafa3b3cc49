"""What is answered to a request: GET and HEAD of the live release's files by exact address, nothing else.

An address is looked up in a dictionary made from the manifest and never joined to a path, so that traversal,
encoded tricks, symbolic links and listings have nothing to work on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from clerestory.errors import ClerestoryError
from clerestory.release.manifest import ReleaseId
from clerestory.serve import notices
from clerestory.serve.contents import DIRECT, SMALL, Contents, Damaged, best
from clerestory.serve.headers import (
    SECURITY,
    SECURITY_BUT_POLICY,
    ByteRange,
    Unsatisfiable,
    encodings_accepted,
    matches,
    range_asked,
)
from clerestory.serve.page import View
from clerestory.serve.snapshot import Served, Snapshot, load

LONGEST_ADDRESS = 2048
"""Bytes of path and query together; no page of a release has a longer one."""
REPORT = "/report"
TAKES_REPORTS = (REPORT, f"{REPORT}/")
"""Where readers say that a page seems to expose somebody; answered even when everything is withdrawn."""
_ADDRESS = re.compile(rb"/[A-Za-z0-9._/-]*")

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Request:
    """What is read of a request: method, raw target, headers with lower-case names, a report's body.

    keep: whether the connection goes on after it.
    """

    method: str
    target: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes = b""
    keep: bool = True
    address: str = field(init=False)
    query: str = field(init=False)

    def __post_init__(self) -> None:
        path, _, query = self.target.partition(b"?")
        # Addresses of a release need no encoding, so one that has any leads nowhere.
        self.address = path.decode("ascii") if _ADDRESS.fullmatch(path) else "/:"
        self.query = query.decode("latin-1")

    def header(self, name: bytes) -> str:
        """A header's value; several are joined by commas, absent ones are empty."""
        found = [value for key, value in self.headers if key == name]
        return b", ".join(found).decode("latin-1") if found else ""

    @property
    def encodings(self) -> set[str]:
        """Of br and gzip, those that the reader takes."""
        return encodings_accepted(self.header(b"accept-encoding"))


@dataclass(frozen=True, slots=True)
class Large:
    """A part of a file that is sent from disk, after its digest was checked."""

    served: Served
    first: int
    size: int


@dataclass(slots=True)
class Answer:
    """One answer. release, file, part: for the log; the file's path in the release and the range sent."""

    status: int
    headers: Headers
    body: bytes | Large = b""
    policy: bytes = b""
    release: str = ""
    file: str = ""
    part: str = ""

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return self.body.size if isinstance(self.body, Large) else len(self.body)

    def head(self, *more: tuple[bytes, bytes]) -> bytes:
        """Status line and all headers, those that every answer has included, up to the empty line."""
        # A 304 tells no length: it would be that of another answer's body.
        sized = [] if self.status == 304 else [(b"content-length", b"%d" % self.length)]
        lines = [b"%b: %b\r\n" % header for header in (*self.headers, *sized, *more)]
        armour = _WITHOUT_POLICY + self.policy if self.policy else _ARMOUR
        return b"HTTP/1.1 %d %b\r\n%b%b\r\n" % (
            self.status,
            _PHRASES.get(self.status, b"-"),
            b"".join(lines),
            armour,
        )


_ARMOUR = b"".join(b"%b: %b\r\n" % header for header in SECURITY)
_WITHOUT_POLICY = b"".join(b"%b: %b\r\n" % header for header in SECURITY_BUT_POLICY)
_PHRASES = {
    200: b"OK", 202: b"Accepted", 206: b"Partial Content", 304: b"Not Modified", 308: b"Permanent Redirect",
    400: b"Bad Request", 404: b"Not Found", 405: b"Method Not Allowed", 408: b"Request Timeout",
    410: b"Gone", 411: b"Length Required", 413: b"Content Too Large", 414: b"URI Too Long",
    415: b"Unsupported Media Type", 416: b"Range Not Satisfiable", 429: b"Too Many Requests",
    431: b"Request Header Fields Too Large", 500: b"Internal Server Error", 503: b"Service Unavailable",
}  # fmt: skip
_NO_STORE = (b"cache-control", b"no-store")


def plain(status: int, text: str, headers: Headers | None = None) -> Answer:
    """A plain answer with one sentence."""
    own = headers or []
    if not any(name == b"cache-control" for name, _ in own):
        own = [*own, _NO_STORE]
    return Answer(status, [*own, (b"content-type", b"text/plain; charset=utf-8")], f"{text}\n".encode())


def notice(status: int, page: notices.Notice, headers: Headers | None = None) -> Answer:
    """A page of the server's own, in both languages; no cache keeps it."""
    own = [*(headers or []), _NO_STORE, (b"content-type", b"text/html; charset=utf-8")]
    return Answer(status, own, page.body, page.policy_line)


class Site:
    """Answers for the release that a view names. releases: the folder of releases, or "" to be in it.

    memory: bytes of contents kept. `problem` says why nothing is served, if so.
    """

    def __init__(self, releases: Path, *, memory: int = 64 << 20) -> None:
        self.contents = Contents(memory)
        self.problem: ClerestoryError | None = None
        self._releases = releases
        self._cached = _NO_STORE
        self._snapshot: Snapshot | None = None

    def answer(self, request: Request, view: View) -> Answer:
        """The answer to a GET or HEAD, or the refusal of anything else; a HEAD's body is not left out yet."""
        if request.method not in ("GET", "HEAD"):
            return plain(405, "This address can only be read.", [(b"allow", b"GET, HEAD")])
        if len(request.target) > LONGEST_ADDRESS:
            return plain(414, "The address is too long.")
        if request.address == REPORT:
            return notice(200, notices.FORM)
        if view.gone:
            self._forget()
            return replace(notice(410, notices.gone(view.since)), release=view.release)
        snapshot = self._current(view)
        if snapshot is None:
            return notice(503, notices.NOTHING, [(b"retry-after", b"60")])
        self._cached = _cached(view.max_age)
        try:
            found = self._found(request, snapshot)
        except Damaged:
            found = self.damaged()
        found.release = snapshot.id
        return found

    @staticmethod
    def damaged() -> Answer:
        """Said in place of a file whose bytes are not the manifest's."""
        return plain(500, "This file was changed after it was published, so it is not shown.")

    def _current(self, view: View) -> Snapshot | None:
        if not view.live:
            self._forget()
            return None
        if self._snapshot is None or self._snapshot.id != view.release:
            self._forget()
            try:
                self._snapshot = load(self._releases, ReleaseId(view.release))
                self.problem = None
            except ClerestoryError as problem:
                self.problem = problem
        return self._snapshot

    def _forget(self) -> None:
        if self._snapshot is not None:
            self._snapshot = None
            self.contents.forget()

    def _found(self, request: Request, snapshot: Snapshot) -> Answer:
        served = snapshot.files.get(request.address)
        if served is not None:
            return self._file(request, served)
        if request.address in snapshot.folders:
            location = request.address + "/" + (f"?{request.query}" if request.query else "")
            headers = [(b"location", location.encode("latin-1")), self._cached]
            return plain(308, "The page is at the address that ends with a slash.", headers)
        page = snapshot.not_found(request.address)
        if page is None or page.entry.size > SMALL:
            return plain(404, "There is no such page.")
        body, encoding = self.contents.body(page, request.encodings)
        return Answer(404, [_NO_STORE, *_described(page, encoding, tagged=False)], body)

    def _file(self, request: Request, served: Served) -> Answer:
        wanted = request.header(b"range")
        # A range counts bytes of the file itself, so it is taken from the uncompressed one.
        encodings = set() if wanted else request.encodings
        body: bytes | Large
        if served.entry.size > SMALL or (served.entry.size > DIRECT and not best(served, encodings)):
            body, encoding = Large(served, 0, served.entry.size), ""
        else:
            body, encoding = self.contents.body(served, encodings)
        headers = [self._cached, *_described(served, encoding)]
        answer = self._asked(request, headers, _tag(served, encoding), wanted, body)
        answer.file = served.entry.path
        return answer

    @staticmethod
    def _asked(request: Request, headers: Headers, etag: str, wanted: str, body: bytes | Large) -> Answer:
        known = request.header(b"if-none-match")
        if known and matches(known, etag):
            return Answer(304, [h for h in headers if h[0] not in _ABOUT_THE_BODY])
        size = body.size if isinstance(body, Large) else len(body)
        part: ByteRange | None = None
        if wanted:
            if_range = request.header(b"if-range")
            if not if_range or if_range.strip() == etag:
                try:
                    part = range_asked(wanted, size)
                except Unsatisfiable:
                    outside = [(b"content-range", b"bytes */%d" % size)]
                    return plain(416, "The range lies outside the file.", outside)
        if part is None:
            return Answer(200, headers, body)
        headers.append((b"content-range", b"bytes %d-%d/%d" % (part.first, part.last, size)))
        if isinstance(body, Large):
            body = Large(body.served, part.first, len(part))
        else:
            body = body[part.first : part.last + 1]
        return Answer(206, headers, body, part=f"{part.first}-{part.last}")


@lru_cache(maxsize=8)
def _cached(seconds: int) -> tuple[bytes, bytes]:
    return b"cache-control", f"public, max-age={seconds}".encode()


_ABOUT_THE_BODY = frozenset((b"content-type", b"content-encoding", b"accept-ranges"))


def _tag(served: Served, encoding: str) -> str:
    return f'"{served.tag}-{encoding}"' if encoding else f'"{served.tag}"'


def _described(served: Served, encoding: str, *, tagged: bool = True) -> Headers:
    return list(_description(served.kind, _tag(served, encoding) if tagged else "", encoding))


@lru_cache(maxsize=4096)
def _description(kind: str, tag: str, encoding: str) -> tuple[tuple[bytes, bytes], ...]:
    headers = [(b"content-type", kind.encode()), (b"vary", b"accept-encoding")]
    if encoding:
        headers.append((b"content-encoding", encoding.encode()))
    if tag:
        headers += [(b"etag", tag.encode()), (b"accept-ranges", b"bytes")]
    return tuple(headers)
