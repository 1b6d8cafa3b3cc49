"""'This seems to expose someone': what readers report, written down before they are thanked."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

from clerestory.errors import Refused
from clerestory.release.gate.reporting import Report

NAME = "reports.ndjson"
LONGEST_BODY = 8 << 10
"""Bytes of a form as it is sent."""
AN_HOUR = 120
"""Reports an hour, of all readers together: the file stays readable by people, however many write to it."""
_LETTERS = {"page": 500, "text": 2000, "contact": 200}
_LANGUAGES = ("en", "es")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MOST_BYTES = 64 << 20


def fields_of(body: bytes) -> dict[str, str] | None:
    """The fields of a form as a browser sends it; None if it is not one, or what is needed is not in it."""
    try:
        found = dict(
            parse_qsl(body.decode("ascii"), max_num_fields=8, errors="strict", keep_blank_values=True)
        )
    except (ValueError, UnicodeDecodeError):
        return None
    return _tidy(found)


def _tidy(found: Mapping[str, object]) -> dict[str, str] | None:
    """Exactly the fields of a report, bounded, without invisible letters; None if one that counts lacks."""
    kept: dict[str, str] = {}
    for name, most in _LETTERS.items():
        value = found.get(name, "")
        if not isinstance(value, str):
            return None
        value = _CONTROL.sub("", value.replace("\r\n", "\n")).strip()
        if len(value) > most:
            return None
        kept[name] = value
    if not kept["page"] or not kept["text"]:
        return None
    language = found.get("language")
    kept["language"] = str(language) if language in _LANGUAGES else _LANGUAGES[0]
    return kept


class Inbox:
    """Where reports are written down. folder: the log's."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / NAME
        self._times: deque[float] = deque()

    def take(self, said: bytes, now: float) -> tuple[str, int, str]:
        """Writes down what a worker passed on; its token, the status to answer, and the report's number.

        The worker is not trusted: everything is checked again. now: seconds of a clock that never goes back.
        """
        try:
            found = json.loads(said)
            token = str(found["token"])[:40]
            fields = _tidy(found)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return "", 400, ""
        if not re.fullmatch(r"[0-9a-z-]{1,40}", token):
            return "", 400, ""
        if fields is None:
            return token, 400, ""
        while self._times and now - self._times[0] > 3600:
            self._times.popleft()
        if len(self._times) >= AN_HOUR:
            return token, 429, ""
        received = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        report = Report(f"p-{secrets.token_hex(4)}", received, **fields)
        try:
            self._append(report)
        except OSError:
            return token, 503, ""
        self._times.append(now)
        return token, 202, report.id

    def _append(self, report: Report) -> None:
        line = json.dumps(asdict(report), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._file, flags, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size > _MOST_BYTES:
                raise OSError(0, "the file of reports is full")
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # a kill or a full disk left half a line, which nobody was thanked for
            if os.write(descriptor, line) != len(line):
                raise OSError(0, "written in part")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_reports(folder: Path) -> tuple[Report, ...]:
    """The reports in a log folder, oldest first; none if there is no file. Half-written lines are left out.

    Raises Refused if the file cannot be read.
    """
    try:
        content = (folder / NAME).read_bytes()
    except FileNotFoundError:
        return ()
    except OSError:
        raise Refused("the reports cannot be read", where=str(folder / NAME)) from None
    found = []
    for line in content.splitlines():
        try:
            found.append(Report(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return tuple(found)
