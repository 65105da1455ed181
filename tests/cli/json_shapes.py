"""The shapes of docs/agents/json.md, read as they are written there, and what a document has that they do not tell.

Shape = `text`, `number`, `true`, `null`, `any`, a Name of the page, `[Shape]`, `{field: Shape, field?: Shape}`,
`{...: Shape}` for names that are data, and `Shape or Shape`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs/agents/json.md"
_ROW = re.compile(r"\| `([^`]+)` \| `([^`]+)` \|")
_TOKEN = re.compile(r"\s*(\.\.\.|[A-Za-z_][A-Za-z0-9_]*\??|[\[\]{}:,])")
_SCALARS: dict[str, tuple[type, ...]] = {"text": (str,), "number": (int, float), "true": (bool,), "null": (type(None),)}


def rows() -> dict[str, str]:
    """What the page says, by command or Name."""
    found = [row for line in PAGE.read_text().splitlines() if (row := _ROW.fullmatch(line)) is not None]
    assert len({row[1] for row in found}) == len(found), "something is told twice"
    return {row[1]: row[2] for row in found}


class Shapes:
    """All shapes of the page, parsed."""

    def __init__(self) -> None:
        self._told = {name: _parsed(text) for name, text in rows().items()}

    def faults(self, name: str, value: Any) -> list[str]:
        """What is in a document and not on the page, or on the page and not in it."""
        return [f"{name}{fault}" for fault in self._faults(self._told[name], value)]

    def _faults(self, shape: Any, value: Any) -> list[str]:
        tried = [self._of_one(one, value) for one in shape]
        return min(tried, key=len)

    def _of_one(self, shape: Any, value: Any) -> list[str]:
        kind, inner = shape
        if kind == "word":
            if inner == "any":
                return []
            if inner not in _SCALARS:
                return self._faults(self._told[inner], value)
            wrong = not isinstance(value, _SCALARS[inner]) or (inner == "number" and isinstance(value, bool))
            return [f" is {value!r}, and not {inner}"] if wrong else []
        if kind == "list":
            if not isinstance(value, list):
                return [f" is {value!r}, and no list"]
            return [f"[{at}]{fault}" for at, each in enumerate(value) for fault in self._faults(inner, each)]
        if not isinstance(value, dict):
            return [f" is {value!r}, and no object"]
        faults = [f".{field} is missing" for field in inner if field[-1] not in "?." and field not in value]
        for field, each in value.items():
            told = inner.get(field) or inner.get(field + "?") or inner.get("...")
            more = [" is not told"] if told is None else self._faults(told, each)
            faults += [f".{field}{fault}" for fault in more]
        return faults


def _parsed(text: str) -> Any:
    tokens = _TOKEN.findall(text)
    assert "".join(tokens) == re.sub(r"\s", "", text), f"not a shape: {text}"
    shape, rest = _shape(tokens)
    assert rest == [], f"not a shape from {rest} on: {text}"
    return shape


def _shape(tokens: list[str]) -> tuple[Any, list[str]]:
    """Alternatives, and the tokens behind them."""
    found = []
    while True:
        one, tokens = _one(tokens)
        found.append(one)
        if tokens[:1] != ["or"]:
            return found, tokens
        tokens = tokens[1:]


def _one(tokens: list[str]) -> tuple[Any, list[str]]:
    first, tokens = tokens[0], tokens[1:]
    if first == "[":
        inner, tokens = _shape(tokens)
        assert tokens[0] == "]"
        return ("list", inner), tokens[1:]
    if first != "{":
        assert first[0].isalpha(), first
        return ("word", first), tokens
    fields = {}
    while tokens[0] != "}":
        name = tokens[0]
        assert tokens[1] == ":", tokens
        fields[name], tokens = _shape(tokens[2:])
        tokens = tokens[1:] if tokens[0] == "," else tokens
    return ("object", fields), tokens[1:]
