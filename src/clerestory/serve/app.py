"""The ASGI application: GET and HEAD of the live release's files, by exact address.

An address is looked up in a dictionary made from the manifest and never joined to a path, so that traversal,
encoded tricks, symbolic links and listings have nothing to work on.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack
from pathlib import Path

from starlette.types import Receive, Scope, Send

from clerestory.serve.contents import SMALL, Contents, Damaged
from clerestory.serve.headers import (
    SECURITY,
    ByteRange,
    Unsatisfiable,
    encodings_accepted,
    matches,
    range_asked,
)
from clerestory.serve.snapshot import Live, Served, Snapshot

LONGEST_ADDRESS = 2048
"""Bytes of path and query together; no page of a release has a longer one."""
LONGEST_HEADERS = 16 << 10
"""Bytes of all headers together; no browser sends more to a site that sets no cookies."""
_CHUNK = 256 << 10
_ADDRESS = re.compile(rb"/[A-Za-z0-9._/-]*")

_log = logging.getLogger("clerestory.serve")

_Headers = list[tuple[bytes, bytes]]


class App:
    """Serves releases/current. releases: the folder of releases; memory: bytes of contents kept.

    max_age: seconds for which browsers and caches may keep an answer; bounds how fast a switch is seen.
    """

    def __init__(self, releases: Path, *, memory: int = 64 << 20, max_age: int = 60) -> None:
        self._live = Live(releases)
        self._contents = Contents(memory)
        self._cache = f"public, max-age={max_age}".encode()
        self._served: str = ""

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answers one request; other kinds of connection are closed."""
        if scope["type"] == "http":
            await self._answer(_Request(scope), _Reply(send, head=scope["method"] == "HEAD"))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, request: _Request, reply: _Reply) -> None:
        if request.method not in ("GET", "HEAD"):
            await reply.plain(405, "This address can only be read.", [(b"allow", b"GET, HEAD")])
            return
        if request.length > LONGEST_ADDRESS:
            await reply.plain(414, "The address is too long.")
            return
        if request.size > LONGEST_HEADERS:
            await reply.plain(431, "The request says too much.")
            return
        snapshot = self._live.snapshot()
        if snapshot is None:
            _log.error("nothing is served: %s", self._live.problem)
            await reply.plain(503, "Nothing is published here at the moment.", [(b"retry-after", b"60")])
            return
        if snapshot.id != self._served:
            self._contents.forget()
            self._served = snapshot.id
            _log.info("serving %s, %d addresses", snapshot.id, len(snapshot.files))
        try:
            await self._send(request, snapshot, reply)
        except Damaged:
            _log.error("not served, its bytes are not the manifest's: %s in %s", request.address, snapshot.id)
            if not reply.started:
                await reply.plain(500, "This file was changed after it was published, so it is not shown.")

    async def _send(self, request: _Request, snapshot: Snapshot, reply: _Reply) -> None:
        served = snapshot.files.get(request.address)
        if served is not None:
            await self._send_file(request, served, reply)
        elif request.address in snapshot.folders:
            location = request.address + "/" + (f"?{request.query}" if request.query else "")
            headers = [(b"location", location.encode("latin-1")), (b"cache-control", self._cache)]
            await reply.plain(308, "The page is at the address that ends with a slash.", headers)
        else:
            page = snapshot.not_found(request.address)
            if page is None or page.entry.size > SMALL:
                await reply.plain(404, "There is no such page.")
            else:
                body, encoding = self._contents.body(page, request.encodings)
                headers = [(b"cache-control", b"no-store"), *_described(page, encoding, tagged=False)]
                await reply.whole(404, headers, body)

    async def _send_file(self, request: _Request, served: Served, reply: _Reply) -> None:
        cached = (b"cache-control", self._cache)
        if served.entry.size > SMALL:
            with ExitStack() as opened:
                # In a thread: the first look at a large file reads all of it.
                descriptor = await asyncio.to_thread(opened.enter_context, self._contents.large(served))
                headers = [cached, *_described(served, "")]
                await self._send_asked(request, headers, reply, _Disk(descriptor, served.entry.size))
            return
        # A range counts bytes of the file itself, so it is taken from the uncompressed one.
        encodings = set() if request.header(b"range") else request.encodings
        body, encoding = self._contents.body(served, encodings)
        headers = [cached, *_described(served, encoding)]
        await self._send_asked(request, headers, reply, body)

    async def _send_asked(
        self, request: _Request, headers: _Headers, reply: _Reply, body: bytes | _Disk
    ) -> None:
        etag = dict(headers)[b"etag"].decode()
        if matches(request.header(b"if-none-match"), etag):
            await reply.whole(304, [h for h in headers if h[0] not in _ABOUT_THE_BODY], b"")
            return
        part: ByteRange | None = None
        if_range = request.header(b"if-range")
        if not if_range or if_range.strip() == etag:
            try:
                part = range_asked(request.header(b"range"), len(body))
            except Unsatisfiable:
                await reply.plain(
                    416, "The range lies outside the file.", [(b"content-range", b"bytes */%d" % len(body))]
                )
                return
        status = 200
        if part is not None:
            status = 206
            headers.append((b"content-range", b"bytes %d-%d/%d" % (part.first, part.last, len(body))))
            body = body.part(part) if isinstance(body, _Disk) else body[part.first : part.last + 1]
        if isinstance(body, _Disk):
            await reply.stream(status, headers, len(body), body.chunks())
        else:
            await reply.whole(status, headers, body)


