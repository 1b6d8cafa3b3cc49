"""Kills at random over the processes of the server: nothing that was acknowledged is lost."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from clerestory.serve.access_log import LOSS, lines_of
from clerestory.serve.reports import read_reports
from tests.serve.running import server

Publish = Callable[..., Any]
TYPE = {"Content_Type": "application/x-www-form-urlencoded"}


def killed(folder: Path, dice: random.Random, rounds: int) -> None:
    """So many starts of a server, each with a kill of one of its processes at a random moment."""
    thanked: set[str] = set()
    answered = kept = 0
    for number in range(rounds):
        with server(folder) as site:
            stop = threading.Event()
            counted = [0]

            def ask() -> None:
                while not stop.is_set():  # noqa: B023
                    try:
                        counted[0] += site.fetch("/assets/site.css").status == 200  # noqa: B023
                    except OSError:
                        continue

            reader = threading.Thread(target=ask)
            reader.start()
            time.sleep(0.1 + 0.3 * dice.random())
            try:
                said = site.fetch(
                    "/report", "POST", urlencode({"page": "/", "text": f"n{number}"}).encode(), **TYPE
                )
                if said.status == 202:
                    thanked.add(f"n{number}")
            except OSError:
                pass
            children = Path(f"/proc/{site.process.pid}/task/{site.process.pid}/children").read_text().split()
            victim = dice.choice([site.process.pid, *map(int, children)])
            os.kill(victim, signal.SIGKILL)
            time.sleep(0.2)
            stop.set()
            reader.join()
            answered += counted[0]
        time.sleep(0.1)
    log = folder / "confidential/log"
    assert thanked <= {report.text for report in read_reports(log)} and thanked
    for file in log.glob("access-*.ndjson"):
        kept += sum(1 for line in lines_of(file) if line and line.get("status") == 200)
    # Each round asked for less than a second; of each, the lines of the stated time may be gone.
    assert answered - kept <= answered * LOSS, (answered, kept)


def test_kills_lose_nothing_that_was_acknowledged(publish: Publish, tmp_path: Path) -> None:
    publish()
    killed(tmp_path, random.Random(4), 5)


@pytest.mark.campaign
def test_a_hundred_kills_lose_nothing_that_was_acknowledged(publish: Publish, tmp_path: Path) -> None:
    publish()
    killed(tmp_path, random.Random(2026), 100)
