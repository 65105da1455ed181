"""What breaks a client is found, and what does not is let be."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from micelio.api.compatible import breaks
from micelio.api.description import description, encoded

COMMITTED = Path(__file__).parents[3] / "docs/agents/openapi.json"
OLD: dict[str, Any] = {
    "paths": {
        "/things": {
            "get": {
                "parameters": [{"in": "query", "name": "limit", "required": False, "schema": {"type": "integer"}}],
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}}},
            },
            "post": {
                "parameters": [],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/S"}}},
                },
                "responses": {"201": {}},
            },
        }
    },
    "components": {
        "schemas": {
            "T": {
                "type": "object",
                "required": ["id"],
                "properties": {"id": {"type": "string"}, "more": {"type": "array", "items": {"type": "integer"}}},
            },
            "S": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "kind": {"type": "string", "enum": ["a", "b"]}},
            },
        }
    },
}


def _get(new: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = new["paths"]["/things"]["get"]
    return found


def _told(new: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = new["components"]["schemas"]["T"]
    return found


def _sent(new: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = new["components"]["schemas"]["S"]
    return found


BREAKING: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a path": (lambda new: new["paths"].clear(), "GET /things is gone"),
    "a method": (lambda new: new["paths"]["/things"].pop("post"), "POST /things is gone"),
    "a parameter": (lambda new: _get(new)["parameters"].clear(), "GET /things: the parameter limit is gone"),
    "a parameter needed": (
        lambda new: _get(new)["parameters"][0].update(required=True),
        "GET /things: the parameter limit has become needed",
    ),
    "a new parameter needed": (
        lambda new: _get(new)["parameters"].append(
            {"in": "query", "name": "x", "required": True, "schema": {"type": "string"}}
        ),
        "GET /things: the parameter x has become needed",
    ),
    "a smaller maximum": (
        lambda new: _get(new)["parameters"][0]["schema"].update(maximum=9),
        "GET /things: limit has a smaller maximum",
    ),
    "a field answered": (lambda new: _told(new)["properties"].pop("id"), "GET /things: 200.id is gone"),
    "a field answered sometimes": (lambda new: _told(new)["required"].clear(), "GET /things: 200.id may be absent now"),
    "another type answered": (
        lambda new: _told(new)["properties"]["id"].update(type="integer"),
        "GET /things: 200.id may be integer now",
    ),
    "another type inside a list": (
        lambda new: _told(new)["properties"]["more"]["items"].update(type="string"),
        "GET /things: 200.more[] may be string now",
    ),
    "null answered": (
        lambda new: _told(new)["properties"].update(id={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        "GET /things: 200.id may be null now",
    ),
    "a status": (lambda new: _get(new).update(responses={"202": {}}), "GET /things: it is no longer answered with 200"),
    "a field sent needed": (
        lambda new: _sent(new)["required"].append("kind"),
        "POST /things: body.kind has become needed",
    ),
    "a field sent refused": (
        lambda new: _sent(new)["properties"].pop("kind"),
        "POST /things: body.kind is no longer taken",
    ),
    "a value sent refused": (
        lambda new: _sent(new)["properties"]["kind"].update(enum=["a"]),
        "POST /things: body.kind takes fewer values",
    ),
    "another type sent": (
        lambda new: _sent(new)["properties"]["name"].update(type="integer"),
        "POST /things: body.name no longer takes string",
    ),
}


@pytest.mark.parametrize("what", sorted(BREAKING))
def test_what_breaks_is_found(what: str) -> None:
    """By the name of what it is."""
    change, said = BREAKING[what]
    new = copy.deepcopy(OLD)
    change(new)
    assert said in breaks(OLD, new)


def test_additions_break_nobody() -> None:
    """New paths, parameters, fields and values."""
    new = copy.deepcopy(OLD)
    new["paths"]["/others"] = new["paths"]["/things"]
    _get(new)["parameters"].append({"in": "query", "name": "x", "required": False, "schema": {"type": "string"}})
    _told(new)["properties"]["new"] = {"type": "string"}
    _told(new)["required"].append("more")
    _sent(new)["properties"]["new"] = {"type": "string"}
    _sent(new)["properties"]["kind"]["enum"].append("c")
    assert breaks(OLD, new) == []


def test_the_committed_description_is_kept() -> None:
    """What the routes say of themselves breaks nobody who reads the committed one, and is the same."""
    committed = json.loads(COMMITTED.read_text())
    assert breaks(committed, description()) == []
    assert COMMITTED.read_bytes() == encoded(), "run `make openapi`"
