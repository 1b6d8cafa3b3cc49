"""The supervisor: listens to nobody, asks what is live, verifies it, tells the workers, and keeps them going.

It has one thread only, because it forks: whatever takes time is done in a process of its own.
"""

from __future__ import annotations

import asyncio
import gc
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NoReturn

from clerestory.errors import ClerestoryError, InputError, Refused
from clerestory.serve.addresses import Addresses, key_for
from clerestory.serve.clock import boot, source, synchronised
from clerestory.serve.confine import WITHOUT, confine, drop
from clerestory.serve.keeper import keep
from clerestory.serve.page import NOTHING, Page, View
from clerestory.serve.plan import Plan
from clerestory.serve.state import Live, Nothing, Source, Withdrawn
from clerestory.serve.verifier import State, Verifier
from clerestory.serve.worker import GRACE, Means, work

POLL = 0.1
"""Seconds between two looks at what is live."""
_SHORTEST, _LONGEST = 0.1, 5.0
"""Seconds until a worker that ended is started again; doubled each time, until one lives for longer."""
_SLOW_EVERY = 10.0
_HELD, _UNHELD, _FAILED = 0, 70, 71


@dataclass(slots=True)
class _Slot:
    """A worker's place. to_log, replies: (read, write) ends of its pipes, which outlive it."""

    number: int
    to_log: tuple[int, int]
    replies: tuple[int, int]
    process: int = 0
    generation: int = 0
    started: float = 0.0
    again: float = 0.0
    wait: float = _SHORTEST


