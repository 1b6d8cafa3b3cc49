"""A worker: accepts connections and answers them, held by the kernel, until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from clerestory.serve import addresses, notices
from clerestory.serve.answer import TAKES_REPORTS, Answer, Request, Site, notice, plain
from clerestory.serve.connection import Connection
from clerestory.serve.contents import Damaged, Later
from clerestory.serve.outbox import EVERY, Access, Outbox
from clerestory.serve.page import NOTHING, Page, View
from clerestory.serve.reports import fields_of

CONNECTIONS = 1000
"""Connections that one worker holds; others wait to be accepted."""
PER_ADDRESS = 100
"""Connections of one address to one worker; a proxy in front may have all."""
REPORTS_PER_ADDRESS = 5
"""Reports that a worker takes from one address in an hour."""
_REPORT_WAIT = 10.0
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Means:
    """What a worker is given: all that it will ever hold.

    listener: accepts; page: what holds; pipe and replies: to and from who keeps the log; name: of the worker
    in the log; memory: see Site; proxy: address of the proxy in front, whose word on readers'
    addresses is believed; "" for none.
    """

    listener: socket.socket
    page: Page
    pipe: int
    replies: int
    name: str
    memory: int
    proxy: str


class Worker:
    """The worker's state: its connections, its site, its way to the log. Runs on the loop it is given."""

    def __init__(self, loop: asyncio.AbstractEventLoop, means: Means) -> None:
        self.loop = loop
        self.stopping = False
        self.site = Site(Path(), memory=means.memory)
        self._means = means
        self._listener = means.listener
        self._outbox = Outbox(means.pipe, means.name)
        self._connections: set[Connection] = set()
        self._peers: Counter[str] = Counter()
        self._accepting = False
        self._view = NOTHING
        self._second = 0
        self._date = b""
        self._flushing = False
        self._reports: dict[str, tuple[Connection, Request, float]] = {}
        self._making: dict[str, asyncio.Future[object]] = {}
        self._reported: Counter[str] = Counter()
        self._hour = 0
        self._heard = b""
        self._problem = ""
        self._parent = os.getppid()

    # Connections

    def accept(self, wanted: bool) -> None:
        """Starts or stops accepting."""
        if wanted and not self._accepting:
            self.loop.add_reader(self._listener, self._accept)
        elif self._accepting and not wanted:
            self.loop.remove_reader(self._listener)
        self._accepting = wanted

    def _accept(self) -> None:
        # One at a time, so that workers share them.
        try:
            bound, peer = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:  # too many open files: let some end first
            self.accept(False)
            return
        bound.setblocking(False)
        address = addresses.plain(str(peer[0]))
        if self._peers[address] >= PER_ADDRESS and address != self._means.proxy:
            bound.close()
            return
        try:
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            bound.close()
            return
        self._peers[address] += 1
        self._connections.add(Connection(self, bound, address))
        if len(self._connections) >= CONNECTIONS:
            self.accept(False)

    def gone(self, connection: Connection) -> None:
        """A connection has ended."""
        if connection in self._connections:
            self._connections.discard(connection)
            self._peers[connection.peer] -= 1
            if self._peers[connection.peer] <= 0:
                del self._peers[connection.peer]
        if not self._accepting and not self.stopping:
            self.accept(True)

    # Answers

    def view(self) -> View:
        """What holds now; nothing, if the supervisor does not say so lately or the log cannot be written."""
        view = self._means.page.look()
        if view is not self._view:
            self._changed(view)
        if self._outbox.full or not self._means.page.fresh():
            return NOTHING if not view.gone else view
        return view

    def _changed(self, view: View) -> None:
        self._view = view
        self._outbox.clock = "synchronised" if view.synchronised else "free"
        if view.gone or view.withdrawn:
            for connection in tuple(self._connections):
                connection.cut_if_withdrawn()

    def is_withdrawn(self, release: str) -> bool:
        """Whether a release was taken down."""
        view = self._means.page.look()
        if view.gone and release == view.release:
            return True
        if not view.withdrawn or (view.live and release == view.release):
            return False
        return release in view.withdrawn or (view.withdrawn == ("*",) and bool(release))

    def answer(self, connection: Connection, request: Request) -> None:
        """Answers a request on its connection, now or when it is ready."""
        if request.method == "POST" and request.address in TAKES_REPORTS:
            self._take_report(connection, request)
            return
        try:
            answer = self.site.answer(request, self.view())
        except Later as later:
            connection.wait(request, later)
            return
        if self.site.problem is not None and str(self.site.problem) != self._problem:
            self._problem = str(self.site.problem)
            self._say(f"nothing is served: {self._problem}")
        if answer.status == 500:
            self._say(f"not served, its bytes are not the manifest's: {request.address} in {answer.release}")
        connection.send(request, answer)

    async def made(self, later: Later) -> bool:
        """Makes contents ready in another thread, once for all who wait; False if they are damaged."""
        task = self._making.get(later.key)
        if task is None:
            task = self._making[later.key] = asyncio.ensure_future(asyncio.to_thread(later.work))
            task.add_done_callback(lambda _: self._making.pop(later.key, None))
        try:
            await asyncio.shield(task)
        except Damaged:
            return False
        return True

    @staticmethod
    def _say(words: str) -> None:
        os.write(2, (words.replace("\n", " ") + "\n").encode())

    def date(self) -> bytes:
        """The Date header."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now)).encode()
        return self._date

    def reader(self, peer: str, request: Request | None) -> str:
        """The reader's address: the connection's, or what the proxy in front says that it is."""
        if self._means.proxy and peer == self._means.proxy and request is not None:
            return addresses.plain(request.header(b"x-forwarded-for").rpartition(",")[2])
        return peer

    def written(self, peer: str, request: Request | None) -> str:
        """The reader's address as the log has it."""
        return _written(self.reader(peer, request), self._view.addresses, self._view.key)

    def note(self, access: Access, seconds: float) -> None:
        """Puts a line on its way to the log."""
        self._outbox.note(access, seconds)
        if not self._flushing:
            self._flushing = True
            self.loop.call_later(EVERY, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        self._outbox.flush()
        if self._outbox.waiting:
            self._flushing = True
            self.loop.call_later(EVERY, self._flush)

    # Reports

    def _take_report(self, connection: Connection, request: Request) -> None:
        kind = request.header(b"content-type").partition(";")[0].strip().lower()
        if kind != _FORM:
            connection.send(request, plain(415, "Please send the form of this page."))
            return
        fields = fields_of(request.body)
        # A browser says where a form was sent from; other sites may not have their readers report here.
        if fields is None or request.header(b"sec-fetch-site") not in ("", "same-origin", "none"):
            connection.send(request, notice(400, notices.BAD_REPORT))
            return
        reader = self.reader(connection.peer, request)
        hour = int(time.monotonic() // 3600)
        if hour != self._hour:
            self._hour = hour
            self._reported.clear()
        self._reported[reader] += 1
        if self._reported[reader] > REPORTS_PER_ADDRESS or len(self._reports) > 100:
            connection.send(request, notice(429, notices.BUSY, [(b"retry-after", b"3600")]))
            return
        token = secrets.token_hex(8)
        self._reports[token] = (connection, request, time.monotonic())
        self._outbox.report(token, fields)
        self._outbox.flush()
        connection.hold()

    def heard(self) -> None:
        """Reads what became of reports."""
        try:
            self._heard += os.read(self._means.replies, 4096)
        except BlockingIOError:
            return
        *lines, self._heard = self._heard.split(b"\n")
        for line in lines:
            token, status, number = (*line.decode("ascii", "replace").split(" "), "", "")[:3]
            if token in self._reports:
                self._reported_as(token, status, number)

    def _reported_as(self, token: str, status: str, number: str) -> None:
        connection, request, _ = self._reports.pop(token)
        answer: Answer
        if status == "202":
            answer = notice(202, notices.thanks(number))
        elif status == "400":
            answer = notice(400, notices.BAD_REPORT)
        else:
            answer = notice(429 if status == "429" else 503, notices.BUSY, [(b"retry-after", b"3600")])
        connection.send(request, answer)
        connection.go_on()

    # Time

    def tick(self) -> None:
        """What is to be done ten times a second: hear of a withdrawal even if nobody asks for anything."""
        self.view()
        self._outbox.flush()

    def slow_tick(self) -> None:
        """What is to be done once a second."""
        now = time.monotonic()
        for connection in tuple(self._connections):
            connection.tick(now)
        for token, (_, _, since) in tuple(self._reports.items()):
            if now - since > _REPORT_WAIT:
                self._reported_as(token, "503", "")
        if not self._accepting and not self.stopping and len(self._connections) < CONNECTIONS:
            self.accept(True)
        if os.getppid() != self._parent:
            os._exit(0)  # without a supervisor nobody would hear of a withdrawal

    async def finish(self, seconds: float) -> None:
        """Stops accepting, lets answers under way end for so long, and sends the last lines."""
        self.stopping = True
        self.accept(False)
        until = time.monotonic() + seconds
        while self._connections and time.monotonic() < until:
            for connection in tuple(self._connections):
                connection.retire()
            self.view()
            await asyncio.sleep(EVERY)
        for connection in tuple(self._connections):
            connection.close()
        while self._outbox.waiting and time.monotonic() < until + 1:
            self._outbox.flush()
            await asyncio.sleep(EVERY / 4)


_written = lru_cache(maxsize=4 * CONNECTIONS)(addresses.written)

GRACE = 3.0
"""Seconds that answers under way have when the server stops."""


def work(means: Means, loop: asyncio.AbstractEventLoop, ready: Callable[[], None]) -> None:
    """Serves until SIGTERM. ready: called when connections are about to be accepted.

    The process is held already, or is not to be. The loop was made before, for it opens a pair of sockets.
    """
    gc.freeze()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(_work(means, ready))


def _fault(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Says what kind of fault there was and where; its text may hold what a reader sent."""
    fault = context.get("exception")
    place = fault.__traceback__ if isinstance(fault, BaseException) else None
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" in {place.tb_frame.f_code.co_qualname}, line {place.tb_lineno}" if place else ""
    os.write(2, f"a fault in a worker: {type(fault).__name__}{where}\n".encode())


async def _work(means: Means, ready: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.set_exception_handler(_fault)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # a terminal sends it to all; the supervisor decides
    worker = Worker(loop, means)
    os.set_blocking(means.pipe, False)
    os.set_blocking(means.replies, False)
    means.listener.setblocking(False)
    loop.add_reader(means.replies, worker.heard)
    worker.accept(True)
    ready()
    turn = 0
    while not stop.is_set():
        worker.tick()
        turn += 1
        if turn % 20 == 0:
            worker.slow_tick()
        try:
            await asyncio.wait_for(stop.wait(), 0.05)
        except TimeoutError:
            continue
    await worker.finish(GRACE)
