"""kill -9 at any moment of a build leaves the earlier release whole and live, and no partial one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from clerestory.release.bundle import current
from clerestory.release.verify import whole

KILLS = 24

BUILD = """
import sys, time
from datetime import date
from pathlib import Path
from clerestory.release.bundle import commit, stage, switch
from clerestory.release.lock import lock

project, number = Path(sys.argv[1]), int(sys.argv[2])
releases = project / "releases"

def files():
    for page in range(40):
        yield f"site/p{page}/index.html", f"<!doctype html>{number} {page}".encode() * 500, "page"
    yield "site/index.html", f"<!doctype html>{number}".encode(), "page"

print("start", flush=True)
while True:
    with lock(project / "confidential") as held:
        release = commit(stage(releases, files(), title="t", date=date(2026, 1, 1), tables={}, held=held))
        switch(releases, release.id)
    print("live", flush=True)
    number += 1_000
"""


def test_twenty_four_kills_leave_a_whole_live_release(tmp_path: Path) -> None:
    dice = random.Random(7)
    releases = tmp_path / "releases"
    seen_staging = 0
    for kill in range(KILLS):
        builder = subprocess.Popen(
            [sys.executable, "-c", BUILD, str(tmp_path), str(kill)], stdout=subprocess.PIPE, text=True
        )
        assert builder.stdout is not None
        assert builder.stdout.readline() == "start\n"
        if kill == 0:
            assert builder.stdout.readline() == "live\n"
        time.sleep(dice.random() * 0.06)
        os.kill(builder.pid, signal.SIGKILL)
        builder.wait()
        builder.stdout.close()
        found = current(releases)
        assert found is not None and whole(found.folder)
        names = [entry.name for entry in releases.iterdir()]
        assert all(whole(releases / name) for name in names if name.startswith("r-"))
        assert not any(name.startswith("damaged-") for name in names)
        seen_staging += any(name.startswith(".staging-") for name in names)
    assert seen_staging, "no kill fell into the writing of files: the test tests nothing"
