"""Known traffic in, exact counts out; a kill takes no more than stated; addresses are as the policy says."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from clerestory.api.access_log import day_to_parquet
from clerestory.errors import InputError
from clerestory.serve import access_log, serve
from clerestory.serve.access_log import LOSS, AccessLog, age, fit, lines_of
from clerestory.serve.addresses import NAME, key_for, plain, written
from clerestory.serve.state import Links
from tests.serve.running import Running, server

Publish = Callable[..., Any]
Line = dict[str, Any]


def lines(folder: Path) -> list[Line]:
    """All lines of a project's log; none is torn."""
    found = []
    for file in sorted((folder / "confidential/log").glob("access-*.ndjson")):
        for said in lines_of(file):
            assert said is not None
            found.append(said)
    return found


def answers(folder: Path) -> list[Line]:
    return [line for line in lines(folder) if "kind" not in line]


def test_known_traffic_gives_exact_counts(publish: Publish, tmp_path: Path, files: dict[str, bytes]) -> None:
    release = publish({"site/data/huge.csv": b"0123456789abcdef" * (1 << 20)})
    large, csv = len(files["site/data/large.csv"]), len(files["site/data/ccw.csv"])
    with server(tmp_path) as site:
        for _ in range(7):
            site.fetch("/data/large.csv")
        for _ in range(5):
            site.fetch("/data/large.csv", Range="bytes=100-299")
        for _ in range(3):
            site.fetch("/data/ccw.csv", "HEAD")
        etag = site.fetch("/data/ccw.csv").headers["etag"]
        site.fetch("/data/ccw.csv", If_None_Match=etag)
        site.fetch('/no"where\\?secret=1')
        site.fetch("/data/ccw.csv", "DELETE")
        site.raw(b"nonsense\r\n\r\n")
        with socket.create_connection(("127.0.0.1", site.port)) as lost:
            lost.sendall(b"GET /data/huge.csv HTTP/1.1\r\nHost: x\r\n\r\n")
            lost.recv(65_536)
        time.sleep(0.3)
    found = answers(tmp_path)
    counted = Counter((line["file"], line["status"], line["bytes"], line["ended"]) for line in found)
    assert counted.pop(("site/data/large.csv", 200, 0, "begun")) == 7
    assert counted.pop(("site/data/large.csv", 200, large, "whole")) == 7
    assert counted.pop(("site/data/large.csv", 206, 200, "whole")) == 5
    assert counted.pop(("site/data/ccw.csv", 200, 0, "whole")) == 3
    assert counted.pop(("site/data/ccw.csv", 200, csv, "whole")) == 1
    assert counted.pop(("site/data/ccw.csv", 304, 0, "whole")) == 1
    assert counted.pop(("site/data/huge.csv", 200, 0, "begun")) == 1
    ((_, _, part, ended),) = [key for key in counted if key[0] == "site/data/huge.csv"]
    assert ended == "lost" and 0 < part < 16 << 20
    others = Counter(
        (line["status"], line.get("asked", ""), line["method"]) for line in found if not line["file"]
    )
    assert others == {(404, '/no"where\\', "GET"): 1, (405, "/data/ccw.csv", "DELETE"): 1, (400, "", "-"): 1}
    for line in found:
        assert line["release"] in (release.id, "") and line["clock"] in ("synchronised", "free")
        assert abs((datetime.fromisoformat(line["time"]) - datetime.now(UTC)).total_seconds()) < 60
        assert re.fullmatch(r"h1:[0-9a-f]{16}", line["address"])
    assert {line["part"] for line in found if line["status"] == 206} == {"100-299"}
    assert len({line["id"] for line in found}) == len(found)
    assert len({line["address"] for line in found}) == 1
    opened = [line for line in lines(tmp_path) if line.get("kind") == "opened"]
    assert len(opened) == 1 and opened[0]["addresses"] == "hashed" and "clock" in opened[0]["source"]
    folder = tmp_path / "confidential/log"
    assert folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())


def test_what_a_takedown_cut_is_in_the_log(publish: Publish, tmp_path: Path) -> None:
    release = publish({"site/data/huge.csv": b"0123456789abcdef" * (2 << 20)})
    with server(tmp_path) as site, socket.create_connection(("127.0.0.1", site.port)) as reader:
        reader.sendall(b"GET /data/huge.csv HTTP/1.1\r\nHost: x\r\n\r\n")
        reader.recv(65_536)
        site.withdraw(release.id)
        site.until(lambda: site.fetch().status == 410)
        time.sleep(0.3)  # the other worker hears of it too
        with pytest.raises(ConnectionResetError):
            while reader.recv(65_536):
                continue
    lines = [line for line in answers(tmp_path) if line["file"] == "site/data/huge.csv"]
    (cut,) = [line for line in lines if line["ended"] == "cut"]
    assert 0 < cut["bytes"] < 32 << 20 == cut["size"]


