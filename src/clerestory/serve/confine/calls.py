"""The system calls that a worker may make, by processor; whatever is not here is refused.

A worker reads files, sends and receives on connections that it accepted, writes to pipes that it inherited,
keeps memory, threads and time. It opens no socket, starts no program or process, and changes no file.
Numbers: the kernel's syscall_64.tbl and asm-generic/unistd.h.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OneOf:
    """The argument (0 to 5), as 32 bits, is one of these values."""

    argument: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """None of these bits is set in the argument."""

    argument: int
    bits: int


@dataclass(frozen=True, slots=True)
class With:
    """All of these bits are set in the argument."""

    argument: int
    bits: int


@dataclass(frozen=True, slots=True)
class Null:
    """The argument, as 64 bits, is 0."""

    argument: int


Test = OneOf | Without | With | Null


@dataclass(frozen=True, slots=True)
class Machine:
    """A processor: its number in the kernel's audit, and its number of each system call."""

    audit: int
    numbers: Mapping[str, int]


_X86_64 = Machine(
    0xC000003E,
    {
        "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7,
        "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13,
        "rt_sigprocmask": 14, "rt_sigreturn": 15, "ioctl": 16, "pread64": 17, "readv": 19, "writev": 20,
        "select": 23, "sched_yield": 24, "mremap": 25, "madvise": 28, "dup": 32, "nanosleep": 35,
        "getpid": 39, "sendfile": 40, "accept": 43, "sendto": 44, "recvfrom": 45, "sendmsg": 46,
        "recvmsg": 47, "shutdown": 48, "getsockname": 51, "getpeername": 52, "setsockopt": 54,
        "getsockopt": 55, "clone": 56, "exit": 60, "uname": 63, "fcntl": 72, "getcwd": 79, "readlink": 89,
        "gettimeofday": 96, "getrusage": 98, "sysinfo": 99, "times": 100, "getuid": 102, "getgid": 104,
        "geteuid": 107, "getegid": 108, "getppid": 110, "rt_sigtimedwait": 128, "sigaltstack": 131,
        "gettid": 186, "futex": 202, "sched_getaffinity": 204, "getdents64": 217, "restart_syscall": 219,
        "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
        "epoll_wait": 232, "epoll_ctl": 233, "tgkill": 234, "openat": 257, "newfstatat": 262,
        "readlinkat": 267, "pselect6": 270, "ppoll": 271, "set_robust_list": 273, "epoll_pwait": 281,
        "accept4": 288, "epoll_create1": 291, "preadv": 295, "prlimit64": 302, "getcpu": 309,
        "getrandom": 318, "membarrier": 324, "preadv2": 327, "statx": 332, "rseq": 334, "clone3": 435,
        "epoll_pwait2": 441,
    },
)  # fmt: skip
_AARCH64 = Machine(
    0xC00000B7,
    {
        "getcwd": 17, "epoll_create1": 20, "epoll_ctl": 21, "epoll_pwait": 22, "dup": 23, "fcntl": 25,
        "ioctl": 29, "openat": 56, "close": 57, "getdents64": 61, "lseek": 62, "read": 63, "write": 64,
        "readv": 65, "writev": 66, "pread64": 67, "preadv": 69, "sendfile": 71, "pselect6": 72, "ppoll": 73,
        "readlinkat": 78, "newfstatat": 79, "fstat": 80, "exit": 93, "exit_group": 94, "futex": 98,
        "set_robust_list": 99, "nanosleep": 101, "clock_gettime": 113, "clock_getres": 114,
        "clock_nanosleep": 115, "sched_getaffinity": 123, "sched_yield": 124, "restart_syscall": 128,
        "tgkill": 131, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135,
        "rt_sigtimedwait": 137, "rt_sigreturn": 139, "times": 153, "uname": 160, "getrusage": 165,
        "getcpu": 168, "gettimeofday": 169, "getpid": 172, "getppid": 173, "getuid": 174, "geteuid": 175,
        "getgid": 176, "getegid": 177, "gettid": 178, "sysinfo": 179, "accept": 202, "getsockname": 204,
        "getpeername": 205, "sendto": 206, "recvfrom": 207, "setsockopt": 208, "getsockopt": 209,
        "shutdown": 210, "sendmsg": 211, "recvmsg": 212, "brk": 214, "munmap": 215, "mremap": 216,
        "clone": 220, "mmap": 222, "mprotect": 226, "madvise": 233, "accept4": 242, "prlimit64": 261,
        "getrandom": 278, "membarrier": 283, "preadv2": 286, "statx": 291, "rseq": 293, "clone3": 435,
        "epoll_pwait2": 441,
    },
)  # fmt: skip
MACHINES = {"x86_64": _X86_64, "aarch64": _AARCH64}
NEWEST = 450
"""Calls above it are newer than the list: 'no such call', so that the C library takes an older one."""
MISSING = frozenset({"clone3"})
"""Answered with 'no such call' too: its flags lie in memory, where a filter cannot look."""

_WRITING = 0o3 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
_TEMPORARY = 0o20000000  # O_TMPFILE without O_DIRECTORY
_EXECUTABLE = 0x4
_THREAD = 0x10000
_FAST_OPEN = 0x20000000
_SOL_SOCKET, _SO_LINGER, _IPPROTO_TCP, _TCP_NODELAY = 1, 13, 6, 1
_NO_WAIT, _BYTES_READABLE, _NOT_CONFIRMED, _NOT_SENT, _CLOSE_ON_EXEC = (
    0x5421,
    0x541B,
    0x5411,
    0x894B,
    0x5451,
)

TESTS: Mapping[str, tuple[Test, ...]] = {
    # Landlock refuses these too; two walls, so that a fault in one opens nothing.
    "open": (Without(1, _WRITING | _TEMPORARY),),
    "openat": (Without(2, _WRITING | _TEMPORARY),),
    # No memory becomes code: what runs is what was loaded before.
    "mmap": (Without(2, _EXECUTABLE),),
    "mprotect": (Without(2, _EXECUTABLE),),
    "clone": (With(0, _THREAD),),
    # Sending without an address goes where the connection goes. sendmsg's address lies in memory, but every
    # socket here is connected, listening, or one half of a pair: the kernel ignores or refuses it.
    "sendto": (Null(4), Without(3, _FAST_OPEN)),
    "sendmsg": (Without(2, _FAST_OPEN),),
    "setsockopt": (OneOf(1, (_SOL_SOCKET, _IPPROTO_TCP)), OneOf(2, (_SO_LINGER, _TCP_NODELAY))),
    "ioctl": (OneOf(1, (_NO_WAIT, _BYTES_READABLE, _NOT_CONFIRMED, _NOT_SENT, _CLOSE_ON_EXEC)),),
    "fcntl": (OneOf(1, (0, 1, 2, 3, 4, 1030)),),  # duplicate, and read or set the descriptor's flags
    "prlimit64": (Null(2),),
}
"""What must hold of the arguments; a call without a line may have any."""
