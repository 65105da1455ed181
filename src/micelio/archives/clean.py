"""Records without the secrets that people wrote into their texts, and within bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from mic.core.errors import InvalidInput
from mic.core.scanning import redact
from micelio.archives.records import MAX_TEXT, Any, Author, Side

T = TypeVar("T", bound=msgspec.Struct)
_UNSEARCHABLE = "[redacted: not searchable]"
# What is never words of a person. Everything else is searched, names of branches and files too.
_PLAIN = frozenset({"id", "commit", "original_commit", "merge_commit", "color", "state", "side", "on"})


def clean(records: Sequence[Any]) -> list[Any]:
    """The same records; secrets are replaced by marks that name their kind, and counted in `redacted`."""
    cut = [_bounded(record) for record in records]
    texts = [text for record in cut for text in _texts(record)]
    found = _search(texts)
    if not found:
        return cut
    said = iter(found.get(number, (text, 0)) for number, text in enumerate(texts))
    return [_with(record, said) for record in cut]


def _search(texts: list[str]) -> dict[int, tuple[str, int]]:
    try:
        return redact(texts)
    except InvalidInput:
        pass  # one of them was made to be slow: each by itself, and that one is not kept
    found: dict[int, tuple[str, int]] = {}
    for number, text in enumerate(texts):
        try:
            alone = redact([text])
        except InvalidInput:
            alone = {0: (_UNSEARCHABLE, 1)}
        if alone:
            found[number] = alone[0]
    return found


def _fields(record: msgspec.Struct) -> Iterator[tuple[str, object]]:
    for name in record.__struct_fields__:
        if name not in _PLAIN:
            yield name, getattr(record, name)


def _texts(record: msgspec.Struct) -> Iterator[str]:
    """Every text of it, in a fixed order."""
    for _, value in _fields(record):
        if isinstance(value, str):
            yield value
        elif isinstance(value, Author | Side):
            yield from _texts(value)
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, str):
                    yield item
                elif isinstance(item, Author):
                    yield from _texts(item)


def _with(record: Any, said: Iterator[tuple[str, int]]) -> Any:
    changed, count = _replaced(record, said)
    return msgspec.structs.replace(changed, redacted=record.redacted + count) if count else record


def _replaced(record: T, said: Iterator[tuple[str, int]]) -> tuple[T, int]:
    total = 0
    changed: dict[str, object] = {}

    def one(value: object) -> object:
        nonlocal total
        if isinstance(value, str):
            text, count = next(said)
            total += count
            return text
        if isinstance(value, Author | Side):
            inner, count = _replaced(value, said)
            total += count
            return inner
        return value

    for name, value in _fields(record):
        changed[name] = tuple(map(one, value)) if isinstance(value, tuple) else one(value)
    return msgspec.structs.replace(record, **changed), total


def _bounded(record: Any) -> Any:
    """With its texts cut where they are longer than MAX_TEXT, and a word about it."""
    long = {
        name: value[:MAX_TEXT] for name, value in _fields(record) if isinstance(value, str) and len(value) > MAX_TEXT
    }
    return msgspec.structs.replace(record, **long, cut=True) if long else record