def served_until_killed(site: Running, victim: Callable[[], int]) -> tuple[int, float]:
    """Requests answered, one after the other, until a process is killed; and how many."""
    answered = 0
    stop = threading.Event()

    def ask() -> None:
        nonlocal answered
        while not stop.is_set():
            try:
                if site.fetch("/assets/site.css").status == 200:
                    answered += 1
            except OSError:
                continue

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.7)
    killed = time.monotonic()
    os.kill(victim(), signal.SIGKILL)
    time.sleep(0.5)
    stop.set()
    thread.join()
    return answered, killed


@pytest.mark.parametrize("who", ["supervisor", "worker", "keeper"])
def test_a_kill_loses_no_more_than_stated(publish: Publish, tmp_path: Path, who: str) -> None:
    publish()
    with server(tmp_path) as site:

        def keeper() -> int:
            log = tmp_path / "confidential/log"
            for child in (
                Path(f"/proc/{site.process.pid}/task/{site.process.pid}/children").read_text().split()
            ):
                opened = [str(fd.readlink()) for fd in Path(f"/proc/{child}/fd").iterdir()]
                if any(name.startswith(str(log)) for name in opened):
                    return int(child)
            raise AssertionError("no keeper")

        victims = {
            "supervisor": lambda: site.process.pid,
            "worker": lambda: site.workers()[0],
            "keeper": keeper,
        }
        answered, _ = served_until_killed(site, victims[who])
        if who == "supervisor":
            site.process.wait()
    time.sleep(0.3)
    kept = sum(1 for line in answers(tmp_path) if line["status"] == 200)
    a_second = answered / 1.2
    assert answered - kept <= max(3, a_second * LOSS), "of the lines of the stated time at most"
    assert answered > 50


