"""Purge hooks: each cache is asked, and what it answers is said."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from clerestory.api.purge import TOKEN, purge


def test_each_cache_is_asked_and_its_answer_said(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, dict[str, object], str | None]] = []

    class Cache(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["content-length"])))
            heard.append((self.path, said, self.headers.get("authorization")))
            self.send_response(200 if self.path == "/good" else 403)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv(TOKEN, "t")
    with HTTPServer(("127.0.0.1", 0), Cache) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        found = purge([f"{base}/good", f"{base}/bad", "http://cdn.example/", "https://127.0.0.1:1/"], "r-0")
        server.shutdown()
    assert [one.problem for one in found] == [
        "",
        "it answered 403",
        "only https addresses are asked",
        "it did not answer",
    ]
    assert heard[0] == ("/good", {"release": "r-0", "purge_everything": True}, "Bearer t")
