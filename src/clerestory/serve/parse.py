"""Requests out of bytes, by llhttp through httptools, which refuses what two servers might read in two ways.

What it leaves to the server is decided here: versions, hosts, bodies, and how long a head may be.
"""

from __future__ import annotations

import re

import httptools

from clerestory.serve.answer import TAKES_REPORTS, Answer, Request, plain
from clerestory.serve.reports import LONGEST_BODY

LONGEST_HEADERS = 16 << 10
"""Bytes of all headers together; no browser sends more to a site that sets no cookies."""
MOST_WAITING = 32
"""Requests that a reader may send ahead of their answers."""
_HOST = re.compile(rb"[A-Za-z0-9._:\[\]-]{1,255}")
_NOT_UNDERSTOOD = "The request is not understood."


class Unfit(Exception):
    """The bytes are no request that is answered; the connection ends with this answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.status)


class Parser:
    """Takes what arrives on one connection, and hands out whole requests in their order."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._unfit: Answer | None = None
        self._found: list[Request] = []
        self._unread = 0
        self.inside = False
        """Whether a request has begun and is not whole."""
        self._start()

    def feed(self, data: bytes) -> list[Request]:
        """The requests that these bytes complete, those before a fault included.

        Raises Unfit if there is none before the fault; a fault after others ends the connection with theirs.
        """
        self._found = []
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing here speaks another protocol: the request is answered, what follows it is not read.
            if self._found:
                self._found[-1].keep = False
        except httptools.HttpParserError:
            self._refuse(plain(400, _NOT_UNDERSTOOD))
        # The parser keeps an unfinished head in memory, however long; two heads may share what was counted.
        self._unread = self._unread + len(data) if self._in_head else 0
        if self._unread > 2 * LONGEST_HEADERS:
            self._refuse(plain(431, "The request says too much."))
        if len(self._found) > MOST_WAITING:
            self._refuse(plain(429, "Too many requests at once."))
            self._found = []
        if self._unfit is not None:
            if not self._found:
                raise Unfit(self._unfit)
            self._found[-1].keep = False
        return self._found

    def _refuse(self, answer: Answer) -> None:
        self._unfit = self._unfit or answer

    def _start(self) -> None:
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._size = 0
        self._body = b""
        self._in_head = False

    # What httptools calls, in this order.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._start()
        self.inside = self._in_head = True

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._size += len(name) + len(value)
        if self._size <= LONGEST_HEADERS:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is whole: whether it may go on."""
        self._in_head = False
        version = self._parser.get_http_version()
        names = [name for name, _ in self._headers]
        hosts = [value for name, value in self._headers if name == b"host"]
        if self._size > LONGEST_HEADERS:
            self._refuse(plain(431, "The request says too much."))
        elif version not in ("1.0", "1.1"):
            self._refuse(plain(400, _NOT_UNDERSTOOD))
        elif len(hosts) > 1 or (version == "1.1" and not hosts) or not all(map(_HOST.fullmatch, hosts)):
            self._refuse(plain(400, "The request does not say which host it is for."))
        elif b"transfer-encoding" in names:
            self._refuse(plain(411, "The request must say how long it is."))
        elif b"content-length" in names:
            length = int(next(value for name, value in self._headers if name == b"content-length"))
            takes = (
                self._parser.get_method() == b"POST"
                and self._target.partition(b"?")[0].decode("latin-1") in TAKES_REPORTS
            )
            if length > (LONGEST_BODY if takes else 0):
                self._refuse(plain(413, "This address takes no such body."))
        if self._unfit is not None:
            raise ValueError  # ends the parsing; the answer is kept

    def on_body(self, body: bytes) -> None:
        """A piece of a report, whose length was bounded."""
        self._body += body

    def on_message_complete(self) -> None:
        """The request is whole."""
        self.inside = False
        self._found.append(
            Request(
                self._parser.get_method().decode("ascii"),
                self._target,
                self._headers,
                body=self._body,
                keep=self._parser.should_keep_alive(),
            )
        )
