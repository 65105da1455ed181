"""The description for people: `/api/docs`, made from the same document that `/api/openapi.json` serves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mic.core.errors import NotFound
from micelio.api.description import Document, description, encoded
from micelio.api.meanings import MEANINGS
from micelio.config import current

_PARTS = {
    "account": "Your account",
    "tokens": "Tokens",
    "organizations": "Organizations",
    "projects": "Projects",
    "branches": "Branches",
    "protection": "Who lands where",
    "files": "Files",
    "landings": "Landings",
    "sessions": "Sessions",
    "secrets": "Secrets",
    "imports": "Imports",
    "exports": "Exports",
    "stars": "Stars",
    "search": "Search",
    "audit": "Audit log",
    "people": "People of this forge",
    "operators": "Running the forge",
}


@dataclass(frozen=True)
class Field:
    """A parameter or a field of a body."""

    name: str
    kind: str
    needed: bool
    words: str


@dataclass(frozen=True)
class Act:
    """One operation, as its page shows it."""

    name: str
    method: str
    path: str
    summary: str
    words: str
    example: str
    parameters: list[Field] = field(default_factory=list)
    body: list[Field] = field(default_factory=list)
    answers: list[tuple[str, str, list[Field]]] = field(default_factory=list)


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The document itself."""
    tag = f'"{hashlib.sha256(encoded()).hexdigest()[:16]}"'
    if tag in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304, headers={"ETag": tag})
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    return HttpResponse(encoded(), content_type="application/json", headers=headers)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All acts by name, and what holds for all of them."""
    groups = [(name, title, [act for act, _ in _acts(name)]) for name, title in _PARTS.items()]
    return render(request, "api/index.html", {"groups": groups, "base": current().base_url})


@require_safe
def part(request: HttpRequest, part: str) -> HttpResponse:
    """The acts on one kind of thing, with every field."""
    if part not in _PARTS:
        raise NotFound(f"There is no part of the API called {part[:40]}.", hint="Look at /api/docs.")
    return render(request, "api/part.html", {"title": _PARTS[part], "acts": [whole for _, whole in _acts(part)]})


@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    """What each code means: where `docs` of a problem leads."""
    return render(request, "api/errors.html", {"meanings": MEANINGS})


@cache
def _acts(part: str) -> list[tuple[Act, Act]]:
    return [(act, act) for act in _of_part(part)]


def _of_part(part: str) -> Iterator[Act]:
    for path, methods in description()["paths"].items():
        for method in ("get", "post", "put", "patch", "delete"):
            operation = methods.get(method)
            if operation is not None and operation["tags"] == [part]:
                yield _act(path, method, operation)


def _act(path: str, method: str, operation: Document) -> Act:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = _resolved(content["schema"]) if content else {}
    return Act(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        words=operation.get("description", ""),
        example=_example(path, method, body),
        parameters=[_parameter(item) for item in operation["parameters"]],
        body=list(_fields(body)),
        answers=list(_answers(operation["responses"])),
    )


def _answers(responses: Document) -> Iterator[tuple[str, str, list[Field]]]:
    for status, response in sorted(responses.items()):
        if not status.startswith("2"):
            continue
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        told = _resolved(schema)
        # Of a list, what each of its items has: that a page of it has `items` and `next` is said once for all.
        row = told.get("properties", {}).get("items", {}).get("items")
        words = f"{response['description']} Each of the items has:" if row else response["description"]
        yield status, words, list(_fields(_resolved(row) if row else told))


def _parameter(item: Document) -> Field:
    return Field(
        item["name"], f"{item['in']}, {_kind(item['schema'])}", item["required"], _plain(item.get("description", ""))
    )


def _fields(schema: Document) -> Iterator[Field]:
    needed = schema.get("required", [])
    for name, inner in schema.get("properties", {}).items():
        yield Field(name, _kind(inner), name in needed, _plain(inner.get("description", "")))


def _plain(words: str) -> str:
    """Without the marks that Markdown has for code."""
    return words.replace("`", "")


def _resolved(schema: Document) -> Document:
    """A schema with a reference followed."""
    if "$ref" not in schema:
        return schema
    found: Document = description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _kind(schema: Document) -> str:
    """The type of a value in a few words."""
    if "$ref" in schema:
        return _kind(_resolved(schema)) if "enum" in _resolved(schema) else str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_kind(item) for item in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(item) for item in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "anything"))


def _example(path: str, method: str, body: Document) -> str:
    """The act with curl."""
    here = f"{current().base_url}{path}".replace("{owner}/{project}", "acme/tool").replace("{org}", "acme")
    words = ["curl"] + ([f"-X {method.upper()}"] if method != "get" else [])
    words += ['-H "Authorization: Bearer $MICELIO_TOKEN"', here]
    sent = _sample(body)
    if sent:
        words += ["--json", f"'{json.dumps(sent)}'"]
    return " ".join(words)


def _sample(schema: Document) -> Any:
    """A body that says what must be said."""
    return {
        name: _value(schema["properties"][name])
        for name in schema.get("properties", {})
        if name in schema.get("required", []) or not schema.get("required")
    }


def _value(schema: Document) -> Any:
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        schema = _resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    kinds: dict[str, Any] = {"integer": 1, "boolean": False, "array": []}
    return kinds.get(str(schema.get("type")), "...")
