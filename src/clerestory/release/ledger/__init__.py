"""ledger.jsonl: everything that happened to a release, append-only, chained and signed."""

from clerestory.release.ledger.book import NAME, Book, head, next_time, parse
from clerestory.release.ledger.event import FIRST, UNSIGNED, Event, Kind, parse_line, signed, written

__all__ = [
    "FIRST",
    "NAME",
    "UNSIGNED",
    "Book",
    "Event",
    "Kind",
    "head",
    "next_time",
    "parse",
    "parse_line",
    "signed",
    "written",
]
