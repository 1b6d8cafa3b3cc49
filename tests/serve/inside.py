"""What a held process tries. Each returns something, or raises OSError as the kernel refuses."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import resource
import socket
import subprocess
import threading
from pathlib import Path

LIBRARY = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: int) -> int:
    """A system call by number."""
    result: int = LIBRARY.syscall(
        ctypes.c_long(number), *(ctypes.c_ulong(argument) for argument in arguments)
    )
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def read(file: str) -> str:
    return Path(file).read_text()


def listed(folder: str) -> list[str]:
    return sorted(found.name for found in Path(folder).iterdir())


def write(file: str) -> int:
    return Path(file).write_text("x")


def append(file: str) -> str:
    with Path(file).open("a"):
        return "opened"


def cut_short(file: str) -> str:
    os.truncate(file, 0)
    return "truncated"


def remove(file: str) -> str:
    Path(file).unlink()
    return "removed"


def rename(file: str) -> str:
    Path(file).rename(file + ".new")
    return "renamed"


def link(file: str) -> str:
    Path(file).symlink_to("/etc/passwd")
    return "linked"


def hard_link(file: str) -> str:
    os.link(file, file + ".new")
    return "linked"


def change_mode(file: str) -> str:
    Path(file).chmod(0o777)
    return "changed"


def tcp(port: int) -> str:
    socket.socket(socket.AF_INET).connect(("127.0.0.1", port))
    return "connected"


def udp(port: int) -> str:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port))
    return "sent"


def unix(path: str) -> str:
    socket.socket(socket.AF_UNIX).connect(path)
    return "connected"


def abstract(name: str) -> str:
    socket.socket(socket.AF_UNIX).connect("\0" + name)
    return "connected"


def listen() -> str:
    socket.socket(socket.AF_INET).listen()
    return "listens"


def pair() -> str:
    socket.socketpair()
    return "paired"


def run() -> str:
    os.execv("/bin/true", ["true"])
    return "ran"


def popen() -> str:
    subprocess.run(["/bin/true"], check=True)
    return "ran"


def fork() -> str:
    if os.fork() == 0:
        os._exit(0)
    return "forked"


def signal_parent() -> str:
    os.kill(os.getppid(), 0)
    return "signalled"


def trace() -> int:
    return call(101, 16, os.getppid(), 0, 0)  # PTRACE_ATTACH


def numbered(number: int) -> int:
    return call(number, 0, 0, 0, 0, 0, 0)


def executable_memory() -> str:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    return "mapped"


def raise_limit() -> str:
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    except ValueError:  # how Python says EPERM here
        raise OSError(errno.EPERM, "") from None
    return "raised"


def threads() -> list[str]:
    """Threads start, and are held as well."""
    found: list[str] = []

    def look() -> None:
        try:
            found.append(Path("/etc/passwd").read_text()[:4])
        except OSError as problem:
            found.append(f"errno {problem.errno}")

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return found


def each(calls: list[list[object]]) -> list[object]:
    """Several of these in one process: what each returned, or the number of its error, negative."""
    found: list[object] = []
    for name, *arguments in calls:
        try:
            found.append(globals()[str(name)](*arguments))
        except OSError as problem:
            found.append(-(problem.errno or 0))
    return found


def facts() -> dict[str, object]:
    return {
        "user": os.getuid(),
        "effective": os.geteuid(),
        "group": os.getgid(),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "size": resource.getrlimit(resource.RLIMIT_FSIZE),
    }
