"""The server hands out the live release's files, exactly, and nothing else."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import brotli
import pytest

from clerestory.release.bundle import switch

Ask = Callable[..., Any]
Publish = Callable[..., Any]
Served = Callable[..., Any]


def test_pages_are_served_by_their_folder(get: Ask, files: dict[str, bytes]) -> None:
    answer = get("/")
    assert (answer.status, answer.body) == (200, files["site/index.html"])
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["etag"] == f'"{sha256(answer.body).hexdigest()[:32]}"'
    assert get("/firearms/ccw/").body == files["site/firearms/ccw/index.html"]
    assert get("/index.html").status == 200
    assert get("/assets/site.css").headers["content-type"] == "text/css; charset=utf-8"
    assert get("/data/ccw.csv").headers["content-type"] == "text/csv; charset=utf-8"


def test_a_folder_without_its_slash_leads_to_it(get: Ask) -> None:
    answer = get("/firearms/ccw", query=b"a=1")
    assert (answer.status, answer.headers["location"]) == (308, "/firearms/ccw/?a=1")
    assert get("/firearms").status == 404, "a folder without a page is no address"


def test_every_answer_is_armoured(get: Ask) -> None:
    for answer in (get("/"), get("/nowhere"), get("/", "POST"), get("/" + "a" * 3000), get("/firearms/ccw")):
        policy = answer.headers["content-security-policy"].split("; ")
        assert policy[0] == "default-src 'none'"
        assert {"require-trusted-types-for 'script'", "trusted-types clerestory", "base-uri 'none'"} <= set(
            policy
        )
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]


def test_what_is_not_there_gets_the_page_of_its_language(get: Ask, files: dict[str, bytes]) -> None:
    assert (get("/nowhere").status, get("/nowhere").body) == (404, files["site/404.html"])
    assert get("/es/nada").body == files["site/es/404.html"]
    assert get("/nowhere").headers["cache-control"] == "no-store"


TRICKS = [
    "/../manifest.json", "/manifest.json", "/../../confidential/seed", "/%2e%2e/manifest.json",
    "/..%2fmanifest.json", "/%2e%2e%2fmanifest.json", "/%252e%252e/manifest.json", "/site/index.html",
    "/./index.html", "//index.html", "/firearms/../index.html", "/index.html/", "/index.html/..",
    "/data", "/data/", "/assets/", "/..", "/.", "//", "/proof/proof.json", "/../proof/proof.json",
    "\\..\\manifest.json", "/..\\manifest.json", "/index.html%00", "/index.html\x00.css", "/INDEX.HTML",
    "/%69ndex.html", "/data/ccw.csv ", "/data/ccw.csv;a=1", "/é", "/%c0%ae/", "index.html", "", "*",
    "http://127.0.0.1/index.html", "//evil.example/firearms/ccw", "/current/site/index.html",
]  # fmt: skip


@pytest.mark.parametrize("path", TRICKS)
def test_no_trick_in_an_address_reaches_anything(path: str, get: Ask, files: dict[str, bytes]) -> None:
    answer = get(path)
    assert (answer.status, answer.body) == (404, files["site/404.html"])
    assert get(path.encode("utf-8", "replace") + b"\xff").status == 404


def test_only_reading_is_answered(get: Ask) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "X"):
        answer = get("/", method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_head_is_get_without_the_body(get: Ask, files: dict[str, bytes]) -> None:
    for path in ("/", "/data/large.csv", "/nowhere", "/firearms/ccw"):
        head, whole = get(path, "HEAD"), get(path)
        assert (head.status, head.headers, head.body) == (whole.status, whole.headers, b"")


def test_addresses_have_a_limit(get: Ask) -> None:
    assert get("/" + "a" * 2048).status == 414
    assert get("/", query=b"a" * 2048).status == 414
    assert get("/", query=b"a" * 2000).status == 200


def test_what_the_reader_has_is_not_sent_again(get: Ask) -> None:
    etag = get("/").headers["etag"]
    for said in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = get("/", if_none_match=said)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)
        assert "content-type" not in answer.headers and "content-length" not in answer.headers
    assert get("/", if_none_match='"other"').status == 200
    assert get("/", if_none_match=etag, accept_encoding="gzip").status == 200, "another form of it"


def test_answers_are_compressed_as_the_reader_takes_them(get: Ask, files: dict[str, bytes]) -> None:
    home = files["site/index.html"]
    assert "content-encoding" not in get("/").headers
    packed = get("/", accept_encoding="gzip, deflate")
    assert packed.headers["content-encoding"] == "gzip" and gzip.decompress(packed.body) == home
    smaller = get("/", accept_encoding="gzip, deflate, br;q=0.9")
    assert smaller.headers["content-encoding"] == "br" and brotli.decompress(smaller.body) == home
    assert "content-encoding" not in get("/", accept_encoding="gzip;q=0, br;q=0").headers
    assert get("/", accept_encoding="br;q=0, *").headers["content-encoding"] == "gzip"
    tags = {answer.headers["etag"] for answer in (get("/"), packed, smaller)}
    assert len(tags) == 3 and packed.headers["vary"] == "accept-encoding"
    assert "content-encoding" not in get("/assets/site.css", accept_encoding="br").headers, "too small"
    assert int(packed.headers["content-length"]) == len(packed.body)


@pytest.mark.parametrize("path", ["/data/ccw.csv", "/data/large.csv"])
def test_a_part_of_a_file_can_be_asked_for(path: str, get: Ask, files: dict[str, bytes]) -> None:
    content = files["site" + path]
    size = len(content)
    for said, first, last in (
        ("bytes=0-0", 0, 0),
        ("bytes=5-9", 5, 9),
        (f"bytes={size - 3}-", size - 3, size - 1),
        ("bytes=-4", size - 4, size - 1),
        (f"bytes=7-{size * 9}", 7, size - 1),
        (f"bytes=-{size * 9}", 0, size - 1),
    ):
        answer = get(path, range=said, accept_encoding="gzip")
        assert (answer.status, answer.body) == (206, content[first : last + 1])
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert int(answer.headers["content-length"]) == len(answer.body)
    for said in (
        "bytes=a-b",
        "bytes=9-5",
        "items=0-1",
        "bytes=0-1,3-4",
        "bytes=-",
        "bytes=" + "9" * 30 + "-",
    ):
        assert (get(path, range=said).status, get(path, range=said).body) == (200, content)
    for said in (f"bytes={size}-", "bytes=-0"):
        answer = get(path, range=said)
        assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{size}")
    etag = get(path).headers["etag"]
    assert get(path, range="bytes=0-1", if_range=etag).status == 206
    assert get(path, range="bytes=0-1", if_range='"older"').status == 200
    assert get(path, range="bytes=0-1", if_none_match=etag).status == 304


@pytest.mark.parametrize("path", ["data/ccw.csv", "data/large.csv"])
def test_a_byte_changed_on_disk_is_not_served(path: str, get: Ask, publish: Publish) -> None:
    file = publish().folder / "site" / path
    assert get("/" + path).status == 200
    content = file.read_bytes()
    file.write_bytes(content.replace(content[:1], b"#"))
    answer = get("/" + path)
    assert answer.status == 500 and b"changed after it was published" in answer.body
    assert answer.headers["cache-control"] == "no-store"
    file.write_bytes(content)
    assert get("/" + path).status == 200
    file.unlink()
    assert get("/" + path).status == 500


@pytest.mark.parametrize("path", ["data/ccw.csv", "data/large.csv"])
def test_planted_links_and_pipes_are_not_followed(
    path: str, get: Ask, publish: Publish, tmp_path: Path
) -> None:
    secret = tmp_path / "seed"
    secret.write_bytes(b"secret" * 1000)
    folder = publish().folder
    file = folder / "site" / path
    (folder / "site/planted.txt").symlink_to(secret)
    assert get("/planted.txt").status == 404
    file.unlink()
    file.symlink_to(secret)
    assert get("/" + path).status == 500
    file.unlink()
    os.mkfifo(file)
    assert get("/" + path).status == 500
    file.unlink()
    file.mkdir()
    assert get("/" + path).status == 500
    file.rmdir()
    (folder / "site/data").rename(folder / "site/data2")
    (folder / "site/data").symlink_to(tmp_path)
    assert get("/" + path).status == 500


def test_a_switch_is_seen_by_the_next_request(get: Ask, publish: Publish, tmp_path: Path) -> None:
    old = publish()
    assert b"Home" in get("/").body
    new = publish({"site/index.html": b"<!doctype html><p>New", "site/new.html": b"<p>"})
    assert get("/").body == b"<!doctype html><p>New" and get("/new.html").status == 200
    switch(tmp_path / "releases", old.id)
    assert b"Home" in get("/").body and get("/new.html").status == 404
    assert new.id != old.id


def test_without_a_usable_release_nothing_is_served(get: Ask, publish: Publish, tmp_path: Path) -> None:
    release = publish()
    assert get("/").status == 200
    current = tmp_path / "releases/current"
    current.unlink()
    answer = get("/")
    assert (answer.status, answer.headers["retry-after"]) == (503, "60")
    current.symlink_to("/etc")
    assert get("/passwd").status == 503
    current.unlink()
    current.symlink_to("r-0123456789ab")
    assert get("/").status == 503
    current.unlink()
    current.symlink_to(release.id)
    assert get("/").status == 200


def test_an_edited_manifest_opens_nothing(ask: Ask, publish: Publish, served: Served) -> None:
    release = publish()
    manifest = release.folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"site/404.html", b"site/405.html"))
    assert ask(served(release.folder.parent), "/").status == 503


def test_memory_for_contents_is_bounded(publish: Publish, tmp_path: Path, ask: Ask, served: Served) -> None:
    pages = {f"site/p{n}.html": os.urandom(30_000) for n in range(40)}
    publish(pages)
    app = served(tmp_path / "releases", memory=200_000)
    for path, content in pages.items():
        assert ask(app, path.removeprefix("site"), accept_encoding="br").status == 200
        assert ask(app, path.removeprefix("site")).body == content
        assert app.site.contents.size <= 200_000 + 60_100
    assert app.site.contents.size == sum(
        len(body) for kept in app.site.contents._kept.values() for body in kept.bodies.values()
    )
