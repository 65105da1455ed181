"""Searching a branch: files at its head, looked at one after the other, within a bound that the page tells of."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import pages_story
from html_check import Document, without_keys
from mic.core.blob import encode_blob
from mic.core.errors import InvalidInput
from mic.core.ids import content_hash, new_ulid
from mic.core.session import Change, Op, Session
from micelio.accounts.actor import ANONYMOUS
from micelio.projects.actions import update_project
from micelio.projects.branches import create_branch
from micelio.projects.queries import on_branch
from micelio.search import indexer, queries
from micelio.search.asked import parse_asked
from micelio.search.queries import find
from micelio.sessions.actions import land

pytestmark = pytest.mark.django_db
ON = 'repo:acme/api branch:"fix/login"'
FILES = {
    b"src/new_login.py": b"def login():\n    return 'sesame'\n",
    b"docs/<script>alert(1)<script>.md": b"Sesame <b>opens</b>\n",
    b"bin.dat": b"\x00sesame",
}


@pytest.fixture
def story(db: None) -> pages_story.Story:
    """A branch `fix/login` with three files that main has not."""
    told = pages_story.tell()
    indexer.follow(told.project.id)
    create_branch(told.actor, told.project, "fix/login", 4)
    branch = on_branch(told.project, "fix/login")
    session = Session(
        id=new_ulid(time.time_ns() // 1_000_000, bytes(10)),
        goal="Say the word",
        base_position=4,
        changes=tuple(
            Change(path, int(Op.ADDED), 0o100644, content_hash(data), len(data)) for path, data in FILES.items()
        ),
    )
    land(told.actor, branch, session, {content_hash(data): encode_blob(data) for data in FILES.values()})
    return told


def _paths(text: str, after: str = "") -> list[bytes]:
    return [row.path for row in find(ANONYMOUS, "code", parse_asked(text), after).rows]  # type: ignore[union-attr]


def test_names_and_texts_of_a_branch(story: pages_story.Story) -> None:
    """What it changed and what it has from main; binary files by name alone; filters as ever; main as before."""
    assert _paths(f"{ON} sesame") == [b"docs/<script>alert(1)<script>.md", b"src/new_login.py"]
    assert _paths(f"{ON} se") != []
    assert _paths(f"{ON} sesame lang:python") == [b"src/new_login.py"]
    assert _paths(f"{ON} /ret\\w+ 'ses/") == [b"src/new_login.py"]
    assert _paths(f"{ON} path:SRC/auth fifteen_minutes") == [b"src/auth/tokens.py"]
    assert _paths(f"{ON} bin.dat") == [b"bin.dat"]
    assert _paths("repo:acme/api sesame") == _paths("repo:acme/api branch:main sesame") == []
    for kind in ("sessions", "decisions", "projects", "people"):
        assert find(ANONYMOUS, kind, parse_asked(f"{ON} tokens")).rows == []


def test_the_page(story: pages_story.Story) -> None:
    """A branch's box looks in the branch; results lead there; the page says what is not searched. Names are text."""
    at_home = Document(Client().get("/acme/api@fix:login").content.decode())
    hidden = {each.attributes.get("name"): each.attributes.get("value") for each in at_home.all("input")}
    assert (hidden["repo"], hidden["branch"]) == ("acme/api", "fix/login")
    source = Client().get("/-/search?q=sesame&repo=acme/api&branch=fix/login").content.decode()
    page = Document(source)
    assert "Its sessions and decisions are not searched." in source
    assert "<script" not in without_keys(source)
    addresses = [a.attributes["href"] or "" for a in page.all("a")]
    assert any(each.startswith("/acme/api@fix:login/-/file/head/src/new_login.py") for each in addresses)
    assert "/-/search?q=sesame&repo=acme%2Fapi" in addresses
    for each in addresses:
        if each.startswith("/acme/api@"):
            assert Client().get(each.partition("#")[0]).status_code == 200
    data = Client().get("/-/search?q=sesame&repo=acme/api&branch=fix/login&format=json").json()
    assert data["branch"] == "fix/login"
    assert {each["branch"] for each in data["results"]["code"]} == {"fix/login"}


def test_it_goes_on_where_it_ended(story: pages_story.Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few names at a time, each once; a token of nonsense begins at the beginning; few queries."""
    monkeypatch.setattr(queries, "LOOKED_AT_ON_BRANCH", 2)
    seen: list[bytes] = []
    after, steps = "", 0
    while steps == 0 or after:
        found = find(ANONYMOUS, "code", parse_asked(f"{ON} sesame"), after)
        assert found.cut == bool(found.after)
        rows: Any = found.rows
        seen += [row.path for row in rows]
        after, steps = found.after, steps + 1
    assert seen == [b"docs/<script>alert(1)<script>.md", b"src/new_login.py"]
    assert steps > 2
    monkeypatch.setattr(queries, "LOOKED_AT_ON_BRANCH", 5000)
    first = find(ANONYMOUS, "code", parse_asked(f"{ON} sesame"), limit=1)
    assert (len(first.rows), first.cut) == (1, False)
    assert _paths(f"{ON} sesame", first.after) == [b"src/new_login.py"]
    assert len(_paths(f"{ON} sesame", "zz")) == 2
    with CaptureQueriesContext(connection) as asked:
        Client().get("/-/search?q=sesame&repo=acme/api&branch=fix/login&type=code")
    assert len(asked) <= 12


def test_what_is_not_there_or_not_yours(story: pages_story.Story) -> None:
    """A branch needs its project; a hidden one is as one that is not there."""
    for text in ("branch:fix/login sesame", "repo:acme branch:fix/login sesame"):
        with pytest.raises(InvalidInput):
            parse_asked(text)
    address = "/-/search?q=sesame&repo=acme/api&branch="
    gone = Client().get(f"{address}nothing")
    update_project(story.actor, "acme", "api", visibility="private")
    hidden = Client().get(f"{address}fix/login")
    assert (gone.status_code, hidden.status_code) == (404, 404)
    assert "sesame" not in hidden.content.decode().replace("q=sesame", "")
