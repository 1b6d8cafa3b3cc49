"""HiGHS on one thread that writes nothing: standard output is for reports."""

from __future__ import annotations

import highspy


class _Quiet(highspy.Highs):  # type: ignore[misc]
    """HiGHS writes who it is as soon as a callback is set, which its constructor does."""

    def enableCallbacks(self) -> None:  # noqa: N802
        """Sets the callbacks, silently."""
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()


def quiet_solver() -> highspy.Highs:
    """A solver with no model."""
    solver = _Quiet()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    return solver
