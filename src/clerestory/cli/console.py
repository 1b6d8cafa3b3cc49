"""What a terminal shows: progress while it works, lines elsewhere; errors as a message; the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.status import Status

from clerestory.errors import ClerestoryError, Problems, Refused, Undecided

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

UNEXPECTED = 3
"""Exit code of a bug: could not decide, never a pass."""


class Steps:
    """A Progress that shows the step at work on a terminal, and prints each step when it is done."""

    def __init__(self, console: Console = err) -> None:
        self._console = console
        self._status: Status | None = None
        self._step = ""

    def begin(self, step: str) -> None:
        """A step begins."""
        self._step = step
        if self._console.is_terminal:
            self._status = self._console.status(f"{step} …")
            self._status.start()

    def at(self, note: str) -> None:
        """What the step is at now; shown on a terminal only."""
        if self._status is not None:
            self._status.update(f"{self._step} … {note}")

    def end(self, step: str, seconds: float, summary: str) -> None:
        """A step is done."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        self._console.print(f"{seconds:7.1f} s  {step}" + (f": {summary}" if summary else ""), markup=False)

    def stop(self) -> None:
        """Takes the moving line off the terminal, however the work ended."""
        if self._status is not None:
            self._status.stop()
            self._status = None


def print_json(value: dict[str, Any]) -> None:
    """A report as JSON on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _kind(problem: ClerestoryError) -> str:
    if isinstance(problem, Refused):
        return "refused"
    return "undecided" if isinstance(problem, Undecided) else "error"


def problem_json(problem: ClerestoryError) -> dict[str, Any]:
    """The one JSON shape of an error."""
    parts = problem.problems if isinstance(problem, Problems) else (problem,)
    return {
        "kind": _kind(problem),
        "exit": problem.exit_code,
        "problems": [{"what": p.what, "where": p.where, "fix": p.fix} for p in parts],
    }


def show_problem(problem: ClerestoryError) -> None:
    """An error for a person, on standard error."""
    parts = problem.problems if isinstance(problem, Problems) else (problem,)
    for part in parts:
        head = f"{part.where}: " if part.where else ""
        err.print(f"{_kind(problem)}: {head}{part.what}", style="bold red", markup=False)
        if part.fix:
            err.print(f"  → {part.fix}", markup=False)
    if len(parts) > 1:
        err.print(f"{len(parts)} problems; nothing was changed.", markup=False)


@contextmanager
def answering(steps: Steps | None = None, *, as_json: bool = False) -> Iterator[None]:
    """Turns errors into a message and an exit code; the one place that exits.

    A bug ends as exit 3 and says which kind of exception it was and where in the code, never its text,
    which might hold a value from the records.
    """
    try:
        yield
    except ClerestoryError as problem:
        if steps:
            steps.stop()
        if as_json:
            print_json(problem_json(problem))
        else:
            show_problem(problem)
        raise SystemExit(problem.exit_code) from None
    except KeyboardInterrupt:
        if steps:
            steps.stop()
        err.print("stopped; nothing was changed", markup=False)
        raise SystemExit(130) from None
    except (SystemExit, BrokenPipeError):
        raise
    except Exception as bug:
        if steps:
            steps.stop()
        trace = bug.__traceback__
        place = ""
        while trace is not None:
            code = trace.tb_frame.f_code
            if "clerestory" in code.co_filename:
                place = f"{code.co_qualname}, line {trace.tb_lineno}"
            trace = trace.tb_next
        fault = Undecided(
            f"a fault in Clerestory: {type(bug).__name__} in {place or 'a library'}",
            fix="nothing was published; please report this line (it holds nothing from your records)",
        )
        if as_json:
            print_json(problem_json(fault))
        else:
            show_problem(fault)
        raise SystemExit(UNEXPECTED) from None
