"""Pages that say what is wrong: with the way out, in the words of the web, for people and for programs."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

import pages_story
from mic.core.errors import (
    Busy,
    Erased,
    InvalidInput,
    MicError,
    NotFound,
    PermissionDenied,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from mic.ledger.ledger import Ledger
from mic.store.s3 import S3Store
from micelio.config import current
from micelio.pages.answers import problem
from micelio.projects import ledgers
from scripted_s3 import ScriptedS3

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PermissionDenied("Not yours.", hint="Ask its owner."), 403),
        (NotFound("Not here.", hint="Look there."), 404),
        (Erased("It was erased.", hint="Nobody has it."), 410),
        (TooLarge("Too much.", hint="Send less."), 413),
        (RateLimited("Too often.", hint="Wait a minute."), 429),
        (Unavailable("The store does not answer.", hint="Try again."), 503),
    ],
)
def test_each_error_has_a_page_that_helps(error: MicError, status: int) -> None:
    """Its status, its sentence, what to do, and ways on; as JSON its code."""
    answer = problem(RequestFactory().get("/", headers={"Accept": "text/html"}), error)
    said = answer.content.decode()
    assert answer.status_code == status
    assert error.message in said
    assert error.hint in said
    assert 'href="/-/search"' in said
    data = problem(RequestFactory().get("/?format=json"), error)
    assert data.status_code == status
    assert error.code in data.content.decode()


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (InvalidInput("So?"), "This cannot be meant that way"),
        (Unauthenticated("Who?"), "Sign in first"),
        (PermissionDenied("Not yours."), "Not allowed"),
        (NotFound("Not here."), "Nothing here"),
        (Busy("Later."), "Busy"),
        (Erased("It was erased."), "Taken away"),
        (TooLarge("Too much."), "Too large"),
        (RateLimited("Too often."), "Too many requests"),
        (Unavailable("Away."), "Not reachable at the moment"),
    ],
)
def test_an_error_has_one_title_wherever_it_is_met(error: MicError, title: str) -> None:
    """In a page's own view, in one that lets it pass, before any view, and where nobody may be asked."""
    from micelio.edge import failures, limits

    request = RequestFactory().get("/", headers={"Accept": "text/html"})
    passed = failures.ExpectedErrors(lambda _: HttpResponse()).process_exception(request, error)
    assert passed is not None
    before = limits.problem(request, error, 400)
    assert isinstance(before, HttpResponse)
    pages = [problem(request, error).content, passed.content, before.content]
    for said in [*(page.decode() for page in pages), failures.problem_page(error, 400)]:
        assert f"<title>{title} · Micelio</title>" in said
        assert f"<h1>{title}</h1>" in said


def test_an_address_of_nothing_has_the_same_title() -> None:
    """Whether it is no address at all, a name that nobody has, or a file that is not there."""
    pages_story.tell()
    for address in (
        "/-/none",
        "/nobody-here",
        "/acme/api/-/file/head/none",
        "/@nobody-here",
        "/docs/none",
        "/blog/none",
    ):
        answer = Client().get(address, headers={"Accept": "text/html"})
        assert answer.status_code == 404, address
        assert "<title>Nothing here · Micelio</title>" in answer.content.decode(), address


def test_a_name_that_nobody_has_is_answered_in_words_of_the_web(db: None) -> None:
    """Such as /admin: no command of a terminal is named."""
    said = Client().get("/admin").content.decode()
    assert "No organization is called" in said
    assert "mic org" not in said
    assert Client().get("/favicon.ico")["Content-Type"] == "image/x-icon"


def test_pages_that_ask_nobody_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away is a page with a way out, or the code of the error; it asks the database for nothing."""
    from django.db import OperationalError

    from micelio.edge.failures import ExpectedErrors

    request = RequestFactory().get("/acme", headers={"Accept": "text/html"})
    monkeypatch.setattr("micelio.pages.templatetags.pages.actor_from_request", lambda _: pytest.fail("it asked"))
    answer = ExpectedErrors(lambda _: HttpResponse()).process_exception(request, OperationalError("locked"))
    assert answer is not None
    said = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "database cannot be used right now" in said
    assert 'href="/-/search"' in said
    assert "locked" not in said
    data = ExpectedErrors(lambda _: HttpResponse()).process_exception(
        RequestFactory().get("/acme?format=json"), OperationalError("locked")
    )
    assert data is not None
    assert json.loads(data.content)["error"]["code"] == "unavailable"


PAGES = ("/", "/acme", "/acme/api", "/acme/api/-/landings", "/acme/api/-/file/head/README.md", "/acme/api/-/landings/3")


def test_with_the_store_away_pages_say_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists go on, for they need no store; the pages of a project are 503 within 300 ms of this process's time."""
    story = pages_story.tell()
    Client().get("/acme/api")

    def away(*_: object, **__: object) -> Any:
        raise Unavailable("the store does not answer", hint="Try again later.")

    for name in ("head", "tree_at", "records", "landing", "landings"):
        monkeypatch.setattr(type(story.ledger), name, away)
    for page in PAGES:
        begin = time.thread_time()
        answer = Client().get(page)
        took = time.thread_time() - begin
        assert answer.status_code == (200 if page in ("/", "/acme") else 503), page
        if answer.status_code == 503:
            said = answer.content.decode()
            assert "the store does not answer" in said.lower()
            assert "Try again later." in said
            assert took < 0.3, page


@pytest.mark.parametrize("away", ["stopped", "silent"])
def test_with_the_bucket_away_one_page_waits_for_it_and_the_others_do_not(
    monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    """Whether it refuses connections or takes them and never answers: pages and their twins say so, and when to come.

    What is written keeps its patience: it asks four times.
    """
    monkeypatch.setattr("mic.store.s3.HURRIED_SECONDS", 0.2)
    server = ScriptedS3()
    try:
        bucket = S3Store(server.place, lambda _: None)
        monkeypatch.setattr(ledgers, "_ledger", Ledger(bucket))
        pages_story.tell()
        server.asked.clear()
        pauses: list[float] = []
        monkeypatch.setattr(bucket, "_pause", pauses.append)
        if away == "silent":
            server.answers.clear()
        else:
            server.stop()
        for page in (*PAGES, *(f"{page}?format=json" for page in PAGES[2:])):
            answer = Client().get(page)
            assert answer.status_code == (200 if page in ("/", "/acme") else 503), page
            if answer.status_code == 503:
                assert answer["Retry-After"] == "5"
                assert "store cannot be used" in answer.content.decode(), page
        assert (len(server.asked), len(pauses)) == ((1, 0) if away == "silent" else (0, 1))
        if away == "stopped":
            with pytest.raises(Unavailable):
                bucket.put("some/thing", b"")
            assert len(pauses) == 4
    finally:
        server.stop()


def test_a_project_whose_store_is_broken_does_not_break_the_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own page says what is broken; home, organization, person, search and the map go on and name it."""
    story = pages_story.tell()
    folder = current().store_dir / "projects" / story.project.id.hex
    for path in list(folder.rglob("*")):
        if path.is_file():
            path.unlink()
    monkeypatch.setattr(ledgers, "_ledger", None)
    for page in ("/", "/acme", "/@maintainer", "/-/search?q=api&type=projects", "/sitemap.xml"):
        answer = Client().get(page)
        assert answer.status_code == 200, page
        assert "acme/api" in answer.content.decode(), page
    broken = Client().get("/acme/api")
    assert broken.status_code == 500
    assert "The history of acme/api is missing from the store." in broken.content.decode()
