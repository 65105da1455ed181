"""Errors as problem+json (RFC 9457): what happened, its stable code, the way out, and where more is said about it."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpResponse, UnreadablePostError

from mic.core.errors import (
    AlreadyExists,
    Busy,
    Conflicted,
    Erased,
    InvalidInput,
    MicError,
    NotEmpty,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RateLimited,
    SecretFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from micelio.api.limits import LARGEST_BODY
from micelio.api.meanings import MEANINGS
from micelio.config import current
from micelio.projects.queries import project_name
from micelio.sentences import for_people

_log = logging.getLogger("micelio.api")

MEDIA_TYPE = "application/problem+json"


class KeyReused(InvalidInput):
    """An idempotency key came a second time, with another request."""

    code = "key_reused"


class UnknownType(InvalidInput):
    """A body in a form that nobody reads here."""


class MethodNotAllowed(InvalidInput):
    """There is such a thing, and this cannot be done to it."""

    code = "method_not_allowed"


# First match wins: narrow classes before the ones they derive from.
_STATUS: tuple[tuple[type[MicError], int], ...] = (
    (NotFound, 404),
    (Erased, 410),
    (Unauthenticated, 401),
    (PermissionDenied, 403),
    (AlreadyExists, 409),
    (NotEmpty, 409),
    (PreconditionFailed, 412),
    (RateLimited, 429),
    (Conflicted, 409),
    (Busy, 409),
    (TooLarge, 413),
    (KeyReused, 422),
    (UnknownType, 415),
    (MethodNotAllowed, 405),
    (InvalidInput, 400),
    (Unavailable, 503),
)
# Whoever waits so many seconds has a chance.
_WAIT = "5"


def status_of(error: MicError) -> int:
    """The HTTP status of a typed error; 500 for one that should not have come up."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(error: Exception, request_id: str) -> HttpResponse:
    """Any error as an answer. One that nobody expected is logged with its request id, and told without its text."""
    expected = for_people(_expected(error, request_id), project_name)
    status = status_of(expected)
    link = meaning_address(expected.code)
    meaning = MEANINGS.get(expected.code, MEANINGS["internal"])
    body: dict[str, Any] = {
        "type": link,
        "title": meaning.short,
        "status": status,
        "detail": expected.message,
        "code": expected.code,
        "fix": expected.hint or meaning.fix,
        "docs": link,
        "request_id": request_id,
        **_more(expected),
    }
    answer = HttpResponse(msgspec.json.encode(body), status=status, content_type=MEDIA_TYPE)
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="micelio"'
    if status == 503:
        answer.headers["Retry-After"] = _WAIT
    if isinstance(expected, RateLimited):
        answer.headers["Retry-After"] = str(max(1, -int(-expected.details["retry_after"] // 1)))
    if isinstance(expected, MethodNotAllowed):
        answer.headers["Allow"] = str(expected.details.get("allow", ""))
    return answer


def meaning_address(code: str) -> str:
    """Where the forge itself says more about a code."""
    return f"{current().base_url}/api/docs/errors#{code}"


def _expected(error: Exception, request_id: str) -> MicError:
    if isinstance(error, MicError):
        return error
    if isinstance(error, OperationalError):
        _log.error("the database failed: %s", error)
        return Unavailable("The forge's database cannot be used right now.", hint="Try again in a moment.")
    if isinstance(error, RequestDataTooBig):
        return TooLarge(f"The body is larger than {LARGEST_BODY} bytes.", hint="Send less at once, or use `mic`.")
    if isinstance(error, UnreadablePostError | SuspiciousOperation | BadRequest):
        return InvalidInput("The request could not be read.", hint="Send it again, whole.")
    if isinstance(error, Http404):
        return NotFound("There is nothing at this address.", hint="Look at /api/docs for what there is.")
    _log.error("request %s failed", request_id, exc_info=error)
    return MicError("Something went wrong in the forge.", hint="Try again; its log says more under the request id.")


def _more(error: MicError) -> dict[str, Any]:
    """What else a program needs to mend it."""
    if isinstance(error, Conflicted):
        return {"clashes": [_clash(clash) for clash in error.details.get("clashes", ())[:1000]]}
    if isinstance(error, SecretFound) and "document" in error.details:
        return {"findings": _plain(error.details["document"])}
    if "fields" in error.details:
        return {"fields": error.details["fields"]}
    return {}


def _clash(clash: Any) -> dict[str, Any]:
    """A `mic.ledger` clash, or one that was kept with the session."""
    return {
        "path": clash.path.decode("utf-8", "replace"),
        "reason": clash.reason,
        "base": _hash(clash, "base"),
        "ours": _hash(clash, "ours"),
        "theirs": _hash(clash, "theirs"),
        "theirs_position": getattr(clash, "theirs_position", getattr(clash, "position", 0)),
    }


def _hash(clash: Any, side: str) -> str | None:
    found = getattr(clash, side)
    content = found if isinstance(found, bytes) else getattr(found, "hash", b"")
    return content.hex() or None


def _plain(value: Any) -> Any:
    """A document of findings, which is JSON text or a value."""
    if isinstance(value, bytes | str):
        return msgspec.json.decode(value)
    return value


def field_error(errors: list[dict[str, Any]]) -> InvalidInput:
    """What is wrong with the fields of a request, as pydantic found it, in one sentence and as a list."""
    fields = [{"field": _place(item["loc"]), "problem": _problem(item)} for item in errors[:20]]
    first = fields[0]
    return InvalidInput(
        f"`{first['field']}` {first['problem']}."[:500],
        hint="Look at /api/docs for what this takes.",
        fields=fields,
    )


def _problem(item: dict[str, Any]) -> str:
    known = {
        "missing": "is missing",
        "extra_forbidden": "is not known here",
        "model_type": "must be an object",
        "model_attributes_type": "must be an object",
        "dict_type": "must be an object",
        "list_type": "must be an array",
        "string_type": "must be a text",
        "int_type": "must be a whole number",
        "bool_type": "must be true or false",
    }
    said = known.get(item["type"])
    if said is not None:
        return said
    text = str(item["msg"]).removeprefix("Value error, ")
    for begin in ("Input should be ", "must be "):
        if text.startswith(begin):
            return f"must be {text.removeprefix(begin)}"
    return f"is refused: {text[:1].lower()}{text[1:]}"


def _place(location: tuple[str | int, ...]) -> str:
    """`body.changes.0.path` for what pydantic names with the argument of the view in front."""
    parts = [str(part)[:60] for part in location]
    kept = parts[2:] if len(parts) > 2 and parts[0] in ("body", "query") else parts[1:]
    return ".".join(kept) or parts[0]
