"""Errors say what is wrong, where, and what to do. They never carry a value from the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class ClerestoryError(Exception):
    """A problem a person can act on; the command line turns it into a message and an exit code.

    what: the fact, in one sentence; where: file, line, key, table or cell; fix: what to do next.
    None of the three may hold a value from the records: name column, row number, count and rule instead.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what = what
        self.where = where
        self.fix = fix
        super().__init__(self.__str__())

    def __str__(self) -> str:
        """One line per part: where, what, fix."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n  {self.fix}" if self.fix else head


class InputError(ClerestoryError):
    """The call, the project files or a source are not as they must be. Exit 2."""


class Problems(InputError):
    """Several input problems, all listed in one go."""

    def __init__(self, problems: Sequence[ClerestoryError]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(problems)} problem{'s' if len(problems) != 1 else ''}")

    def __str__(self) -> str:
        """Every problem, in order."""
        return "\n".join(str(problem) for problem in getattr(self, "problems", ()))


class Refused(ClerestoryError):
    """The answer is no: publishing this would break a promise. Exit 1."""

    exit_code: ClassVar[int] = 1


class Undecided(ClerestoryError):
    """Out of time or memory, or a bug: never a pass. Exit 3."""

    exit_code: ClassVar[int] = 3