class Supervisor:
    """Serves by its workers until it is told to stop.

    say: takes what the operator should read; verified: a release whose digests were just compared.
    """

    def __init__(
        self,
        plan: Plan,
        decides: Source,
        listener: socket.socket,
        say: Callable[[str], None],
        *,
        verified: Live | None = None,
    ) -> None:
        self._plan, self._source, self._listener, self._say = plan, decides, listener, say
        self._page = Page()
        self._run = os.urandom(4).hex()
        self._slots = [_Slot(number, os.pipe(), os.pipe()) for number in range(plan.workers)]
        self._status = os.pipe()
        self._words = os.pipe()
        os.set_blocking(self._status[0], False)
        os.set_blocking(self._words[0], False)
        self._folder = os.open(plan.releases, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._keeper = 0
        self._log_problem = ""
        self._verifier = Verifier(verified)
        self._key = ""
        self._synchronised = False
        self._max_age = plan.max_age
        self._slow = -_SLOW_EVERY
        self._told = ""
        self._stopping = False
        self._ready = 0
        self._heard = b""
        self._unheld = ""
        self.published = NOTHING

    def run(self, ready: Callable[[], None]) -> None:
        """Serves; returns when told to stop by SIGTERM or SIGINT. ready: called when all workers accept.

        Raises Refused if the kernel does not hold a worker.
        """
        if not _alone():
            raise InputError("the server must be started in a process that has one thread", where="serve")
        gc.freeze()
        before = {
            number: signal.signal(number, self._stop)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        }
        try:
            self._slowly()
            if self._plan.log is not None:
                self._start_keeper()
            self._look()
            for slot in self._slots:
                self._start(slot)
            announced = False
            while not self._stopping:
                self._listen(POLL)
                self._reap()
                self._look()
                if not announced and self._ready >= len(self._slots):
                    announced = True
                    ready()
                for slot in self._slots:
                    if not slot.process and time.monotonic() >= slot.again and not self._stopping:
                        self._start(slot)
                if time.monotonic() - self._slow > _SLOW_EVERY:
                    self._slowly()
            if self._unheld:
                raise Refused(self._unheld, where="serve", fix=WITHOUT)
        finally:
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, *_: object) -> None:
        self._stopping = True

    # What holds

    def _look(self) -> None:
        decision = self._source.look()
        match decision:
            case Live():
                self._live(decision)
            case Withdrawn(release, since):
                self._publish(View(release=release, gone=True, since=since, withdrawn=(release,)))
                self._tell(f"{release} is withdrawn: every address answers 410")
            case Nothing(problem):
                self._publish(NOTHING)
                self._tell(f"nothing is served: {problem}")

    def _live(self, live: Live) -> None:
        verifier = self._verifier
        same = verifier.knows(live)
        if self._stopping:
            if not same:
                self._publish(View(withdrawn=tuple(sorted(live.withdrawn))))
            return
        if not same or verifier.due:
            verifier.begin(live, lambda saying: self._in_child({saying, self._words[1]}))
        withdrawn = tuple(sorted(live.withdrawn))
        if verifier.state is State.WHOLE:
            if self._log_problem:
                self._publish(View(withdrawn=withdrawn))
                self._tell(f"nothing is served: the access log cannot be written: {self._log_problem}")
                return
            self._max_age = min(self._plan.max_age, live.cache)
            self._publish(View(release=live.release, live=True, withdrawn=withdrawn))
            self._tell(f"serving {live.release}")
        elif verifier.state is State.BROKEN:
            self._publish(View(withdrawn=withdrawn))
            self._tell(f"nothing is served: {live.release} is not whole: {verifier.problem}")
        else:
            # The release before stays until this one is verified, unless it was withdrawn.
            last = self.published
            stays = last.live and last.release not in live.withdrawn
            self._publish(View(last.release if stays else "", stays, withdrawn=withdrawn))

    def _publish(self, view: View) -> None:
        filled = replace(
            view,
            addresses=str(self._plan.addresses),
            key=self._key,
            max_age=self._max_age,
            synchronised=self._synchronised,
        )
        if filled != self.published:
            self._page.publish(filled)
            self.published = filled
        self._page.beat()

    def _tell(self, words: str) -> None:
        if words != self._told:
            self._told = words
            self._say(words)

    # Processes

    def _start(self, slot: _Slot) -> None:
        slot.generation += 1
        process = os.fork()
        if process == 0:
            self._work(slot)
        slot.process, slot.started = process, time.monotonic()

    def _work(self, slot: _Slot) -> NoReturn:
        """In the child: becomes a worker."""
        code = _FAILED
        try:
            pipe, replies = slot.to_log[1], slot.replies[0]
            listener = self._listener.fileno()
            self._page.for_reading()
            self._in_child({pipe, replies, listener, self._status[1], self._words[1], self._folder})
            loop = asyncio.new_event_loop()
            if self._plan.confined:
                confine(self._folder, user=self._plan.user, memory=self._plan.memory, listener=self._listener)
            else:
                os.fchdir(self._folder)
                drop.become(self._plan.user)
            os.close(self._folder)
            means = Means(
                self._listener, self._page, pipe, replies, f"{self._run}-{slot.number}.{slot.generation}",
                self._plan.memory, self._plan.proxy,
            )  # fmt: skip
            status = self._status[1]

            def ready() -> None:
                os.write(status, b"R\n")
                os.close(status)

            work(means, loop, ready)
            code = _HELD
        except Refused as refused:
            os.write(self._status[1], f"X {refused.what}\n".encode())
            code = _UNHELD
        except BaseException as fault:
            # A traceback's text may hold what a reader sent; its kind and place are enough.
            place = fault.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = f"{place.tb_frame.f_code.co_qualname}, line {place.tb_lineno}" if place else "?"
            os.write(2, f"a worker failed: {type(fault).__name__} in {where}\n".encode())
        finally:
            os._exit(code)

    def _start_keeper(self) -> None:
        assert self._plan.log is not None
        pipes = [(slot.to_log[0], slot.replies[1]) for slot in self._slots]
        process = os.fork()
        if process == 0:
            try:
                self._in_child({fd for both in pipes for fd in both} | {self._status[1], self._words[1]})
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
                signal.signal(signal.SIGCHLD, signal.SIG_IGN)
                keep(self._plan.log, pipes, self._status[1], self._about(), self._plan.keep_days)
            finally:
                os._exit(0)
        self._keeper = process

    def _about(self) -> dict[str, Any]:
        return {
            "run": self._run,
            "boot": boot(),
            "source": source(),
            "addresses": str(self._plan.addresses),
            "keep_days": self._plan.keep_days,
        }

    def _in_child(self, kept: set[int]) -> None:
        """Leaves the child nothing of the supervisor's but these descriptors, and a way to say something."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(self._words[1], 1)
        os.dup2(self._words[1], 2)
        last = 3
        for descriptor in sorted(kept):
            os.closerange(last, descriptor)
            last = descriptor + 1
        os.closerange(last, _highest())

    def _reap(self) -> None:
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if process == 0:
                return
            if process == self._verifier.process:
                self._verifier.ended(status)
            elif process == self._keeper:
                self._keeper = 0
                if not self._stopping:
                    self._say("the keeper of the log ended and is started again")
                    self._start_keeper()
            for slot in self._slots:
                if slot.process == process:
                    self._ended(slot, status)

    def _ended(self, slot: _Slot, status: int) -> None:
        slot.process = 0
        if self._stopping:
            return
        now = time.monotonic()
        slot.wait = _SHORTEST if now - slot.started > _LONGEST else min(2 * slot.wait, _LONGEST)
        slot.again = now + slot.wait
        if os.waitstatus_to_exitcode(status) == _UNHELD:
            self._unheld = self._unheld or "a worker is not held by the kernel"
            self._stopping = True
        else:
            self._say(f"worker {slot.number} ended and is started again")

    # Hearing

    def _listen(self, seconds: float) -> None:
        try:
            ready, _, _ = select.select([self._status[0], self._words[0]], [], [], seconds)
        except InterruptedError:
            return
        if self._words[0] in ready:
            for said in os.read(self._words[0], 64 << 10).decode("utf-8", "replace").splitlines():
                self._say(said)
        if self._status[0] in ready:
            self._heard += os.read(self._status[0], 64 << 10)
            *lines, self._heard = self._heard.split(b"\n")
            for line in lines:
                self._hear(line.decode("utf-8", "replace"))

    def _hear(self, line: str) -> None:
        if line == "R":
            self._ready += 1
        elif line.startswith("X "):
            self._unheld = line[2:]
            self._stopping = True
        elif line.startswith("L"):
            self._log_problem = line[3:] if line[1:2] == "1" else ""

    # Time

    def _slowly(self) -> None:
        """What is looked at every few seconds: the clock, and the key of the addresses."""
        self._slow = time.monotonic()
        self._synchronised = synchronised()
        if self._plan.log is not None and self._plan.addresses is Addresses.HASHED:
            today: date = datetime.now(UTC).date()
            try:
                self._key = key_for(self._plan.log, today, self._plan.keep_days).said
            except ClerestoryError as problem:
                if not self._key:
                    raise
                self._say(str(problem))

    def _end(self) -> None:
        """Stops workers in good order, then lets the keeper write the last lines."""
        processes = [slot.process for slot in self._slots if slot.process]
        if self._verifier.process:
            _signal(self._verifier.process, signal.SIGKILL)
        for process in processes:
            _signal(process, signal.SIGTERM)
        until = time.monotonic() + GRACE + 2
        while any(slot.process for slot in self._slots) and time.monotonic() < until:
            self._page.beat()
            self._look()
            self._listen(0.02)
            self._reap()
        for slot in self._slots:
            if slot.process:
                _signal(slot.process, signal.SIGKILL)
        for slot in self._slots:
            os.close(slot.to_log[1])
            os.close(slot.to_log[0])
        until = time.monotonic() + 5
        while self._keeper and time.monotonic() < until:
            self._listen(0.02)
            self._reap()
        for descriptor in (
            *(fd for slot in self._slots for fd in slot.replies), *self._status, *self._words, self._folder,
        ):  # fmt: skip
            os.close(descriptor)


def _alone() -> bool:
    """Whether this process has one thread; one that just ended has a moment to go."""
    task = Path("/proc/self/task")
    until = time.monotonic() + 1
    while task.is_dir() and len(list(task.iterdir())) > 1:
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def _highest() -> int:
    limit = os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else 4096
    return min(limit, 1 << 20)


def _signal(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return
