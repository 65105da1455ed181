"""Pages that say what is wrong: with the way out, in the words of the web, for people and for programs."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory

from mic.core.errors import Erased, MicError, NotFound, PermissionDenied, RateLimited, TooLarge, Unavailable
from micelio.pages.answers import problem

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


def test_a_name_that_nobody_has_is_answered_in_words_of_the_web(db: None) -> None:
    """Such as /admin: no command of a terminal is named."""
    said = Client().get("/admin").content.decode()
    assert "No organization is called" in said
    assert "mic org" not in said
    assert Client().get("/favicon.ico")["Content-Type"] == "image/x-icon"
