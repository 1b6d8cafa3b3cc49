"""Holds a worker for ever: it reads the releases, answers on connections it was given, and can do no more."""

from __future__ import annotations

import os
import signal
import socket
from dataclasses import dataclass

from clerestory.errors import Refused
from clerestory.serve.confine import drop, landlock, seccomp, trial
from clerestory.serve.confine.calls import MACHINES
from clerestory.serve.confine.system import MACHINE, PR_SET_PDEATHSIG, linux, prctl

__all__ = ["WITHOUT", "Held", "confine", "obstacle"]

WITHOUT = (
    "serve from a Linux with Landlock (5.13 or newer); or look at the site here alone, with --unconfined"
)
"""What to do where the kernel cannot hold a worker."""
_SECCOMP = "/proc/sys/kernel/seccomp/actions_avail"


@dataclass(frozen=True, slots=True)
class Held:
    """What holds this process: the ABI of Landlock, and the user number."""

    landlock: int
    user: int


def obstacle() -> str:
    """Why this machine cannot hold a worker; empty if it can."""
    if not linux():
        return "only Linux can hold a worker to what it may do"
    if MACHINE not in MACHINES:
        return f"there is no list of system calls for {MACHINE}"
    if landlock.abi() < 1:
        return "the kernel has no Landlock, or it is switched off"
    if not os.path.exists(_SECCOMP):  # noqa: PTH110
        return "the kernel has no filter of system calls"
    return ""


def confine(
    folder: int, *, user: tuple[int, int] | None, memory: int, listener: socket.socket | None
) -> Held:
    """Leaves this process the folder, open under this descriptor, to read and to be in; then tries the walls.

    user: numbers to become, if root. memory: bytes of contents that it will keep. listener: the socket it
    accepts on. To be called before any thread starts; everything that is imported must be so by now. From
    here on the process dies with its parent.
    Raises Refused if the kernel cannot hold it or one of the walls does not stand; it must then end.
    """
    problem = obstacle()
    if not problem:
        try:
            os.fchdir(folder)
            drop.limit(memory)
            drop.become(user)
            drop.renounce(MACHINE)
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            version = landlock.restrict([folder])
            seccomp.restrict(MACHINE)
        except OSError as failed:
            problem = f"the kernel refused to hold a worker: {failed.strerror}"
    if not problem:
        done = trial.failures(listener)
        if not done:
            return Held(version, os.getuid())
        problem = "a worker that should be held " + ", ".join(done)
    raise Refused(problem, where="serve", fix=WITHOUT)
