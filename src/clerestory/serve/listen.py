"""A port to listen on: the one asked for, or the next that is free."""

from __future__ import annotations

import errno
import socket

from clerestory.errors import InputError

TRIES = 20
"""Ports tried, the first one included."""


def listen(host: str, port: int, *, tries: int = TRIES) -> socket.socket:
    """A socket that listens on the first free port from `port` on; 0 takes any.

    Bound, not only looked at: nobody can take the port before the server starts.
    Raises InputError if none of the ports is free or the host is not this machine's.
    """
    try:
        family, kind, protocol, _, _ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        raise InputError("the host name is not known", where=f"--host {host}", fix="use 127.0.0.1") from None
    for candidate in range(port, min(port + tries, 65_536)) if port else (0,):
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, candidate))
            bound.listen(512)
        except OSError as problem:
            bound.close()
            if problem.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise InputError(
                    "this machine has no such address", where=f"--host {host}", fix="use 127.0.0.1"
                ) from None
        else:
            return bound
    raise InputError(
        f"none of the ports {port} to {port + tries - 1} is free",
        where=f"--port {port}",
        fix="name another one",
    )


def free_port(host: str, port: int) -> int:
    """The port that listen() would take now."""
    with listen(host, port) as bound:
        number: int = bound.getsockname()[1]
    return number
