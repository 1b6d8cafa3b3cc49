"""What reading one file found: how much was accounted for, and what was not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST = 5
"""Problems kept of one file; one is enough to refuse, some more help to see the cause."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something unaccounted for: file, place in it, and the rule it breaks. Never the number itself."""

    file: str
    place: str
    rule: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.file}, {self.place}: {self.rule}"


class Stop(Exception):
    """Reading one file ends here: it cannot be read on, or enough problems were found."""


@dataclass
class Tally:
    """Counts of one file. cells: distinct (table, data-cell) met; prose and printed: texts with digits."""

    file: str
    numbers: int = 0
    cells: set[tuple[str, str]] = field(default_factory=set)
    prose: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, place: str, rule: str) -> None:
        """Adds a problem. Raises Stop when there are enough."""
        self.problems.append(Problem(self.file, place, rule))
        if len(self.problems) >= MOST:
            raise Stop

    def stop(self, place: str, rule: str) -> Stop:
        """Adds a problem after which the file cannot be read on; raise what it returns."""
        self.problems.append(Problem(self.file, place, rule))
        return Stop()


@contextmanager
def until_stopped() -> Iterator[None]:
    """Ends quietly where reading was stopped; the problems are in the tally."""
    try:
        yield
    except Stop:
        return
