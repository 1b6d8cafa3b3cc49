"""From inside a worker: the confidential folder unreadable, nothing writable, no way out, no program."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clerestory.errors import InputError, Refused
from clerestory.serve import confine, serve
from clerestory.serve.confine import drop, landlock, obstacle
from clerestory.serve.state import Links
from tests.serve import inside
from tests.serve.confined import held

REFUSED = (-errno.EPERM, -errno.EACCES)


@pytest.fixture(autouse=True)
def able() -> None:
    """The tests need a kernel that can hold a process; where it cannot, that is what is tested instead."""
    assert not obstacle(), "these tests need Linux 5.13 or newer, with Landlock"


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A folder of releases, with a confidential one beside it; all of it open to everyone by its modes."""
    for name in ("releases/r-1", "confidential"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text(name)
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o777)
    for parent in tmp_path.parents:
        if parent.stat().st_uid == os.getuid() and parent != Path(parent.anchor):
            parent.chmod(parent.stat().st_mode | 0o111)
    return tmp_path


def tried(folders: Path, *calls: tuple[object, ...]) -> list[object]:
    """What came of each call inside; its error's number, negative, where the kernel refused it."""
    found = held(folders / "releases", inside.each, calls)
    assert isinstance(found, list)
    return found


def all_refused(folders: Path, *calls: tuple[object, ...]) -> bool:
    found = dict(zip(calls, tried(folders, *calls), strict=True))
    done = {call: said for call, said in found.items() if said not in REFUSED}
    assert not done, done
    return True


def test_releases_are_read_and_nothing_else(folders: Path) -> None:
    assert tried(folders, ("read", "r-1/file"), ("listed", ".")) == ["releases/r-1", ["r-1"]]
    files = (
        f"{folders}/confidential/file", "../confidential/file", "/etc/passwd", "/proc/self/environ",
        "/proc/self/maps", "/dev/null", os.path.realpath(__file__),
    )  # fmt: skip
    assert all_refused(folders, *(("read", file) for file in files))
    others = (f"{folders}/confidential", "..", "/", "/tmp", "/proc/self/fd")
    assert all_refused(folders, *(("listed", folder) for folder in others))


def test_a_link_planted_in_a_release_leads_nowhere(folders: Path) -> None:
    (folders / "releases/r-1/link").symlink_to(folders / "confidential/file")
    (folders / "releases/r-1/up").symlink_to(folders)
    assert all_refused(folders, ("read", "r-1/link"), ("read", "r-1/up/confidential/file"))


def test_nothing_is_changed(folders: Path) -> None:
    ways = ("write", "append", "cut_short", "remove", "rename", "hard_link", "change_mode")
    files = ("r-1/file", f"{folders}/confidential/file")
    assert all_refused(folders, *((way, file) for way in ways for file in files))
    assert all_refused(
        folders, *(("write", file) for file in ("r-1/new", "/tmp/clerestory-new", "/dev/shm/new"))
    )
    assert all_refused(folders, ("link", "r-1/new"))
    assert (folders / "releases/r-1/file").read_text() == "releases/r-1"


@pytest.fixture
def sinks(tmp_path: Path) -> Iterator[tuple[int, int, str]]:
    """A TCP port, a UDP port and a Unix socket that take whatever comes."""
    tcp, udp, unix = (
        socket.create_server(("127.0.0.1", 0)),
        socket.socket(type=socket.SOCK_DGRAM),
        socket.socket(socket.AF_UNIX),
    )
    udp.bind(("127.0.0.1", 0))
    path = str(tmp_path / "sink")
    unix.bind(path)
    unix.listen()
    Path(path).chmod(0o777)
    with tcp, udp, unix:
        yield tcp.getsockname()[1], udp.getsockname()[1], path


def test_there_is_no_way_out(folders: Path, sinks: tuple[int, int, str]) -> None:
    tcp, udp, unix = sinks
    ways = (("tcp", tcp), ("udp", udp), ("unix", unix), ("abstract", "clerestory"), ("listen",), ("pair",))
    assert all_refused(folders, *ways)


