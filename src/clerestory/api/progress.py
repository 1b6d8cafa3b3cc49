"""How long work tells what it is doing: named steps, each with its time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Hears of each step's begin, what it is at, and its end."""

    def begin(self, step: str) -> None:
        """A step begins."""

    def at(self, note: str) -> None:
        """What the step is at now."""

    def end(self, step: str, seconds: float, summary: str) -> None:
        """A step is done."""


class Quiet:
    """Says nothing."""

    def begin(self, step: str) -> None:
        """Nothing."""

    def at(self, note: str) -> None:
        """Nothing."""

    def end(self, step: str, seconds: float, summary: str) -> None:
        """Nothing."""


class Stopwatch:
    """Times steps for a Progress; `seconds` keeps each step's time, in order."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}
        self._summary = ""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One step; what `say` was given last stands behind it."""
        self._summary = ""
        self.progress.begin(name)
        start = time.monotonic()
        yield
        spent = time.monotonic() - start
        self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 3)
        self.progress.end(name, spent, self._summary)

    def say(self, summary: str) -> None:
        """What came of the step that runs now."""
        self._summary = summary
