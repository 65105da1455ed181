"""Pages that are served again: only while they are what making them would show, and only to whom everybody is alike."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from mic.core.head import Head
from micelio.languages.known import ENGLISH, GERMAN
from micelio.languages.spoken import speak
from micelio.pages import kept
from micelio.pages.kept import KeptPages, Rows, note_head

LINE = UUID(int=1)


class _Rows(Rows):
    """As told."""

    told: int | None = 1

    def version(self) -> int | None:
        return self.told


class _Forge:
    """Pages that say how many were made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows, self.now, self.made = _Rows(), 100.0, 0
        self.head = Head(1, bytes(32), 0)
        self.pages = KeptPages(self.rows, lambda: self.now)
        self.response: dict[str, Any] = {}
        monkeypatch.setattr(kept, "open_ledger", lambda line: SimpleNamespace(head=lambda: self.head))

    def get(self, address: str = "/acme/api", method: str = "GET", **headers: str) -> str:
        request = RequestFactory().generic(method, address, headers=headers)
        for pair in filter(None, headers.get("Cookie", "").split("; ")):
            name, _, value = pair.partition("=")
            request.COOKIES[name] = value

        def make() -> HttpResponse:
            self.made += 1
            note_head(LINE, self.head)
            response = HttpResponse(f"page {self.made}", **self.response)
            if "cookie" in address:
                response.set_cookie("a", "b")
            if "form" in address:
                request.META["CSRF_COOKIE_NEEDS_UPDATE"] = True
            return response

        answer = self.pages.answer(request, make)
        assert isinstance(answer, HttpResponse)
        body = answer.content
        if answer.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return body.decode()


@pytest.fixture
def forge(monkeypatch: pytest.MonkeyPatch) -> _Forge:
    return _Forge(monkeypatch)


def test_it_is_served_again_while_nothing_changed(forge: _Forge) -> None:
    assert [forge.get() for _ in range(3)] == ["page 1"] * 3
    forge.rows.told = 2
    assert [forge.get() for _ in range(2)] == ["page 2"] * 2
    forge.head = Head(2, bytes(32), 0)
    assert [forge.get() for _ in range(2)] == ["page 3"] * 2
    forge.now += 4.9
    assert forge.get() == "page 3"
    forge.now += 0.2
    assert forge.get() == "page 4"


def test_what_changes_while_it_is_made_counts(forge: _Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are asked before the page is made: what it did not see is not believed of it."""
    told = iter([1, 2, 2])
    monkeypatch.setattr(forge.rows, "version", lambda: next(told))
    assert [forge.get() for _ in range(3)] == ["page 1", "page 2", "page 2"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "sessionid=x"},
        {"Cookie": "csrftoken=x"},
        {"Authorization": "Bearer x"},
        {"Accept": "application/json"},
        {"Accept": "text/markdown"},
    ],
)
def test_what_is_for_somebody_is_made_for_them(forge: _Forge, headers: dict[str, str]) -> None:
    assert forge.get() == "page 1"
    assert [forge.get(**headers) for _ in range(2)] == ["page 2", "page 3"]
    assert forge.get() == "page 1"


def test_other_questions_are_other_pages(forge: _Forge) -> None:
    assert forge.get("/a") == "page 1"
    assert forge.get("/a?after=b") == "page 2"
    assert forge.get("/a", **{"Accept-Encoding": "gzip, br"}) == "page 3"
    speak(GERMAN)
    try:
        assert forge.get("/a") == "page 4"
    finally:
        speak(ENGLISH)
    assert [forge.get("/a"), forge.get("/a?after=b"), forge.get("/a", **{"Accept-Encoding": "gzip"})] == [
        "page 1", "page 2", "page 3",
    ]  # fmt: skip
    assert forge.get("/a", "HEAD") == "page 5"
    assert forge.get("/a?format=html") == "page 6"
    assert forge.get("/a?format=html") == "page 7"


@pytest.mark.parametrize(
    ("address", "response"),
    [
        ("/a", {"status": 404}),
        ("/a", {"status": 301}),
        ("/cookie", {}),
        ("/form", {}),
        ("/a", {"content_type": "application/json"}),
        ("/a", {"headers": {"Content-Encoding": "br"}}),
    ],
)
def test_only_a_whole_page_is_kept(forge: _Forge, address: str, response: dict[str, Any]) -> None:
    forge.response = response
    assert [forge.get(address) for _ in range(2)] == ["page 1", "page 2"]


def test_where_rows_say_nothing_nothing_is_kept(forge: _Forge) -> None:
    forge.rows.told = None
    assert [forge.get() for _ in range(2)] == ["page 1", "page 2"]


def test_it_is_bounded(forge: _Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that nobody asked for the longest goes first."""
    monkeypatch.setattr(kept, "MOST", 14)
    assert [forge.get(f"/{name}") for name in "aba"] == ["page 1", "page 2", "page 1"]
    assert [forge.get(f"/{name}") for name in "cab"] == ["page 3", "page 1", "page 4"]
    monkeypatch.setattr(kept, "LARGEST", 5)
    assert [forge.get("/large") for _ in range(2)] == ["page 5", "page 6"]


def test_rows_say_when_another_connection_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "a b.sqlite3"
    other = sqlite3.connect(place, isolation_level=None)
    other.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (a)")
    monkeypatch.setattr(kept, "current", lambda: SimpleNamespace(postgres=None, database=place))
    rows = Rows()
    first = rows.version()
    assert first is not None
    assert rows.version() == first
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO t VALUES (1)")
    assert rows.version() == first  # not committed yet
    other.execute("COMMIT")
    second = rows.version()
    assert second not in (None, first)
    other.execute("SELECT * FROM t").fetchall()
    assert rows.version() == second
    monkeypatch.setattr(kept, "current", lambda: SimpleNamespace(postgres=None, database=tmp_path / "none"))
    assert Rows().version() is None
    monkeypatch.setattr(kept, "current", lambda: SimpleNamespace(postgres=object(), database=place))
    assert rows.version() is None
