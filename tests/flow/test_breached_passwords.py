"""Passwords known from breaches, asked of a server that speaks the range protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from browser import Browser
from forge_process import Forge
from web_server import WebServer

STOLEN, PADDED, FRESH = "correct horse battery", "a padded line of the answer", "nobody else has this one"


class Ranges:
    """Knows one stolen password, and adds a line of count 0 as the real service does."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        lines = []
        for password, count in ((STOLEN, 3861493), (PADDED, 0)):
            digest = hashlib.sha1(password.encode()).hexdigest().upper()
            if request.path == f"/range/{digest[:5]}":
                lines.append(f"{digest[5:]}:{count}")
        body = "\r\n".join([*lines, "0" * 35 + ":7"]).encode()
        request.send_response(self.status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def ranges() -> Iterator[tuple[Ranges, str]]:
    answer = Ranges()
    server = WebServer(answer)
    yield answer, f"{server.url}/range/"
    server.close()


def test_a_stolen_password_is_refused(ranges: tuple[Ranges, str], tmp_path: Path) -> None:
    """At sign-up and on the account page; the service hears five digits, and its silence refuses nobody."""
    answer, address = ranges
    forge = Forge(tmp_path / "data", MICELIO_PASSWORD_BREACHES=address, MICELIO_OUTGOING_ALLOW="127.0.0.1")
    try:
        with Browser(forge.base_url) as browser:
            fields = {"email": "ada@example.org", "username": "ada", "name": "Ada"}
            said = browser.submit("/-/sign-up", **fields, password1=STOLEN)
            assert "was found 3,861,493 times in stolen lists" in said.text
            assert browser.submit("/-/sign-up", **fields, password1=PADDED).status_code == 302
            browser.confirm(PADDED)
            page = browser.set_password(STOLEN)
            assert "stolen lists" in page.text
            whole = hashlib.sha1(STOLEN.encode()).hexdigest().upper()
            assert f"/range/{whole[:5]}" in answer.asked
            assert all(len(path) == len("/range/") + 5 for path in answer.asked)
            answer.status = 503
            assert browser.set_password(FRESH).status_code == 302
            common = browser.set_password("password1234")
            assert common.status_code == 400
            assert common.text.count("too common") == 1
        assert "passwords are checked against the own list only" in forge.log()
        assert STOLEN not in forge.log()
    finally:
        forge.stop()
