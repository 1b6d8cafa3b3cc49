"""The filter of system calls, assembled for the kernel's packet-filter machine.

Source: the kernel's Documentation/userspace-api/seccomp_filter.rst, and linux/filter.h for the instructions.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from clerestory.serve.confine import calls
from clerestory.serve.confine.system import PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, prctl

KILL = 0x80000000
ALLOW = 0x7FFF0000
DENY = 0x00050000
"""With an errno in its low 16 bits."""
_LOAD, _EQUAL, _GREATER, _SET, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000
_FILTER_MODE = 2

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, constant."""


def program(machine: str, process: int) -> list[Instruction]:
    """The filter for a processor of calls.MACHINES; signals may go to `process` alone, which is the worker.

    Another processor's calls, and x86_64's with 32-bit pointers, kill: their numbers mean something else.
    """
    known = calls.MACHINES[machine]
    tests = {**calls.TESTS, "tgkill": (calls.OneOf(0, (process,)),)}
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, known.audit),
        (_RETURN, 0, 0, KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_GREATER, 0, 1, _X32 - 1),
        (_RETURN, 0, 0, KILL),
    ]
    for name, number in known.numbers.items():
        if name in calls.MISSING:
            body = [(_RETURN, 0, 0, DENY | errno.ENOSYS)]
        else:
            checks = [step for test in tests.get(name, ()) for step in _check(test)]
            body = [*checks, (_RETURN, 0, 0, ALLOW)]
        code += [(_EQUAL, 0, len(body), number), *body]
    code += [
        (_GREATER, 0, 1, calls.NEWEST),
        (_RETURN, 0, 0, DENY | errno.ENOSYS),
        (_RETURN, 0, 0, DENY | errno.EPERM),
    ]
    return code


def _check(test: calls.Test) -> list[Instruction]:
    """Goes on after itself if the test holds, else refuses."""
    low = _ARGUMENTS + 8 * test.argument  # both processors are little-endian
    refuse = (_RETURN, 0, 0, DENY | errno.EPERM)
    match test:
        case calls.OneOf(values=values):
            last = len(values)
            compared = [(_EQUAL, last - at, 0, value) for at, value in enumerate(values)]
            return [(_LOAD, 0, 0, low), *compared, refuse]
        case calls.Without(bits=bits):
            return [(_LOAD, 0, 0, low), (_SET, 0, 1, bits), refuse]
        case calls.With(bits=bits):
            single = [bit for bit in (1 << at for at in range(32)) if bits & bit]
            steps = [(_LOAD, 0, 0, low)]
            for bit in single:
                steps += [(_SET, 1, 0, bit), refuse]
            return steps
        case calls.Null():
            both = [(_LOAD, 0, 0, low), (_EQUAL, 1, 0, 0), refuse]
            return [*both, (_LOAD, 0, 0, low + 4), (_EQUAL, 1, 0, 0), refuse]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def restrict(machine: str) -> None:
    """Holds this process and its later threads, for ever, to the calls of the list. Raises OSError."""
    code = b"".join(struct.pack("=HBBI", *step) for step in program(machine, os.getpid()))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(_Program(len(code) // 8, code)))
