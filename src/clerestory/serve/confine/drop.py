"""What a worker gives up before the kernel holds it: user and groups, core dumps, capabilities, plenty."""

from __future__ import annotations

import ctypes
import os
import pwd
import resource

from clerestory.errors import InputError
from clerestory.serve.confine.system import PR_SET_DUMPABLE, linux, prctl, syscall

NOBODY = "nobody"
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522

FILES = 4096
"""Descriptors that a worker may have open: its connections, and the files it sends."""
_THREADS_AND_LIBRARIES = 2 << 30
"""Bytes of addresses, most of them never memory: thread stacks, allocation arenas, loaded libraries."""


def account(name: str) -> tuple[int, int] | None:
    """User and group number to become; None if this process is not root and so cannot change.

    Raises InputError if there is no such account, or it is root.
    """
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        raise InputError(
            "there is no such account", where=f"--user {name}", fix="name an account that owns nothing"
        ) from None
    if found.pw_uid == 0:
        raise InputError(
            "workers never run as root", where=f"--user {name}", fix="name an account that owns nothing"
        )
    return found.pw_uid, found.pw_gid


def limit(memory: int) -> None:
    """Bounds what the process may use, for ever. memory: bytes of contents kept.

    Nothing is written to files, not even a core dump; a fork is refused by the filter of calls, which unlike
    a limit on processes does not count those that others run under the same account.
    """
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_AS, _THREADS_AND_LIBRARIES + 4 * memory),
    ):
        hard = resource.getrlimit(what)[1]
        bounded = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bounded, bounded))


def become(numbers: tuple[int, int] | None) -> None:
    """Becomes that user and group, with no other groups; nothing else may look into the process's memory."""
    if numbers is not None:
        user, group = numbers
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    if linux():
        prctl(PR_SET_DUMPABLE, 0)


def renounce(machine: str) -> None:
    """Gives up every capability, which an account that is not root may have been given too."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    syscall(_CAPSET[machine], ctypes.byref(header), ctypes.byref(nothing))