def test_no_program_and_no_process_is_started(folders: Path) -> None:
    assert all_refused(folders, ("run",), ("popen",), ("fork",), ("signal_parent",))


NUMBERS = {
    "x86_64": {
        "socket": 41, "connect": 42, "socketpair": 53, "bind": 49, "listen": 50, "vfork": 58, "execve": 59,
        "kill": 62, "truncate": 76, "mkdir": 83, "unlink": 87, "chmod": 90, "ptrace": 101, "mount": 165,
        "init_module": 175, "io_setup": 206, "mount_setattr": 442, "process_vm_readv": 310,
        "process_vm_writev": 311, "bpf": 321, "execveat": 322, "open_by_handle_at": 304, "unshare": 272,
        "setns": 308, "memfd_create": 319, "userfaultfd": 323, "io_uring_setup": 425, "pidfd_open": 434,
        "pidfd_getfd": 438, "openat2": 437, "process_madvise": 440, "keyctl": 250, "perf_event_open": 298,
        "setuid": 105, "prctl": 157, "sendmmsg": 307, "fsopen": 430,
    },
    "aarch64": {
        "socket": 198, "connect": 203, "socketpair": 199, "bind": 200, "listen": 201, "execve": 221,
        "kill": 129, "truncate": 45, "ptrace": 117, "mount": 40, "process_vm_readv": 270, "bpf": 280,
        "execveat": 281, "open_by_handle_at": 265, "unshare": 97, "setns": 268, "memfd_create": 279,
        "io_uring_setup": 425, "pidfd_getfd": 438, "openat2": 437, "keyctl": 219, "setuid": 146,
        "prctl": 167,
    },
}  # fmt: skip


def test_calls_that_are_not_on_the_list_are_refused(folders: Path) -> None:
    numbers = NUMBERS[os.uname().machine]
    found = tried(folders, *(("numbered", number) for number in numbers.values()))
    assert {name for name, said in zip(numbers, found, strict=True) if said != -errno.EPERM} == set()
    newer = tried(folders, *(("numbered", number) for number in (435, 451, 460, 500, 9999)))
    assert newer == [-errno.ENOSYS] * 5


def test_memory_does_not_become_code_and_limits_stay(folders: Path) -> None:
    assert all_refused(folders, ("executable_memory",), ("raise_limit",))


def test_threads_are_held_too(folders: Path) -> None:
    (found,) = held(folders / "releases", inside.threads)
    assert found == f"errno {errno.EACCES}"


def test_privileges_are_gone(folders: Path) -> None:
    found = held(folders / "releases", inside.facts)
    assert found["core"] == [0, 0] and found["size"] == [0, 0]
    assert found["user"] == found["effective"] != 0
    assert found["group"] != 0


def test_workers_never_run_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(InputError, match="never run as root"):
        drop.account("root")
    with pytest.raises(InputError, match="no such account"):
        drop.account("nobody-of-that-name")


def test_without_the_kernels_hold_the_server_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, publish: object
) -> None:
    assert callable(publish)
    publish()
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    assert "no Landlock" in confine.obstacle()
    with pytest.raises(Refused, match="no Landlock") as refused:
        serve(tmp_path, port=0, source=Links(tmp_path / "releases"))
    assert "--unconfined" in refused.value.fix
    with pytest.raises(Refused, match="answers this machine only"):
        serve(tmp_path, host="0.0.0.0", port=0, unconfined=True, source=Links(tmp_path / "releases"))
    assert threading.active_count() == 1


def test_every_abi_denies_all_that_it_knows() -> None:
    assert landlock.rights(1) == (0x1FFF, 0, 0)
    assert landlock.rights(2) == (0x3FFF, 0, 0)
    assert landlock.rights(3) == (0x7FFF, 0, 0)
    assert landlock.rights(4) == (0x7FFF, 3, 0)
    assert landlock.rights(5) == (0xFFFF, 3, 0)
    assert landlock.rights(6) == landlock.rights(7) == (0xFFFF, 3, 3)
