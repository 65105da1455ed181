"""Reading what another forge says: JSON of which nothing is believed. What is missing or of another type is empty."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any as Json

import msgspec

from mic.core.errors import InvalidInput
from micelio.archives.records import MAX_ITEMS, NOBODY, Author

_SHORT = 1000
# An empty list of two bytes takes fifty in memory. A hundred issues have some thousands, and words some brackets more.
MAX_CONTAINERS = 1_000_000
_LINKS = re.compile(r"https://[^\s()<>\[\]\"'`]{1,2000}")


def parsed(body: bytes) -> Json:
    """The value of an answer. Raises InvalidInput for what is no JSON, or more than an answer is made of."""
    if body.count(b"[") + body.count(b"{") > MAX_CONTAINERS:
        raise InvalidInput("The other forge sent an answer of more than a million parts.")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(
            "The other forge sent something that is not JSON.", hint="Is this the address of its API?"
        ) from error


def items(value: Json) -> Iterator[dict[str, Json]]:
    """The objects of a list."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def within(value: Json, *names: str) -> dict[str, Json]:
    """An object inside of another, empty when there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text(value: Json, name: str, limit: int | None = _SHORT) -> str:
    """A text, at most `limit` characters; a number or a truth is written out. Lone surrogates and NUL are replaced."""
    found = value.get(name) if isinstance(value, dict) else None
    if isinstance(found, bool) or found is None or isinstance(found, list | dict):
        return ""
    said = str(found)[:limit]
    return said.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def body(value: Json, name: str = "body") -> str:
    """A long text, with line ends of one character."""
    return text(value, name, None).replace("\r\n", "\n")


def number(value: Json, *names: str) -> int:
    """The first of the names that has a whole number, 0 when none has one that fits into 63 bits."""
    for name in names:
        found = value.get(name) if isinstance(value, dict) else None
        if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 1 << 63:
            return found
    return 0


def truth(value: Json, name: str) -> bool:
    """Whether it is true there."""
    return isinstance(value, dict) and value.get(name) is True


def when(value: Json, name: str) -> int:
    """An ISO 8601 time as Unix milliseconds, 0 when it is none."""
    try:
        found = datetime.fromisoformat(text(value, name, 40))
    except ValueError:
        return 0
    at = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        return max(0, round(at.timestamp() * 1000))
    except (OverflowError, ValueError):
        return 0


def several(value: Json, name: str, make: Callable[[dict[str, Json]], Json]) -> tuple[Json, ...]:
    """What `make` makes of the objects of a list, at most MAX_ITEMS."""
    found = value.get(name) if isinstance(value, dict) else None
    return tuple(make(item) for item, _ in zip(items(found), range(MAX_ITEMS), strict=False))


def author(value: Json, login: str = "login", display: str = "name") -> Author:
    """Whoever is meant; a name of NOBODY when the account is gone."""
    return Author(text(value, "id"), text(value, login), text(value, display)) if isinstance(value, dict) else NOBODY


def person(login: str, display: str) -> Callable[[Json], Author]:
    """`author` for a forge that calls the two names so."""
    return lambda value: author(value, login, display)


def links(said: str, is_file: Callable[[str], bool]) -> tuple[str, ...]:
    """The addresses in a text that lead to files, each once."""
    found = dict.fromkeys(url.rstrip(".,;:!?*_") for url in _LINKS.findall(said))
    return tuple(url for url, _ in zip(filter(is_file, found), range(MAX_ITEMS), strict=False))


def number_in(url: str) -> int:
    """The number at the end of an address, as `https://host/o/r/issues/12`; 0 when there is none."""
    last = url.split("#")[0].rstrip("/").rpartition("/")[2]
    return int(last) if last.isascii() and last.isdigit() and len(last) < 19 else 0
