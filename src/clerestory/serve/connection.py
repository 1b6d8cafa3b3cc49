"""One connection: requests in, answers out, as fast as the reader takes them and no faster.

It works on the socket itself, not through a transport, to know exactly how many bytes the kernel took for the
reader, and to cut what is under way at once, the bytes that the kernel still holds included.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import time
from collections import deque
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from clerestory.serve.answer import Answer, Large, Request, plain
from clerestory.serve.contents import SMALL, Damaged, Later
from clerestory.serve.outbox import Access
from clerestory.serve.parse import Parser, Unfit

if TYPE_CHECKING:
    from clerestory.serve.worker import Worker

_READ = 16 << 10
_PIECE = 512 << 10
"""Bytes sent before the withdrawal is looked for again."""
_TURN = 4
"""Pieces sent before other connections have their turn."""
_MORE = getattr(socket, "MSG_MORE", 0)
_LINGER = struct.pack("ii", 1, 0)
_ON_ITS_WAY, _STILL_HERE = 0x5411, 0x894B  # SIOCOUTQ, SIOCOUTQNSD
_KEEP_ALIVE = {True: (b"connection", b"keep-alive"), False: (b"connection", b"close")}

FIRST_BYTES = 10.0
"""Seconds in which a request must arrive whole."""
IDLE = 15.0
"""Seconds for which a connection without a request is kept."""
STALLED = 20.0
"""Seconds in which a reader must take at least something of an answer."""
PATIENCE = 60.0
"""Seconds after which an answer must have gone at SLOWEST bytes a second or more."""
SLOWEST = 500
_FAREWELL = 2.0
"""Seconds for which a refused reader's further bytes are read and thrown away, so that the answer arrives."""


class _Sending:
    """An answer under way: the bytes of its head and body, or the file that the body is in."""

    __slots__ = ("access", "body", "file", "keep", "left", "offset", "opened", "sent", "started")

    def __init__(self, access: Access, keep: bool, started: float) -> None:
        self.access, self.keep, self.started = access, keep, started
        self.body: memoryview | None = None
        self.file = -1
        self.opened: ExitStack | None = None
        self.offset = self.left = 0
        self.sent = 0


