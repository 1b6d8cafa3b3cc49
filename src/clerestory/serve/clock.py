"""Where the log's time comes from, so that an investigation knows how far to trust it."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_UNSYNCHRONISED = 0x40  # STA_UNSYNC of the kernel's clock
_ERROR = 5  # TIME_ERROR


class _Timex(ctypes.Structure):
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("maximum_error", ctypes.c_long),
        ("estimated_error", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def synchronised() -> bool:
    """Whether the kernel says that its clock follows a time server; False where it cannot be asked."""
    if sys.platform != "linux":
        return False
    asked = _Timex()
    state: int = ctypes.CDLL(None).adjtimex(ctypes.byref(asked))
    return 0 <= state != _ERROR and not asked.status & _UNSYNCHRONISED


def source() -> str:
    """The clock that counts: the system's, by the hardware that drives it."""
    return f"system clock, {_read('/sys/devices/system/clocksource/clocksource0/current_clocksource')}"


def boot() -> str:
    """Which start of the machine `monotonic` counts from."""
    return _read("/proc/sys/kernel/random/boot_id")


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
