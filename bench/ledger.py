"""Durable appends to the ledger a second, by four writers at once, beside plain appends with fsync."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

from securesystemslib.signer import CryptoSigner

from clerestory.release.gate.register import system_clock
from clerestory.release.ledger import Book, Event, Kind, head, next_time, signed, written

WRITERS = 4
LINES = 250


def _line(found: tuple[Event, ...], signer: CryptoSigner) -> Event:
    before = found[-1] if found else None
    manifest = hashlib.sha256(str(len(found)).encode()).hexdigest()
    moment = next_time(before, system_clock(), insist=True)
    return signed(
        Event(
            seq=len(found),
            previous=head(found),
            kind=Kind.BUILT,
            time=written(moment),
            release=f"r-{manifest[:12]}",
            manifest=manifest,
            trust=1,
        ),
        signer,
    )


def _append(root: str, lines: int) -> None:
    signer = CryptoSigner.generate_ed25519()
    book = Book(Path(root))
    for _ in range(lines):
        book.append(lambda found: _line(found, signer))


def _fsyncs(root: str, lines: int) -> float:
    descriptor = os.open(Path(root) / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    begin = time.perf_counter()
    for _ in range(lines):
        os.write(descriptor, b"x" * 600)
        os.fsync(descriptor)
    os.close(descriptor)
    return lines / (time.perf_counter() - begin)


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory(dir=".") as root:
        plain = _fsyncs(root, LINES)
        writers = [multiprocessing.Process(target=_append, args=(root, LINES)) for _ in range(WRITERS)]
        begin = time.perf_counter()
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        rate = WRITERS * LINES / (time.perf_counter() - begin)
        kept = len(Book(Path(root)).events())
    print("| ledger | appends a second |")
    print("|---|---|")
    print(f"| one writer, write and fsync, no ledger | {plain:,.0f} |")
    print(f"| {WRITERS} writers, signed, chained, durable (goal 200) | {rate:,.0f} |")
    print(f"\n{kept:,} of {WRITERS * LINES:,} lines kept.")


if __name__ == "__main__":
    main()