class Connection:
    """A reader's connection, accepted by a worker. address: as the log has it."""

    def __init__(self, worker: Worker, bound: socket.socket, peer: str) -> None:
        self._worker, self._socket, self.peer = worker, bound, peer
        self._fd = bound.fileno()
        self._loop = worker.loop
        self._parser = Parser()
        self._waiting: deque[Request | Unfit] = deque()
        self._now: _Sending | None = None
        self._busy = False  # an answer is being made ready elsewhere
        self._ended = False  # the reader sends no more
        self._leaving = 0.0
        self._writing = False
        self.closed = False
        self._release = ""  # that the last answer was of
        self._rest: memoryview | None = None
        self._since = time.monotonic()  # of what it waits for
        self._reading = False
        self._read(True)

    # Reading

    def _read(self, wanted: bool) -> None:
        if wanted and not self._reading:
            self._loop.add_reader(self._fd, self._readable)
        elif self._reading and not wanted:
            self._loop.remove_reader(self._fd)
        self._reading = wanted

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close("lost")
            return
        if not data:
            self._ended = True
            self._read(False)
            if self._now is None and not self._busy and not self._waiting:
                self.close()
            return
        if self._leaving:
            return
        if not self._parser.inside and self._now is None:
            self._since = time.monotonic()
        try:
            self._waiting.extend(self._parser.feed(data))
        except Unfit as unfit:
            self._waiting.append(unfit)
        if len(self._waiting) > 1:
            self._read(False)  # what was sent ahead is answered first
        self.go_on()

    def go_on(self) -> None:
        """Answers what waits, and then reads on."""
        while self._waiting and self._now is None and not self._busy and not self.closed:
            request = self._waiting.popleft()
            if isinstance(request, Unfit):
                self._waiting.clear()
                self.send(None, request.answer)
            else:
                if not request.keep:
                    self._waiting.clear()
                self._worker.answer(self, request)
        if not self._waiting and not self._busy and self._now is None and not self.closed:
            if self._ended:
                self.close()
            elif not self._leaving:
                self._read(True)

    def hold(self) -> None:
        """Nothing is answered until send() is called: the answer is being made ready elsewhere."""
        self._busy = True
        self._since = time.monotonic()

    # Writing

    def send(self, request: Request | None, answer: Answer) -> None:
        """Sends the answer to a request; to None, which was no request, and the connection ends."""
        self._busy = False
        if self.closed:
            return
        body = answer.body
        if not isinstance(body, Large) or request is None or request.method == "HEAD":
            self._begin(request, answer)
            return
        opened = ExitStack()
        try:
            file = opened.enter_context(self._worker.site.contents.large(body.served))
        except Later as later:
            self.wait(request, later)
        except Damaged:
            self._begin(request, self._worker.site.damaged())
        else:
            self._begin(request, answer, file, opened)

    def wait(self, request: Request, later: Later) -> None:
        """Answers the request when its contents are ready; other connections go on meanwhile."""
        self.hold()
        self._loop.create_task(self._ready(request, later))

    async def _ready(self, request: Request, later: Later) -> None:
        damaged = not await self._worker.made(later)
        # Asked again from the start: the release may have been withdrawn meanwhile.
        self._busy = False
        if damaged and not self.closed:
            self.send(request, self._worker.site.damaged())
        elif not self.closed:
            self._worker.answer(self, request)
        self.go_on()

    def _begin(
        self, request: Request | None, answer: Answer, file: int = -1, opened: ExitStack | None = None
    ) -> None:
        now = time.monotonic()
        keep = request is not None and request.keep and not self._ended and not self._worker.stopping
        method = request.method if request is not None else "-"
        length = answer.length
        access = Access(
            method,
            answer.status,
            answer.release,
            answer.file,
            answer.part,
            length,
            "" if answer.file or request is None else request.target.partition(b"?")[0].decode("latin-1"),
            self._worker.written(self.peer, request),
            now,
        )
        sending = _Sending(access, keep, now)
        body = answer.body
        if method == "HEAD":
            body, access.size = b"", 0
        if isinstance(body, Large):
            sending.file, sending.opened = file, opened
            sending.offset, sending.left = body.first, body.size
            if length > SMALL:
                access.ended = "begun"
                self._worker.note(access, 0.0)
                access.ended = "whole"
            body = b""
        head = answer.head(_KEEP_ALIVE[keep], (b"date", self._worker.date()))
        # Shorter bodies go with the head in one packet or a few; longer ones are not copied.
        whole = head + body if len(body) <= _PIECE else head
        sending.sent = -len(head)
        sending.body = memoryview(whole)
        self._rest = memoryview(body) if len(body) > _PIECE else None
        self._release = answer.release if answer.status < 300 else ""
        self._now = sending
        self._since = now
        self._pump()

    def _pump(self) -> None:
        """Sends until the kernel takes no more, the answer is out, or others have waited long enough."""
        sending = self._now
        assert sending is not None
        try:
            for _ in range(_TURN):
                if self._worker.is_withdrawn(sending.access.release) and sending.access.status < 300:
                    self.cut()
                    return
                if sending.body is not None and len(sending.body):
                    more = _MORE if sending.left else 0  # the file goes into the same packet
                    taken = self._socket.send(sending.body[:_PIECE], more)
                    sending.body = sending.body[taken:]
                elif self._rest is not None:
                    sending.body, self._rest = self._rest, None
                    continue
                elif sending.left:
                    taken = os.sendfile(self._fd, sending.file, sending.offset, min(_PIECE, sending.left))
                    if taken == 0:  # the file became shorter
                        self.close("lost")
                        return
                    sending.offset += taken
                    sending.left -= taken
                else:
                    self._done(sending)
                    return
                sending.sent += taken
                self._since = time.monotonic()
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self.close("lost")
            return
        if not self._writing:
            self._writing = True
            self._loop.add_writer(self._fd, self._writable)

    def _writable(self) -> None:
        self._pump()
        if self._now is None:
            self.go_on()

    def _done(self, sending: _Sending) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._fd)
        self._now = None
        self._finish(sending, "whole")
        self._since = time.monotonic()
        if not sending.keep:
            self._leave()

    def _finish(self, sending: _Sending, ended: str) -> None:
        if sending.opened is not None:
            sending.opened.close()
        sending.access.sent = max(0, sending.sent)
        sending.access.ended = ended
        self._worker.note(sending.access, time.monotonic() - sending.started)

    # Ending

    def _leave(self) -> None:
        """Ends in good order: what the reader still sends is read, or the kernel would drop the answer."""
        if self._ended:
            self.close()
            return
        self._leaving = time.monotonic()
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        self._read(True)

    def _held(self, which: int) -> int:
        """Bytes that the kernel holds for the reader: not confirmed yet, or not even sent."""
        try:
            found: int = struct.unpack("i", fcntl.ioctl(self._fd, which, b"\0\0\0\0"))[0]
        except OSError:
            return 0
        return found

    def cut(self) -> None:
        """Ends at once: nothing more leaves this machine, of what the kernel holds neither."""
        self._abort("cut")

    def _abort(self, ended: str) -> None:
        if self._now is not None:
            self._now.sent -= self._held(_STILL_HERE)
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        self.close(ended)

    def cut_if_withdrawn(self) -> None:
        """Cuts whatever is still on its way of a release that was withdrawn."""
        if (
            self._release
            and self._worker.is_withdrawn(self._release)
            and (self._now is not None or self._held(_ON_ITS_WAY))
        ):
            self.cut()

    def tick(self, now: float) -> None:
        """Ends the connection if it waits for too long; called about once a second."""
        waited = now - self._since
        if self._leaving:
            if now - self._leaving > _FAREWELL:
                self.close()
        elif self._now is not None:
            took = now - self._now.started
            if waited > STALLED or (took > PATIENCE and self._now.sent < SLOWEST * took):
                self._abort("slow")
        elif self._busy:
            pass
        elif self._parser.inside:
            if waited > FIRST_BYTES:
                self.send(None, plain(408, "The request took too long."))
        elif waited > IDLE:
            self.close()

    def retire(self) -> None:
        """Ends when nothing is under way: the worker stops."""
        if self._now is not None:
            self._now.keep = False
        elif not self._busy:
            self.close()

    def close(self, ended: str = "lost") -> None:
        """Ends now. ended: what became of the answer under way, if there is one."""
        if self.closed:
            return
        self.closed = True
        self._read(False)
        if self._writing:
            self._loop.remove_writer(self._fd)
        self._socket.close()
        if self._now is not None:
            self._finish(self._now, ended)
            self._now = None
        self._waiting.clear()
        self._worker.gone(self)
