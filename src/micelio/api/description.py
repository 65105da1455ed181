"""The description of this door in OpenAPI 3.1: what the routes say of themselves, and what holds for all of them."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from micelio.api.meanings import MEANINGS
from micelio.api.problems import MEDIA_TYPE

Document = dict[str, Any]

ABOUT = """\
Every act of the forge by JSON over HTTP. Send a token as `Authorization: Bearer <token>`; what is public can be read
without one. Errors are `application/problem+json` with a stable `code`, a `fix` and a link in `docs`. Lists are read
page by page with `limit` and `cursor`. A POST with an `Idempotency-Key` can be repeated safely for a day. `ETag`,
`If-None-Match` and `If-Match` work where something can change."""

_HEADERS = {
    "X-Request-Id": "The name of this request in the forge's log.",
    "ETag": "Of this state, for If-None-Match and If-Match.",
    "Location": "Where the new thing is.",
    "Link": 'The next page of a list, as rel="next"; absent on the last one.',
    "Idempotency-Replayed": "`true` when this answer was given before.",
}
_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
    "description": "A name for this request, a UUID say: within a day the same key and body are done once.",
}
_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": False,
    "schema": {"type": "string"},
    "description": "An ETag: change this only if it is still as it was then.",
}
_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "required": False,
    "schema": {"type": "string"},
    "description": "An ETag: answer 304 if it is still as it was then.",
}


# What pydantic calls a page of something.
_PAGE = re.compile(r"Page_(\w+?)_(?=\W)")


@cache
def description() -> Document:
    """The whole document, made once."""
    from micelio.api.routes import api

    document: Document = json.loads(_PAGE.sub(r"\1Page", json.dumps(api.get_openapi_schema(path_prefix="api/v1/"))))
    document["info"]["description"] = ABOUT
    document["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    document["servers"] = [{"url": "/"}]
    document["security"] = [{}, {"token": []}]
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal token, a token of one session, or what `mic auth login` obtained.",
        }
    }
    # Of parameters, which stand where they are used.
    schemas = {name: made for name, made in components["schemas"].items() if not name.startswith("Asked")}
    components["schemas"] = schemas | {"Problem": _problem()}
    components["responses"] = {
        "Problem": {
            "description": "It was not done. `code` says why and never changes its meaning.",
            "headers": _headers("X-Request-Id"),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(path, method, operation)
    document["paths"] = dict(sorted(document["paths"].items()))
    return document


def encoded() -> bytes:
    """The document as it is served and committed: the same bytes for the same routes."""
    return json.dumps(description(), indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _problem() -> Document:
    text = {"type": "string"}
    return {
        "type": "object",
        "title": "Problem",
        "required": ["type", "title", "status", "detail", "code", "fix", "docs", "request_id"],
        "properties": {
            "type": text | {"format": "uri"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text | {"description": "What happened, and to what."},
            "code": text | {"enum": sorted(MEANINGS)},
            "fix": text | {"description": "What to do."},
            "docs": text | {"format": "uri", "description": "More about this code."},
            "request_id": text,
            "fields": {"type": "array", "items": {"type": "object"}, "description": "Which fields are wrong, and how."},
            "clashes": {"type": "array", "items": {"type": "object"}, "description": "Of `conflict`: each path."},
            "findings": {"type": "array", "items": {"type": "object"}, "description": "Of `secret_found`."},
        },
    }


def _headers(*names: str) -> Document:
    return {name: {"schema": {"type": "string"}, "description": _HEADERS[name]} for name in names}


def _complete(path: str, method: str, operation: Document) -> None:
    """What every operation has and none says itself."""
    operation["operationId"] = operation["operationId"].rpartition(".")[2]
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        parameter["schema"].pop("title", None)
        if parameter["in"] == "path" and parameter["name"] in _EXAMPLES:
            parameter["examples"] = {"one": {"value": _EXAMPLES[parameter["name"]]}}
        elif "examples" in parameter:
            del parameter["examples"]  # the schema has them; here they would be objects
    for status, response in operation["responses"].items():
        kinds = list(response.get("content", {}).values())
        listed = any("Page" in kind.get("schema", {}).get("$ref", "") for kind in kinds)
        names = ["X-Request-Id"]
        if kinds and not listed:
            names.append("ETag")
        if listed:
            names.append("Link")
        if status == "201":
            names.append("Location")
        if method == "post":
            names.append("Idempotency-Replayed")
        response["headers"] = _headers(*names)
        if response.get("description") == "OK":
            response["description"] = {"204": "Done.", "201": "Made.", "202": "Accepted."}.get(status, "As asked.")
    if method == "post":
        parameters.append(_KEY)
    if method in ("patch", "delete", "put") and operation.pop("x-conditional", False):
        parameters.append(_MATCH)
    if method == "get" and "{" in path and not any(name in str(operation) for name in ("cursor",)):
        parameters.append(_NONE_MATCH)
        operation["responses"]["304"] = {"description": "Still as it was.", "headers": _headers("X-Request-Id", "ETag")}
    if operation["operationId"] == "read_file":
        _describe_bytes(operation["responses"])
    operation["responses"]["4XX"] = {"$ref": "#/components/responses/Problem"}
    operation["responses"]["5XX"] = {"$ref": "#/components/responses/Problem"}


def _describe_bytes(responses: Document) -> None:
    """A file is of whatever type it is."""
    content = {"*/*": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}}
    headers = _headers("X-Request-Id", "ETag")
    responses["200"] = {"description": "All of it.", "headers": headers, "content": content}
    responses["206"] = {"description": "The range that was asked for.", "headers": headers, "content": content}
    responses["416"] = {"description": "The range begins behind its end.", "headers": headers}


_EXAMPLES = {"owner": "acme", "project": "tool", "org": "acme", "handle": "ada", "path": "docs/hello.txt"}
_CONVERTED = re.compile(r"<(?:\w+:)?(\w+)>")


def takes(route: str) -> dict[str, frozenset[str]]:
    """For each method (GET, POST ...) of a Django route below `/api/v1/`: which query parameters it knows."""
    path = "/api/v1/" + _CONVERTED.sub(r"{\1}", route)
    return {
        method.upper(): frozenset(item["name"] for item in operation["parameters"] if item["in"] == "query")
        for method, operation in description()["paths"][path].items()
    }
