"""Kills, full disks, wrong clocks, hurried colleagues: each ends in a state that verifies."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from clerestory.errors import ClerestoryError, Refused
from clerestory.release.gate.deciding import Decider, Live, Withdrawn
from clerestory.release.gate.register import Register
from clerestory.release.gate.takedown import takedown
from clerestory.release.ledger import NAME, Book, Kind
from clerestory.release.verify import whole
from tests.release.gate.made import ANSWERS, Project
from tests.release.signing import NOW, signer

KILLS = int(os.environ.get("CLERESTORY_KILLS", "12"))

WORKER = """
import sys
from datetime import timedelta
from pathlib import Path
from tests.release.gate.made import Project
from tests.release.signing import signer
from clerestory.release.gate.takedown import takedown
from clerestory.release.gate.restoring import restore

project = Project.there(Path(sys.argv[1]))
number = int(sys.argv[2])
print("start", flush=True)
while True:
    project.catch_up()
    release = project.approved(f"{sys.argv[2]}-{number}")
    project.publish(release)
    print("live", release, flush=True)
    if number % 2:
        takedown(project.root, release, "x", signer("iris"), register=project.register)
        print("down", release, flush=True)
        if number % 4 == 1:
            for who in ("iris", "pia"):
                restore(project.register, release, "y", signer(who))
            print("back", release, flush=True)
    number += 1
