"""The filter of calls, run by an interpreter of its own on made-up calls, for both processors."""

from __future__ import annotations

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerestory.serve.confine import calls
from clerestory.serve.confine.seccomp import ALLOW, DENY, KILL, Instruction, program

PROCESS = 4711
EPERM, ENOSYS = DENY | errno.EPERM, DENY | errno.ENOSYS
MACHINES = sorted(calls.MACHINES)


def decided(code: list[Instruction], audit: int, number: int, *arguments: int) -> int:
    """What the kernel would do: classic BPF, as linux/filter.h and seccomp's data define it."""
    filled = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, audit, 0, *(a & (2**64 - 1) for a in filled))
    at, held = 0, 0
    while True:
        what, true, false, constant = code[at]
        at += 1
        if what == 0x20:
            (held,) = struct.unpack_from("<I", data, constant)
        elif what == 0x06:
            return constant
        else:
            holds = {0x15: held == constant, 0x25: held > constant, 0x45: bool(held & constant)}[what]
            at += true if holds else false


def verdict(machine: str, name: str, *arguments: int) -> int:
    known = calls.MACHINES[machine]
    return decided(program(machine, PROCESS), known.audit, known.numbers[name], *arguments)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_kernel_would_take_it(machine: str) -> None:
    code = program(machine, PROCESS)
    assert len(code) < 4096
    for at, (what, true, false, constant) in enumerate(code):
        assert 0 <= true < 256 and 0 <= false < 256 and 0 <= constant < 2**32
        if what not in (0x20, 0x06):
            assert at + 1 + max(true, false) < len(code)
    assert code[-1][0] == 0x06


@pytest.mark.parametrize("machine", MACHINES)
def test_another_processors_calls_kill(machine: str) -> None:
    code = program(machine, PROCESS)
    for audit in (0, 0x40000003, *(calls.MACHINES[other].audit for other in MACHINES if other != machine)):
        assert decided(code, audit, 0) == KILL
    assert decided(code, calls.MACHINES[machine].audit, 0x40000000 | 59) == KILL


@pytest.mark.parametrize("machine", MACHINES)
@given(number=st.integers(0, 2**32 - 1), arguments=st.tuples(*[st.integers(0, 2**64 - 1)] * 6))
def test_only_calls_of_the_list_are_ever_allowed(
    machine: str, number: int, arguments: tuple[int, ...]
) -> None:
    known = calls.MACHINES[machine]
    found = decided(program(machine, PROCESS), known.audit, number, *arguments)
    if number not in known.numbers.values():
        assert found in (EPERM, ENOSYS, KILL)
        assert found == EPERM or number > calls.NEWEST


@pytest.mark.parametrize("machine", MACHINES)
def test_arguments_decide(machine: str) -> None:
    def one(name: str, *arguments: int) -> int:
        return verdict(machine, name, *arguments)

    assert one("read", 3) == one("accept4", 3) == one("exit_group", 0) == ALLOW
    assert one("clone3", 0) == ENOSYS
    assert one("clone", 0x3D0F00) == ALLOW and one("clone", 0x1200011) == EPERM and one("clone", 17) == EPERM
    assert one("openat", -100, 0, 0o2000000) == ALLOW
    for flags in (1, 2, 0o100, 0o1000, 0o101, 0o20000000, 0o2000002):
        assert one("openat", -100, 0, flags) == EPERM
    assert (
        one("mmap", 0, 4096, 3) == ALLOW
        and one("mmap", 0, 4096, 5) == EPERM
        and one("mmap", 0, 4096, 7) == EPERM
    )
    assert one("mprotect", 0, 4096, 3) == ALLOW and one("mprotect", 0, 4096, 4) == EPERM
    assert one("sendto", 5, 1, 1, 0x4000, 0, 0) == ALLOW
    assert one("sendto", 5, 1, 1, 0, 1 << 32, 16) == EPERM, "the upper half of an address counts"
    assert one("sendto", 5, 1, 1, 0, 0x7000, 16) == EPERM
    assert one("sendto", 5, 1, 1, 0x20000000, 0, 0) == one("sendmsg", 5, 1, 0x20000000) == EPERM
    assert one("ioctl", 5, 0x5421) == ALLOW and one("ioctl", 5, 0x5412) == EPERM, "no typing into terminals"
    assert one("fcntl", 5, 4) == ALLOW and one("fcntl", 5, 8) == EPERM
    assert one("setsockopt", 5, 1, 13) == ALLOW and one("setsockopt", 5, 1, 26) == EPERM
    assert one("prlimit64", 0, 7, 0) == ALLOW and one("prlimit64", 0, 7, 0x7000) == EPERM
    assert one("tgkill", PROCESS, 1, 6) == ALLOW and one("tgkill", PROCESS + 1, 1, 6) == EPERM


def test_both_processors_have_the_same_list() -> None:
    """But for calls that only older processors have."""
    ours, theirs = (set(calls.MACHINES[machine].numbers) for machine in ("x86_64", "aarch64"))
    assert theirs <= ours
    assert ours - theirs == {"open", "stat", "lstat", "poll", "select", "readlink", "epoll_wait"}


def test_numbers_are_those_of_this_kernels_headers() -> None:
    import re
    from pathlib import Path

    for machine, header, pattern in (
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", r"#define __NR_(\w+) (\d+)"),
        ("aarch64", "/usr/include/asm-generic/unistd.h", r"#define __NR(?:3264)?_(\w+) (\d+)"),
    ):
        file = Path(header)
        if not file.exists():
            continue  # libc's headers are not needed to serve
        found = {name: int(number) for name, number in re.findall(pattern, file.read_text())}
        found.setdefault("newfstatat", found.get("fstatat", -1))
        wrong = {n: v for n, v in calls.MACHINES[machine].numbers.items() if found.get(n) != v}
        assert not wrong, machine
