"""What a held process tries against itself before it serves: each must be refused by the kernel."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator
from functools import partial

_OTHERS = ("/etc/passwd", "/proc/self/environ", "/")
_REFUSALS = (errno.EPERM, errno.EACCES)


def _attempts(listener: socket.socket | None) -> Iterator[tuple[str, Callable[[], object]]]:
    for file in _OTHERS:
        yield f"opened {file}", partial(os.open, file, os.O_RDONLY)
    for folder in (".", "/tmp", "/dev/shm"):  # noqa: S108
        path = f"{folder}/clerestory-trial-{os.getpid()}"
        yield f"made a file in {folder}", partial(os.open, path, os.O_WRONLY | os.O_CREAT)
    yield "made a folder", partial(os.mkdir, "clerestory-trial")
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
            yield "opened a socket", partial(socket.socket, family, kind)
    yield "opened a pair of sockets", socket.socketpair
    if listener is not None:
        yield "connected the socket that listens", partial(listener.connect, listener.getsockname())
    yield "looked into another process", partial(os.kill, os.getppid(), 0)
    yield "started a process", _forked
    yield "ran a program", partial(os.execv, "/bin/true", ["true"])


def _forked() -> None:
    if os.fork() == 0:
        os._exit(0)


def failures(listener: socket.socket | None) -> list[str]:
    """What the process could do although it is held; empty if the kernel refused everything.

    A program that could be run would take the process's place, which then never says that it is ready.
    """
    done = []
    for what, attempt in _attempts(listener):
        try:
            attempt()
        except OSError as problem:
            if problem.errno in _REFUSALS:
                continue
        done.append(what)
    return done
