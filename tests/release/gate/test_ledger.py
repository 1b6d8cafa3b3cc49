"""The ledger: chained, signed lines; any edit is found; writers side by side lose nothing."""

from __future__ import annotations

import fcntl
import hashlib
import multiprocessing
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner

from clerestory.errors import Refused, Undecided
from clerestory.release.ledger import FIRST, NAME, Book, Event, Kind, head, next_time, parse, signed, written

SIGNER = CryptoSigner.generate_ed25519()
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def manifest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def line(
    found: tuple[Event, ...], number: int, *, kind: Kind = Kind.BUILT, at: datetime | None = None
) -> Event:
    before = found[-1] if found else None
    return signed(
        Event(
            seq=len(found),
            previous=head(found),
            kind=kind,
            time=written(next_time(before, at or NOON + timedelta(seconds=len(found)), insist=True)),
            release=f"r-{manifest(number)[:12]}",
            manifest=manifest(number),
            trust=1,
        ),
        SIGNER,
    )


def ledger(root: Path, count: int = 3) -> Book:
    book = Book(root)
    for number in range(count):
        book.append(lambda found, number=number: line(found, number))
    return book


def test_every_line_holds_the_digest_of_the_one_before_and_a_signature_over_it(tmp_path: Path) -> None:
    found = ledger(tmp_path).events()

    assert [event.seq for event in found] == [0, 1, 2]
    assert [event.previous for event in found] == [FIRST, found[0].digest, found[1].digest]
    for event in found:
        SIGNER.public_key.verify_signature(event.as_signature(), event.payload)
    assert Book(tmp_path).events() == found == parse((tmp_path / NAME).read_bytes())


def test_a_project_without_a_ledger_has_no_lines(tmp_path: Path) -> None:
    assert Book(tmp_path).events() == ()


CONTENT = b""


@given(data=st.data())
def test_no_line_can_be_changed_moved_or_taken_out(data: st.DataObject) -> None:
    global CONTENT
    if not CONTENT:
        found: tuple[Event, ...] = ()
        for number in range(4):
            found = (*found, line(found, number))
        CONTENT = b"".join(event.to_bytes() for event in found)
    lines = CONTENT.splitlines(keepends=True)
    way = data.draw(st.sampled_from(["byte", "drop", "swap", "twice", "insert"]))
    if way == "byte":
        # The last line's own signature is checked against the key, not by the chain.
        place = data.draw(st.integers(0, len(b"".join(lines[:3])) - 1))
        other = data.draw(st.integers(0, 255).filter(lambda byte: byte != CONTENT[place]))
        changed = CONTENT[:place] + bytes([other]) + CONTENT[place + 1 :]
    elif way == "drop":
        gone = data.draw(st.integers(0, 2))
        changed = b"".join(lines[:gone] + lines[gone + 1 :])
    elif way == "swap":
        changed = lines[1] + lines[0] + lines[2] + lines[3]
    elif way == "twice":
        changed = lines[0] + CONTENT
    else:
        changed = lines[0] + line((), 9).to_bytes() + b"".join(lines[1:])

    with pytest.raises(Refused, match=r"ledger.jsonl"):
        parse(changed)


def test_a_shorter_ledger_is_found_by_whoever_saw_the_longer_one(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    seen = book.events()
    content = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(content[: content[:-1].rfind(b"\n") + 1])

    with pytest.raises(Refused, match="gone or others"):
        book.events()
    (tmp_path / NAME).write_bytes(content)
    assert book.events() == seen
    (tmp_path / NAME).unlink()
    with pytest.raises(Refused, match="gone"):
        book.events()


def test_another_ledger_in_its_place_is_found(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.events()
    other = tmp_path / "other"
    other.mkdir()
    fork = Book(other)
    for number in range(5):
        fork.append(lambda found, number=number: line(found, number + 100))
    (other / NAME).replace(tmp_path / NAME)

    with pytest.raises(Refused, match="gone or others"):
        book.events()


def test_a_torn_last_line_is_no_line_and_the_next_writer_removes_it(tmp_path: Path) -> None:
    seen = ledger(tmp_path).events()
    with (tmp_path / NAME).open("ab") as file:
        file.write(line(seen, 9).to_bytes()[:-20])

    book = Book(tmp_path)
    assert book.events() == seen
    book.append(lambda found: line(found, 7))
    assert [event.manifest for event in Book(tmp_path).events()[3:]] == [manifest(7)]


def _write(root: str, writer: int, count: int) -> None:
    book = Book(Path(root))
    for number in range(count):
        book.append(lambda found, number=number: line(found, writer * 1_000 + number))


def test_four_writers_lose_nothing(tmp_path: Path) -> None:
    start = multiprocessing.get_context("spawn")
    writers = [start.Process(target=_write, args=(str(tmp_path), writer, 25)) for writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0

    found = Book(tmp_path).events()
    assert len(found) == 100
    assert {e.manifest for e in found} == {manifest(w * 1_000 + n) for w in range(4) for n in range(25)}


def test_what_the_maker_refuses_is_not_written(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    before = (tmp_path / NAME).read_bytes()

    def refuse(_found: tuple[Event, ...]) -> Event:
        raise Refused("no")

    with pytest.raises(Refused, match="no"):
        book.append(refuse)
    with pytest.raises(ValueError, match="does not follow"):
        book.append(lambda found: line(found[:1], 5))
    assert (tmp_path / NAME).read_bytes() == before


def test_a_ledger_that_is_held_is_said_to_be(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    with (tmp_path / NAME).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Undecided, match="another command holds it"):
            book.append(lambda found: line(found, 5), patience=0.05)
    assert len(book.events()) == 3


def test_a_clock_that_is_behind_is_refused_but_for_takedowns(tmp_path: Path) -> None:
    found = ledger(tmp_path).events()
    early = NOON - timedelta(hours=1)

    with pytest.raises(Refused, match="behind the last line"):
        line(found, 5, at=early)
    assert next_time(found[-1], early, insist=False) == found[-1].at


def test_a_ledger_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    ledger(tmp_path)
    (tmp_path / NAME).rename(tmp_path / "elsewhere")
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Refused, match="cannot be read"):
        Book(tmp_path).events()


def test_a_full_disk_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = ledger(tmp_path)
    before = (tmp_path / NAME).read_bytes()
    real = os.write

    def short(descriptor: int, content: bytes) -> int:
        return real(descriptor, content[:10]) if content.startswith(b'{"body"') else real(descriptor, content)

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(Undecided, match="full"):
        book.append(lambda found: line(found, 5))
    monkeypatch.undo()
    assert (tmp_path / NAME).read_bytes() == before
    assert len(Book(tmp_path).events()) == 3
