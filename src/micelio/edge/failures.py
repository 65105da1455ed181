"""Expected errors, as pages: what each typed error means in HTTP when a view lets it pass."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from mic.core.errors import (
    AlreadyExists,
    Busy,
    Corrupt,
    InvalidInput,
    MicError,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from micelio.projects.queries import project_name
from micelio.sentences import for_people

# First match wins: narrow classes before the ones they derive from.
STATUS: tuple[tuple[type[MicError], int], ...] = (
    (NotFound, 404),
    (Unauthenticated, 401),
    (PermissionDenied, 403),
    (AlreadyExists, 409),
    (PreconditionFailed, 409),
    (Busy, 409),
    (TooLarge, 413),
    (InvalidInput, 400),
    (Unavailable, 503),
)


def status_of(error: MicError) -> int:
    """The HTTP status of a typed error; 500 for one that should not have come up."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


class ExpectedErrors:
    """Turns a typed error that left a view into its page. Anything else stays a failure of ours, a 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Called by Django for an exception of a view."""
        if not isinstance(error, MicError):
            return None
        error = for_people(error, project_name)
        status = status_of(error)
        if status == 500 and not isinstance(error, Corrupt):
            return None
        context = {"title": HTTPStatus(status).phrase, "message": error.message, "hint": error.hint}
        return HttpResponse(render_to_string("pages/problem.html", context, request), status=status)
