"""What the supervisor tells reaches every worker, whole, and no worker can write it."""

from __future__ import annotations

import os
import time

import pytest

from clerestory.serve import page
from clerestory.serve.page import NOTHING, Page, View


def test_a_view_is_told_and_seen() -> None:
    told = Page()
    assert told.look() == NOTHING
    view = View("r-0123456789ab", live=True, withdrawn=("r-1",), key="1:ab", synchronised=True)
    told.publish(view)
    assert told.look() == view and told.look() is told.look()


def test_readers_in_other_processes_never_see_a_mixture() -> None:
    told = Page()
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        told.for_reading()
        seen, wrong = set(), 0
        until = time.monotonic() + 1
        while time.monotonic() < until:
            view = told.look()
            seen.add(view.release)
            wrong += view.since != view.release * 40
        os.write(into, f"{len(seen)} {wrong}".encode())
        os._exit(0)
    number = 0
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        number += 1
        told.publish(View(str(number), live=True, since=str(number) * 40))
    count, wrong = os.read(out, 100).split()
    assert int(wrong) == 0 and int(count) > 10
    os.close(out)
    os.close(into)


def test_a_worker_cannot_write_it() -> None:
    told = Page()
    told.for_reading()
    with pytest.raises(TypeError):
        told.publish(View("r-1", live=True))


def test_half_a_page_is_not_believed() -> None:
    told = Page()
    told.publish(View("r-1", live=True))
    told._map[40:41] = b"#"
    told._map[:8] = b"\xff" * 8
    assert told.look() == NOTHING
    told.publish(View("r-2", live=True))
    assert told.look().release == "r-2"


def test_more_withdrawn_releases_than_fit_withdraw_all_but_the_live_one() -> None:
    told = Page()
    told.publish(View("r-1", live=True, withdrawn=tuple(f"r-{n:012x}" for n in range(2000))))
    assert told.look().withdrawn == ("*",)


def test_a_supervisor_is_fresh_for_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Page()
    assert told.fresh()
    now = time.monotonic()
    monkeypatch.setattr(page.time, "monotonic", lambda: now + page.STALE + 1)
    assert not told.fresh()
