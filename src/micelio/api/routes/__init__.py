"""The routes of `/api/v1`, a module for each kind of thing."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser

from mic.core.errors import InvalidInput, MicError
from micelio.api.door import parse_body
from micelio.api.problems import field_error
from micelio.api.routes import (
    account,
    audit,
    blame,
    branches,
    contents,
    erasures,
    explore,
    exports,
    findings,
    forge_archives,
    imports,
    invitations,
    landing_lists,  # noqa: F401 - its lists join the routes of landings, at whose addresses they are
    landings,
    members,
    moves,
    networks,
    operators,
    organizations,
    people,
    projects,
    protection,
    search,
    second_factor,
    sessions,
    stars,
    tokens,
)


class _Parser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        return parse_body(request.body)


class _Api(NinjaAPI):
    def get_openapi_operation_id(self, operation: Any) -> str:
        return str(operation.view_func.__name__)


def _refuse_fields(request: HttpRequest, error: Any) -> HttpResponse:
    raise field_error(error.errors)


def _refuse(request: HttpRequest, error: Any) -> HttpResponse:
    # The framework hides what our own parser says of a body behind an error of its own.
    if isinstance(error.__cause__, MicError):
        raise error.__cause__
    raise InvalidInput("The request could not be read.", hint="Look at /api/docs for what this takes.") from error


api = _Api(title="Micelio", version="1", docs_url=None, openapi_url=None, parser=_Parser(), urls_namespace="api")
api.add_exception_handler(ValidationError, _refuse_fields)
api.add_exception_handler(HttpError, _refuse)
for _part in (
    account,
    tokens,
    people,
    operators,
    organizations,
    second_factor,
    networks,
    invitations,
    imports,
    projects,
    moves,
    members,
    protection,
    stars,
    explore,
    search,
    branches,
    contents,
    erasures,
    exports,
    landings,
    blame,
    sessions,
    forge_archives,
    findings,
    audit,
):
    api.add_router("", _part.router)
