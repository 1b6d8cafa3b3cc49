"""Verifies a release in a process of its own, so that the supervisor meanwhile hears of a withdrawal."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import NoReturn

from clerestory.errors import ClerestoryError
from clerestory.release.manifest import NAME as MANIFEST
from clerestory.release.verify import open_release, verify_digests
from clerestory.serve.state import Live

AGAIN = 2.0
"""Seconds until a release that was not whole is verified again: it may still be arriving."""


class State(Enum):
    """What is known of the release asked about last."""

    UNKNOWN = auto()
    WHOLE = auto()
    BROKEN = auto()


class Verifier:
    """Knows about one release at a time. verified: one whose digests were just compared."""

    def __init__(self, verified: Live | None = None) -> None:
        self._live = verified
        self._said = -1
        self._ended = 0.0
        self.process = 0
        self.state = State.WHOLE if verified else State.UNKNOWN
        self.problem = ""

    def knows(self, live: Live) -> bool:
        """Whether this is the release that was asked about last."""
        return self._live is not None and (self._live.release, self._live.manifest) == (
            live.release,
            live.manifest,
        )

    @property
    def due(self) -> bool:
        """Whether a release that was not whole is to be tried again."""
        return self.state is State.BROKEN and not self.process and time.monotonic() - self._ended > AGAIN

    def begin(self, live: Live, in_child: Callable[[int], None]) -> None:
        """Starts to verify. in_child: called in the new process, to leave it nothing but this descriptor."""
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
            os.close(self._said)
        said, saying = os.pipe()
        process = os.fork()
        if process == 0:
            in_child(saying)
            _verify(live, saying)
        os.close(saying)
        os.set_blocking(said, False)
        if not self.knows(live):
            self.state = State.UNKNOWN
        self._live, self.process, self._said = live, process, said

    def ended(self, status: int) -> None:
        """Takes what became of it. status: as waitpid gives it."""
        try:
            self.problem = os.read(self._said, 8192).decode("utf-8", "replace")
        except BlockingIOError:
            self.problem = ""
        os.close(self._said)
        self.process, self._ended = 0, time.monotonic()
        self.state = State.WHOLE if status == 0 else State.BROKEN
        if status != 0:
            self.problem = self.problem or "it could not be verified"


def _verify(live: Live, saying: int) -> NoReturn:
    code = 1
    try:
        manifest = (live.folder / MANIFEST).read_bytes()
        if live.manifest and hashlib.sha256(manifest).hexdigest() != live.manifest:
            os.write(saying, b"its manifest is not the one that was published")
        else:
            open_release(live.folder)
            verify_digests(live.folder)
            code = 0
    except ClerestoryError as problem:
        os.write(saying, problem.what.encode()[:4000])
    except OSError as problem:
        os.write(saying, f"it cannot be read: {problem.strerror}".encode())
    finally:
        os._exit(code)
