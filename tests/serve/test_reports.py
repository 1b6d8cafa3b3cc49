"""Reports from outside: written down before the reader is thanked, bounded, read back as they were sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerestory.serve.reports import AN_HOUR, NAME, Inbox, Report, fields_of, read_reports
from tests.serve.running import Running, server

Publish = Callable[..., Any]
FORM = {"page": "/firearms/ccw/", "text": "One can see who.\nI mean Ñandú & <b>", "contact": "a@example.org"}
TYPE = {"Content_Type": "application/x-www-form-urlencoded"}


def post(site: Running, fields: dict[str, str], **headers: str) -> Any:
    return site.fetch("/report", "POST", urlencode(fields).encode(), **(TYPE | headers))


def test_a_report_is_kept_and_its_reader_thanked(publish: Publish, tmp_path: Path) -> None:
    release = publish()
    with server(tmp_path) as site:
        form = site.fetch("/report").body.decode()
        assert form.count("<form") == 2 and 'lang="es"' in form and 'action="/report"' in form
        answer = post(site, {**FORM, "language": "es"})
        assert answer.status == 202 and answer.headers["cache-control"] == "no-store"
        (report,) = read_reports(tmp_path / "confidential/log")
        assert (report.page, report.text, report.contact, report.language) == (*FORM.values(), "es")
        assert report.id in answer.body.decode() and "Gracias" in answer.body.decode()
        assert report.received.endswith("Z")
        site.withdraw(release.id)
        site.until(lambda: site.fetch().status == 410)
        assert post(site, FORM).status == 202, "also while everything is withdrawn"
    file = tmp_path / "confidential/log" / NAME
    assert file.stat().st_mode & 0o077 == 0 and len(read_reports(file.parent)) == 2


def test_the_forms_own_folder_takes_it_too(publish: Publish, tmp_path: Path) -> None:
    publish()
    with server(tmp_path) as site:
        said = urlencode({"page": "/x/", "text": "a name", "language": "en"}).encode()
        assert site.fetch("/report/", "POST", said, **TYPE).status == 202
        assert site.fetch("/reports", "POST", said, **TYPE).status == 413


def test_what_is_no_report_is_not_kept(publish: Publish, tmp_path: Path) -> None:
    publish()
    with server(tmp_path, workers=1) as site:
        assert post(site, {"page": "/x"}).status == 400
        assert post(site, {"page": "/x", "text": "a" * 2001}).status == 400
        assert post(site, FORM, Sec_Fetch_Site="cross-site").status == 400
        assert site.fetch("/report", "POST", b"{}", Content_Type="application/json").status == 415
        assert site.fetch("/report", "POST", b"a" * 9000, **TYPE).status == 413
        assert post(site, FORM).status == 202
        answers = [post(site, FORM).status for _ in range(6)]
        assert answers == [202] * 4 + [429] * 2, "of one reader in an hour"
    assert len(read_reports(tmp_path / "confidential/log")) == 5


def test_the_hour_has_room_for_so_many(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    said = json.dumps({"token": "ab", **FORM}).encode()
    assert [inbox.take(said, 0.0)[1] for _ in range(AN_HOUR + 1)] == [202] * AN_HOUR + [429]
    assert inbox.take(said, 3601.0)[1] == 202


@pytest.mark.parametrize(
    "said",
    [b"", b"x", b"[]", b"{}", b'{"token":"a b","page":"x","text":"y"}', b'{"token":"a","page":1,"text":"y"}',
     b'{"token":"a","page":"x"}', b"[" * 10_000],
)  # fmt: skip
def test_a_worker_is_not_believed(said: bytes, tmp_path: Path) -> None:
    assert Inbox(tmp_path).take(said, 0.0)[1] == 400
    assert read_reports(tmp_path) == ()


def test_a_half_written_report_does_not_spoil_the_next(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b'{"id":"p-1","rec')
    _, status, number = Inbox(tmp_path).take(json.dumps({"token": "a", **FORM}).encode(), 0.0)
    assert status == 202 and [report.id for report in read_reports(tmp_path)] == [number]


def test_a_report_that_cannot_be_kept_is_not_thanked_for(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert Inbox(tmp_path).take(json.dumps({"token": "a", **FORM}).encode(), 0.0)[1] == 503


@given(page=st.text(min_size=1, max_size=500), text=st.text(min_size=1, max_size=2000))
def test_any_letters_give_one_line_or_none(page: str, text: str) -> None:
    found = fields_of(urlencode({"page": page, "text": text}, errors="surrogatepass").encode())
    if found is not None:
        line = json.dumps(found, ensure_ascii=False)
        assert len(line.splitlines()) == 1 and line.encode()
        assert Report("p-1", "", **found).language == "en"
        assert "\u202e" not in line and "\x00" not in line
