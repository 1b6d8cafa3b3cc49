"""Landlock: of all files, a process may read those below the folders it names, and may write none.

Source: the kernel's Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Iterable

from clerestory.serve.confine.system import PR_SET_NO_NEW_PRIVS, linux, prctl, syscall

# The same on every processor, as all system calls since 2019.
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""ABI -> how many rights to files it knows, from bit 0 on; 4 and 6 added none."""
_NET = 4
"""ABI that knows the rights to bind and to connect by TCP (bits 0 and 1)."""
_SCOPE = 6
"""ABI that can cut off abstract Unix sockets and signals to outsiders (bits 0 and 1)."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """The version of Landlock that this kernel enforces; 0 if it enforces none."""
    if not linux():
        return 0
    try:
        return syscall(_CREATE, None, 0, _ASK_VERSION)
    except OSError as problem:
        if problem.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
            return 0
        raise


def rights(version: int) -> tuple[int, int, int]:
    """All that this version can deny: rights to files, to the network, and scopes, as bits.

    Rights that a later version adds are unknown here and so are not denied; the system-call filter is the
    second wall.
    """
    files = max((count for since, count in _RIGHTS.items() if since <= version), default=0)
    return (1 << files) - 1, 3 if version >= _NET else 0, 3 if version >= _SCOPE else 0


def restrict(readable: Iterable[int]) -> int:
    """Holds this process, for ever, to reading below these open folders; returns the ABI that does.

    No file can be written, made, removed or run; no TCP port bound or connected to, no abstract socket or
    process outside reached, as far as the ABI knows these. Threads that run already are not held.
    Raises OSError if the kernel cannot.
    """
    version = abi()
    if version < 1:
        raise OSError(errno.EOPNOTSUPP, "the kernel has no Landlock")
    asked = _Ruleset(*rights(version))
    size = ctypes.sizeof(_Ruleset) if version >= _SCOPE else 16 if version >= _NET else 8
    ruleset = syscall(_CREATE, ctypes.byref(asked), size, 0)
    for folder in readable:
        rule = _Beneath(_READ_FILE | _READ_DIR, folder)
        syscall(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    syscall(_RESTRICT, ruleset, 0)
    return version