"""


def _after(acknowledged: list[str]) -> dict[str, str]:
    state: dict[str, str] = {}
    for line in acknowledged:
        what, _, release = line.partition(" ")
        if release:
            state[release] = what
    return state


def kill_rounds(root: Path, kills: int, seed: int) -> None:
    """Kills a worker again and again; after each kill the ledger stands and has all that was acknowledged."""
    dice = random.Random(seed)
    Project(root)
    said: list[str] = []
    for kill in range(kills):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(root), str(kill * 1000)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert worker.stdout is not None
        assert worker.stdout.readline() == "start\n"
        time.sleep(0.02 + dice.random() * 0.9)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        said += [line.strip() for line in worker.stdout.readlines() if line.endswith("\n")]
        worker.stdout.close()

        register = Register(root)
        events = register.events()
        standing = register.standing(events)
        kinds = {(event.kind, event.release) for event in events}
        for release, what in _after(said).items():
            assert (Kind.PUBLISHED, release) in kinds
            if what in ("down", "back"):
                assert (Kind.WITHDRAWN, release) in kinds
        found = Decider(root).look()
        if standing.live:
            assert isinstance(found, Live) and found.release == standing.live.release
            assert whole(found.folder)
        for release, what in _after(said).items():
            if what == "down":
                last = [e.kind for e in events if e.release == release]
                assert last.count(Kind.RESTORED) < 2 or Kind.RESTORED in last
                assert not (
                    isinstance(found, Live) and found.release == release and last[-1] is Kind.WITHDRAWN
                )


def test_kills_over_publication_takedown_and_return(tmp_path: Path) -> None:
    kill_rounds(tmp_path / "p", KILLS, 1)


@pytest.mark.campaign
def test_two_hundred_kills(tmp_path: Path) -> None:
    for part in range(4):
        kill_rounds(tmp_path / f"p{part}", 55, 100 + part)


def _publisher(root: str, title: str, results: multiprocessing.Queue[str]) -> None:
    project = Project.there(Path(root))
    project.catch_up()
    try:
        release = project.approved(title)
        project.publish(release)
        results.put(f"live {release}")
    except ClerestoryError as problem:
        results.put(f"no {problem.what}")


def test_publishers_side_by_side_leave_one_of_theirs_live(tmp_path: Path) -> None:
    project = Project(tmp_path / "p")
    results: multiprocessing.Queue[str] = multiprocessing.Queue()
    workers = [
        multiprocessing.Process(target=_publisher, args=(str(project.root), f"by {n}", results))
        for n in range(3)
    ]
    for worker in workers:
        worker.start()
    said = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join()
    live = {line.split()[1] for line in said if line.startswith("live")}
    assert live
    register = Register(project.root)
    standing = register.standing()
    assert standing.live is not None and standing.live.release in live
    assert {event.release for event in standing.published.values()} == live
    # Whoever lost was told that another release went live after theirs was built.
    assert all("went live after it was built" in line for line in said if line.startswith("no"))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], AbstractContextManager[None]]]]:
    """A folder, and what makes its disk full for a while.

    A file system of two megabytes, filled; where this account may not make one, files that may not grow.
    """
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True)
    mounted = made.returncode == 0

    @contextlib.contextmanager
    def filled() -> Iterator[None]:
        filler = os.open(place / "filler", os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while True:
                os.write(filler, b"x" * 4096)
        os.close(filler)
        yield
        (place / "filler").unlink()

    @contextlib.contextmanager
    def stunted() -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        size = (place / "p" / NAME).stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)

    yield place, filled if mounted else stunted
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


def test_with_a_full_disk_nothing_is_published_and_everything_can_be_taken_down(
    disk: tuple[Path, Callable[[], AbstractContextManager[None]]],
) -> None:
    place, full = disk
    project = Project(place / "p")
    first = project.live("one")
    second = project.approved("two")
    before = (project.root / NAME).read_bytes()
    shown = Decider(project.root, clock=lambda: project.now)
    with full():
        with pytest.raises((ClerestoryError, OSError)):
            project.publish(second)
        assert (project.root / NAME).read_bytes().startswith(before)
        assert shown.look().release == first
        done = takedown(project.root, "", "names in it", signer("iris"), register=project.register)
        assert done.release == first
        assert isinstance(shown.look(), Withdrawn)
        assert isinstance(Decider(project.root, clock=lambda: project.now).look(), Withdrawn)
    project.wait(minutes=1)
    project.register.fold()
    assert project.register.events()[-1].kind is Kind.WITHDRAWN
    assert isinstance(Decider(project.root, clock=lambda: project.now).look(), Withdrawn)


def test_a_clock_set_back_publishes_nothing_and_a_clock_set_forward_expires_everything(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path / "p")
    release = project.approved()
    now = project.now
    project.now = now - timedelta(days=1)
    with pytest.raises(Refused, match="time is in the future"):
        project.publish(release)
    project.now = now.replace(year=2028)
    with pytest.raises(Refused, match="expired"):
        project.publish(release)
    project.now = now + timedelta(minutes=1)
    project.publish(release)
    project.now = NOW - timedelta(days=300)
    takedown(project.root, "", "x", signer("iris"), register=project.fresh())
    assert isinstance(Decider(project.root, clock=lambda: project.now).look(), Withdrawn)
    assert Book(project.root).events()[-1].time == Book(project.root).events()[-2].time


def test_a_backup_of_everything_but_the_servers_memory_is_not_shown(tmp_path: Path) -> None:
    project = Project(tmp_path / "p")
    project.live("one")
    shutil.copytree(project.root, tmp_path / "backup", symlinks=True)
    shown = Decider(project.root, clock=lambda: project.now)
    shown.look()
    takedown(project.root, "", "x", signer("iris"), register=project.register)
    assert isinstance(shown.look(), Withdrawn)
    shutil.rmtree(project.root)
    shutil.copytree(tmp_path / "backup", project.root, symlinks=True)
    again = Decider(project.root, clock=lambda: project.now, seen=shown.seen)
    assert not isinstance(again.look(), Live)


def test_answers_are_part_of_what_is_signed(tmp_path: Path) -> None:
    project = Project(tmp_path / "p")
    release = project.built()
    event = project.say(Kind.APPROVED, release, "ben", answers=ANSWERS)
    name = f"approved-{event.body}.json"
    assert (project.root / "releases" / release / "signatures" / name).is_file()
