"""The C library's doors to the kernel that Python has none for: prctl and system calls by number."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache

MACHINE = platform.machine()
"""What the kernel calls this processor: x86_64, aarch64 …"""

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def linux() -> bool:
    """Whether this is Linux, the only system whose kernel can hold a worker."""
    return sys.platform == "linux"


def prctl(option: int, *arguments: int | ctypes.Array[ctypes.c_char] | object) -> None:
    """One prctl. Raises OSError."""
    filled = (*arguments, 0, 0, 0, 0)[:4]
    if _library().prctl(option, *(_word(argument) for argument in filled)) != 0:
        raise _failed()


def syscall(number: int, *arguments: int | object) -> int:
    """One system call; its result. Raises OSError."""
    result: int = _library().syscall(ctypes.c_long(number), *(_word(argument) for argument in arguments))
    if result < 0:
        raise _failed()
    return result


def _word(argument: object) -> object:
    # Without a type, ctypes would pass 32 bits and leave the rest of the register to chance.
    return ctypes.c_ulong(argument) if isinstance(argument, int) else argument


def _failed() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
