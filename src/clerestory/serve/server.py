"""Starts the server: finds the releases, the port, the log and the account, and refuses what is not safe."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from pathlib import Path

from clerestory.errors import InputError, Refused
from clerestory.release.ledger import NAME as LEDGER
from clerestory.release.verify import open_release, verify_digests
from clerestory.serve import access_log, confine
from clerestory.serve.addresses import KEEP_DAYS, Addresses, plain
from clerestory.serve.confine import drop
from clerestory.serve.listen import listen
from clerestory.serve.plan import Plan
from clerestory.serve.state import ByLedger, Live, Nothing, Source, Withdrawn
from clerestory.serve.supervisor import Supervisor

MAX_AGE = 60
"""Seconds for which caches may keep what can be withdrawn."""


def root_of(folder: Path) -> Path:
    """The folder with the ledger: the one given, or the one that holds it if this is its releases/.

    Raises InputError if there is no ledger: then nothing was ever published.
    """
    for root in (folder, folder.parent if folder.name == "releases" else folder):
        if (root / LEDGER).is_file():
            return root
    raise InputError(
        "nothing was published here: there is no ledger",
        where=str(folder),
        fix="publish a release (clerestory publish), or look at the staged one: clerestory preview",
    )


def log_of(releases: Path) -> Path:
    """Where the log is kept if nobody says otherwise: with what is confidential beside the releases."""
    return releases.resolve().parent / "confidential" / "log"


def serve(
    project_or_releases: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    announce: Callable[[str, str], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
    memory: int = 64 << 20,
    max_age: int = MAX_AGE,
    workers: int = 0,
    unconfined: bool = False,
    user: str = drop.NOBODY,
    log: Path | None = None,
    addresses: Addresses = Addresses.HASHED,
    keep_days: int = KEEP_DAYS,
    proxy: str = "",
    source: Source | None = None,
) -> None:
    """Serves what is live and follows every switch and withdrawal; returns when told to stop.

    announce: called once, when all workers accept, with the address, which has another port than asked for if
    that was taken, and what is served. say: takes one line at a time for the operator. memory: bytes of
    contents that each worker keeps; workers: 0 for one a processor. unconfined: without the kernel's hold, on
    this machine's own address only. user: the account that workers run under, if this is root. log: see
    log_of; addresses, keep_days: what it holds of readers. proxy: the address of one in front. source: who
    decides what is live; else the ledger does.
    Raises InputError if there is nothing to serve, no port or no log; Refused if the release is not whole or
    the kernel cannot hold the workers.
    """
    root = root_of(project_or_releases) if source is None else project_or_releases
    releases = _folder(root)
    kept = log or log_of(releases)
    if kept.resolve().is_relative_to(releases.resolve()):
        raise InputError(
            "workers would be able to read the log", where=str(kept), fix="keep it outside the releases"
        )
    access_log.make(kept)
    decides = source or ByLedger(root, kept)
    decision = decides.look()
    verified = None
    if isinstance(decision, Nothing):
        raise InputError(
            decision.problem,
            where=str(releases),
            fix="see `clerestory ledger verify` and `clerestory approvals`",
        )
    if isinstance(decision, Live):
        open_release(decision.folder)
        verify_digests(decision.folder)
        verified = decision
    obstacle = "" if unconfined else confine.obstacle()
    if obstacle:
        raise Refused(obstacle, where="serve", fix=confine.WITHOUT)
    account = drop.account(user)
    proxied = plain(proxy)
    if proxy and not proxied:
        raise InputError("this is no address", where=f"--proxy {proxy}", fix="write it in numbers: 127.0.0.1")
    plan = Plan(
        releases, workers or os.cpu_count() or 1, memory, max_age, not unconfined, account, kept, addresses,
        keep_days, proxied,
    )  # fmt: skip
    with listen(host, port) as bound:
        if unconfined:
            _only_here(bound, host)
            say("UNCONFINED: the kernel does not hold this server. It answers this machine only.")
        supervisor = Supervisor(plan, decides, bound, say, verified=verified)
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{bound.getsockname()[1]}/"
        said = f"release {decision.release}" + (", withdrawn" if isinstance(decision, Withdrawn) else "")
        supervisor.run(lambda: announce(address, said) if announce is not None else None)


def _folder(folder: Path) -> Path:
    inner = folder / "releases"
    return inner if inner.is_dir() else folder


def _only_here(bound: socket.socket, host: str) -> None:
    if not ipaddress.ip_address(bound.getsockname()[0]).is_loopback:
        raise Refused(
            "without the kernel's hold the server answers this machine only",
            where=f"--host {host}",
            fix="use 127.0.0.1, or leave out --unconfined",
        )
