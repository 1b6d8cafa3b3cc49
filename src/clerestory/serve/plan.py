"""How to serve, as it was asked for and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clerestory.serve.addresses import Addresses


@dataclass(frozen=True, slots=True)
class Plan:
    """How to serve. releases: the folder of releases, which workers are left to read.

    log: the folder of the log, or None for no log. user: numbers that workers become, if this is root.
    confined: whether the kernel holds the workers.
    """

    releases: Path
    workers: int
    memory: int
    max_age: int
    confined: bool
    user: tuple[int, int] | None
    log: Path | None
    addresses: Addresses
    keep_days: int
    proxy: str
