"""Expected errors, as pages: what each typed error means in HTTP when a view lets it pass."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.loader import render_to_string

from mic.core.errors import Corrupt, MicError, Unavailable
from micelio.languages.spoken import gettext_noop
from micelio.pages import answers
from micelio.pages.answers import problem_context, problem_html
from micelio.projects.queries import project_name
from micelio.sentences import for_people

_log = logging.getLogger("micelio.pages")

# The title of a page for a method that an address does not take; those of errors are `micelio.pages.answers`'.
_METHOD = gettext_noop("Method Not Allowed")


def status_of(error: MicError) -> int:
    """The HTTP status of a typed error; 500 for one that should not have come up."""
    return answers.status_of(error)[0]


class ExpectedErrors:
    """Turns a typed error that left a view into its page. Anything else stays a failure of ours, a 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            _say_how(request, response)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Called by Django for an exception of a view."""
        if isinstance(error, OperationalError):
            _log.error("the database failed: %s", error)
            return plain_problem(
                request,
                Unavailable("The forge's database cannot be used right now.", hint="Try again in a moment."),
                503,
            )
        if not isinstance(error, MicError):
            return None
        error = for_people(error, project_name)
        status, title = answers.status_of(error)
        if status == 500 and not isinstance(error, Corrupt):
            return None
        html = problem_html(request, status, title, error.message, error.hint)
        return HttpResponse(html, status=status, headers={"Retry-After": "5"} if status == 503 else {})


def plain_problem(request: HttpRequest, error: MicError, status: int) -> HttpResponse:
    """An error as a page that asks nobody anything, so it is there when database and store are not: nobody's menu."""
    headers = {"Retry-After": "5"} if status == 503 else {}
    if request.GET.get("format") == "json" or not request.accepts("text/html"):
        body = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
        return JsonResponse(body, status=status, headers=headers)
    return HttpResponse(problem_page(error, status), status=status, headers=headers)


def problem_page(error: MicError, status: int) -> str:
    """The page of an error for whoever it is."""
    context = problem_context(status, answers.status_of(error)[1], error.message, error.hint)
    return render_to_string("pages/problem.html", context)


def _say_how(request: HttpRequest, response: HttpResponseNotAllowed) -> None:
    """Django's own answer to a method that an address does not take is empty."""
    taken = " and ".join(response.headers["Allow"].rsplit(", ", 1))
    message = f"This address takes {taken}, not {request.method}."
    hint = "Go back to the page that has the button." if "GET" not in taken else ""
    response.content = problem_html(request, 405, _METHOD, message, hint)