def test_a_full_disk_stops_serving_and_loses_nothing_that_is_not_counted(tmp_path: Path) -> None:
    log = AccessLog(tmp_path, {})
    real = os.write
    try:
        log.add(b'{"time":"1"}\n')
        log.write()
        assert not log.problem

        def full(descriptor: int, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        os.write = full  # type: ignore[assignment]
        log.add(b'{"time":"2"}\n')
        log.write()
        assert "space" in log.problem
        log.add(b"x" * access_log._MOST + b"\n")
        os.write = lambda descriptor, data: real(descriptor, bytes(data[:5]))  # type: ignore[assignment]
        log.write()
    finally:
        os.write = real
    log.write()
    assert not log.problem
    (file,) = tmp_path.iterdir()
    said = list(lines_of(file))
    assert [line.get("time") for line in said if line and "kind" not in line] == ["1", "2"]
    assert [line["lost"] for line in said if line and line.get("kind") == "gap"] == [1]


def test_while_the_log_cannot_be_written_nothing_is_served(publish: Publish, tmp_path: Path) -> None:
    publish()
    with server(tmp_path) as site:
        assert site.fetch().status == 200
    # A folder where the file should be: no line can be written.
    (today,) = (tmp_path / "confidential/log").glob("access-*.ndjson")
    today.unlink()
    today.mkdir()
    with server(tmp_path) as site:
        site.fetch()
        site.until(lambda: site.fetch().status == 503, 3)
        assert any("access log cannot be written" in line for line in site.hear())
        today.rmdir()
        site.until(lambda: site.fetch().status == 200, 3)
    assert sum(1 for line in answers(tmp_path) if line["status"] == 503) >= 1


def test_a_torn_line_is_left_alone_and_the_next_stands_by_itself(tmp_path: Path) -> None:
    file = access_log.named(tmp_path, datetime.now(UTC).date())
    file.write_bytes(b'{"time":"1"}\n{"time":"2')
    log = AccessLog(tmp_path, {})
    log.add(b'{"time":"3"}\n')
    log.write()
    found = list(lines_of(file))
    assert found[1] is None and [line["time"] for line in found if line and "kind" not in line] == ["1", "3"]


@pytest.mark.parametrize(
    "line", [b"", b"x", b'{"time":"1"', b'{"kind":"gap"}', b'{"time":"' + b"a" * 5000 + b'"}']
)
def test_a_workers_line_is_checked(line: bytes) -> None:
    assert not fit(line)
    assert fit(b'{"time":"1"}')


@pytest.mark.parametrize("how", ["full", "none"])
def test_addresses_are_written_as_the_policy_says(publish: Publish, tmp_path: Path, how: str) -> None:
    publish()
    with server(tmp_path, addresses=how) as site:
        site.fetch()
    assert {line["address"] for line in answers(tmp_path)} == {"127.0.0.1" if how == "full" else ""}
    assert not (tmp_path / "confidential/log" / NAME).exists()


def test_a_proxy_names_the_reader_and_nobody_else_does(publish: Publish, tmp_path: Path) -> None:
    publish()
    claimed = "198.51.100.7"
    with server(tmp_path, addresses="full") as site:
        site.fetch(X_Forwarded_For=claimed)
    with server(tmp_path, addresses="full", proxy="127.0.0.1") as site:
        site.fetch(X_Forwarded_For=f"203.0.113.9, {claimed}")
        site.fetch(X_Forwarded_For='"},{"')
    assert sorted(line["address"] for line in answers(tmp_path)) == ["", "127.0.0.1", claimed]


def test_the_key_of_a_period_is_destroyed_when_it_ends(tmp_path: Path) -> None:
    first = date(2026, 1, 1)
    key = key_for(tmp_path, first, 30)
    assert key_for(tmp_path, first + timedelta(29), 30) == key
    assert key_for(tmp_path, first - timedelta(400), 30) == key, "a clock set back changes nothing"
    later = key_for(tmp_path, first + timedelta(30), 30)
    assert later.number == 2 and later.secret != key.secret
    assert key.secret not in (tmp_path / NAME).read_text()
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0
    one, two = (written("192.0.2.1", "hashed", k.said) for k in (key, later))
    assert one.startswith("h1:") and two.startswith("h2:") and one[3:] != two[3:]
    assert written("192.0.2.1", "hashed", key.said) == one != written("192.0.2.2", "hashed", key.said)
    assert written("192.0.2.1", "hashed", "") == "", "without a key nothing is told"
    (tmp_path / NAME).write_text("{}")
    with pytest.raises(InputError, match="key of the addresses"):
        key_for(tmp_path, first, 30)


def test_addresses_have_one_form() -> None:
    assert plain("::ffff:192.0.2.1") == plain(" 192.0.2.1") == "192.0.2.1"
    assert plain("2001:DB8::1") == "2001:db8::1"
    assert plain("x") == plain("") == plain('1.2.3.4"') == ""


def test_plain_addresses_are_taken_out_of_old_days(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    for days in (40, 31, 30, 0):
        file = tmp_path / f"access-{today - timedelta(days)}.ndjson"
        told = [
            {"time": str(n), "address": address}
            for n, address in enumerate(("192.0.2.1", "192.0.2.1", "h1:ab"))
        ]
        file.write_text("".join(json.dumps(line) + "\n" for line in told))
    made = age(tmp_path, 30)
    assert len(made) == 2 and age(tmp_path, 30) == []
    for file in made:
        found = [line["address"] for line in lines_of(file) if line]
        assert found[0] == found[1] != "192.0.2.1" and found[0].startswith("hx:") and found[2] == "h1:ab"
        assert "192.0.2.1" not in file.read_text() and file.stat().st_mode & 0o077 == 0
    assert "192.0.2.1" in (tmp_path / f"access-{today - timedelta(30)}.ndjson").read_text()
    assert access_log.named(tmp_path, today - timedelta(40)) == made[0]


def test_the_log_is_never_where_workers_read(publish: Publish, tmp_path: Path) -> None:
    publish()
    with pytest.raises(InputError, match="read the log"):
        serve(tmp_path, source=Links(tmp_path / "releases"), log=tmp_path / "releases/log", unconfined=True)


def test_a_day_becomes_one_parquet_file(publish: Publish, tmp_path: Path) -> None:
    publish()
    with server(tmp_path) as site:
        for _ in range(20):
            site.fetch("/data/ccw.csv")
        site.fetch("/nowhere")
    log = tmp_path / "confidential/log"
    today = datetime.now(UTC).date()
    with access_log.named(log, today).open("ab") as file:
        file.write(b'{"kind":"gap","lost":3}\n{"time":"20')
    found = day_to_parquet(log, today)
    table = pq.read_table(found.file)
    assert (found.rows, found.torn, found.lost, table.num_rows) == (21, 1, 3, 21)
    assert table.column("status").to_pylist().count(404) == 1
    assert set(table.column("file").to_pylist()) == {"site/data/ccw.csv", ""}
    assert str(table.schema.field("time").type) == "timestamp[us, tz=UTC]"
    assert found.file.stat().st_mode & 0o077 == 0
    words = [sys.executable, "-m", "clerestory", "log", "to-parquet", str(log), "--day"]
    done = subprocess.run([*words, today.isoformat()], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "21 answers" in done.stdout and "1 lines were torn" in done.stdout
    assert subprocess.run([*words, "yesterday"], capture_output=True, check=False).returncode == 2
    with pytest.raises(InputError, match="no log of that day"):
        day_to_parquet(log, today - timedelta(1))