_ABOUT_THE_BODY = frozenset((b"content-type", b"content-encoding", b"accept-ranges"))


def _described(served: Served, encoding: str, *, tagged: bool = True) -> _Headers:
    headers = [(b"content-type", served.kind.encode()), (b"vary", b"accept-encoding")]
    if encoding:
        headers.append((b"content-encoding", encoding.encode()))
    if tagged:
        suffix = f"-{encoding}" if encoding else ""
        headers += [(b"etag", f'"{served.tag}{suffix}"'.encode()), (b"accept-ranges", b"bytes")]
    return headers


class _Request:
    """What is read of a request: method, raw address, a few headers. Bodies are never read."""

    def __init__(self, scope: Scope) -> None:
        raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
        raw = raw.partition(b"?")[0]
        self.method: str = scope["method"]
        self.query = scope["query_string"].decode("latin-1")
        self.length = len(raw) + len(scope["query_string"])
        # Addresses of a release need no encoding, so one that has any leads nowhere.
        self.address = raw.decode("ascii") if _ADDRESS.fullmatch(raw) else "/:"
        self._headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
        self.size = sum(len(name) + len(value) for name, value in self._headers)

    def header(self, name: bytes) -> str:
        """A header's value; several are joined by commas, absent ones are empty."""
        return ", ".join(value.decode("latin-1") for key, value in self._headers if key.lower() == name)

    @property
    def encodings(self) -> set[str]:
        """Of br and gzip, those that the reader takes."""
        return encodings_accepted(self.header(b"accept-encoding"))


class _Disk:
    """A part of a large file, by the descriptor whose digest was checked."""

    def __init__(self, descriptor: int, size: int, first: int = 0) -> None:
        self._descriptor, self._size, self._first = descriptor, size, first

    def __len__(self) -> int:
        return self._size

    def part(self, part: ByteRange) -> _Disk:
        """The bytes of a range."""
        return _Disk(self._descriptor, len(part), part.first)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes, piece by piece. Raises Damaged if the file became shorter."""
        position, end = self._first, self._first + self._size
        while position < end:
            piece = await asyncio.to_thread(os.pread, self._descriptor, min(_CHUNK, end - position), position)
            if not piece:
                raise Damaged
            position += len(piece)
            yield piece


class _Reply:
    """Sends one answer, with the headers that every answer has. head: without the body."""

    def __init__(self, send: Send, *, head: bool) -> None:
        self._send, self._head = send, head
        self.started = False

    async def plain(self, status: int, text: str, headers: _Headers | None = None) -> None:
        """A plain answer with one sentence."""
        own = headers or []
        if not any(name == b"cache-control" for name, _ in own):
            own = [*own, (b"cache-control", b"no-store")]
        await self.whole(
            status, [*own, (b"content-type", b"text/plain; charset=utf-8")], f"{text}\n".encode()
        )

    async def whole(self, status: int, headers: _Headers, body: bytes) -> None:
        """An answer whose bytes are in memory."""
        # A 304 tells no length: it would be that of another answer's body.
        await self._start(status, headers, None if status == 304 else len(body))
        await self._send({"type": "http.response.body", "body": b"" if self._head else body})

    async def stream(self, status: int, headers: _Headers, length: int, pieces: AsyncIterator[bytes]) -> None:
        """An answer sent piece by piece."""
        await self._start(status, headers, length)
        if not self._head:
            async for piece in pieces:
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    async def _start(self, status: int, headers: _Headers, length: int | None) -> None:
        self.started = True
        sized = [] if length is None else [(b"content-length", b"%d" % length)]
        await self._send(
            {"type": "http.response.start", "status": status, "headers": [*headers, *sized, *SECURITY]}
        )
