"""What of a new description would break a client that was written for the old one.

What was there stays: paths, methods, parameters, statuses, the fields of answers and their types. What a client sends
stays enough: no field or parameter becomes needed, no value that was taken is refused. Additions break nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
# Words of a schema that narrow what is taken; a smaller or a new one refuses what was taken.
_LOWER = ("maxLength", "maxItems", "maximum")
_HIGHER = ("minLength", "minItems", "minimum")


def breaks(old: Document, new: Document) -> list[str]:
    """One sentence for each thing that breaks; empty when the new description keeps what the old one said."""
    return sorted(set(_paths(old, new)))


def _paths(old: Document, new: Document) -> Iterator[str]:
    for path, methods in old["paths"].items():
        for method, before in methods.items():
            act = f"{method.upper()} {path}"
            after = new["paths"].get(path, {}).get(method)
            if after is None:
                yield f"{act} is gone"
                continue
            yield from _parameters(act, before, after, old, new)
            yield from _body(act, before, after, old, new)
            yield from _answers(act, before, after, old, new)


def _parameters(act: str, before: Document, after: Document, old: Document, new: Document) -> Iterator[str]:
    known = {(item["in"], item["name"]): item for item in before.get("parameters", [])}
    now = {(item["in"], item["name"]): item for item in after.get("parameters", [])}
    for key, item in known.items():
        if key not in now:
            yield f"{act}: the parameter {key[1]} is gone"
        else:
            yield from _narrower(f"{act}: {key[1]}", item["schema"], now[key]["schema"], (old, new), frozenset())
    for key, item in now.items():
        if item.get("required") and not known.get(key, {}).get("required"):
            yield f"{act}: the parameter {key[1]} has become needed"


def _body(act: str, before: Document, after: Document, old: Document, new: Document) -> Iterator[str]:
    sent, taken = _content(before.get("requestBody", {})), _content(after.get("requestBody", {}))
    if taken and not sent and after["requestBody"].get("required"):
        yield f"{act}: a body has become needed"
    if sent and not taken:
        yield f"{act}: the body is no longer taken"
    if sent and taken:
        yield from _narrower(f"{act}: body", sent, taken, (old, new), frozenset())


def _answers(act: str, before: Document, after: Document, old: Document, new: Document) -> Iterator[str]:
    for status, response in before["responses"].items():
        if not status.startswith("2"):
            continue
        if status not in after["responses"]:
            yield f"{act}: it is no longer answered with {status}"
            continue
        told, tells = _content(response), _content(after["responses"][status])
        if told and not tells:
            yield f"{act}: {status} has no body any more"
        elif told:
            yield from _wider(f"{act}: {status}", told, tells, (old, new), frozenset())


def _content(part: Document) -> Document:
    schema: Document = part.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _resolved(document: Document, schema: Document) -> tuple[str, Document]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return name, document["components"]["schemas"].get(name, {}) if name else schema


def _kinds(document: Document, schema: Document) -> set[str]:
    """The types that a value may have."""
    _, found = _resolved(document, schema)
    if "anyOf" in found:
        return set().union(*(_kinds(document, item) for item in found["anyOf"]))
    if "type" not in found:
        return {"anything"}
    return {found["type"]} if isinstance(found["type"], str) else set(found["type"])


def _values(document: Document, schema: Document) -> set[str] | None:
    """The values that are listed, None when any of its type will do."""
    _, found = _resolved(document, schema)
    if "anyOf" in found:
        listed = [_values(document, item) for item in found["anyOf"] if item.get("type") != "null"]
        return None if None in listed else set().union(*(item for item in listed if item))
    if "const" in found:
        return {str(found["const"])}
    return {str(value) for value in found["enum"]} if "enum" in found else None


def _inner(document: Document, schema: Document) -> Document:
    """The object or list in a schema that may also be null."""
    _, found = _resolved(document, schema)
    rest = [item for item in found.get("anyOf", ()) if item.get("type") != "null"]
    return _resolved(document, rest[0])[1] if len(rest) == 1 else found


def _narrower(
    where: str, before: Document, after: Document, documents: tuple[Document, Document], seen: frozenset[str]
) -> Iterator[str]:
    """What was taken and is refused."""
    old, new = documents
    lost = _kinds(old, before) - _kinds(new, after)
    if lost and _kinds(new, after) != {"anything"}:
        yield f"{where} no longer takes {', '.join(sorted(lost))}"
    taken, takes = _values(old, before), _values(new, after)
    if takes is not None and (taken is None or taken - takes):
        yield f"{where} takes fewer values"
    name, _ = _resolved(old, before)
    if name and name in seen:
        return
    seen |= {name}
    was, now = _inner(old, before), _inner(new, after)
    for word in _LOWER:
        if word in now and now[word] < was.get(word, float("inf")):
            yield f"{where} has a smaller {word}"
    for word in _HIGHER:
        if word in now and now[word] > was.get(word, float("-inf")):
            yield f"{where} has a larger {word}"
    if now.get("pattern") and now.get("pattern") != was.get("pattern"):
        yield f"{where} has another pattern"
    for field in now.get("required", []):
        if field not in was.get("required", []):
            yield f"{where}.{field} has become needed"
    for field, inner in was.get("properties", {}).items():
        if field not in now.get("properties", {}):
            yield f"{where}.{field} is no longer taken"
        else:
            yield from _narrower(f"{where}.{field}", inner, now["properties"][field], documents, seen)
    if "items" in was and "items" in now:
        yield from _narrower(f"{where}[]", was["items"], now["items"], documents, seen)


def _wider(
    where: str, before: Document, after: Document, documents: tuple[Document, Document], seen: frozenset[str]
) -> Iterator[str]:
    """What was promised of an answer and is so no more."""
    old, new = documents
    more = _kinds(new, after) - _kinds(old, before)
    if more and _kinds(old, before) != {"anything"}:
        yield f"{where} may be {', '.join(sorted(more))} now"
    name, _ = _resolved(old, before)
    if name and name in seen:
        return
    seen |= {name}
    was, now = _inner(old, before), _inner(new, after)
    for field, inner in was.get("properties", {}).items():
        if field not in now.get("properties", {}):
            yield f"{where}.{field} is gone"
        elif field in was.get("required", []) and field not in now.get("required", []):
            yield f"{where}.{field} may be absent now"
        else:
            yield from _wider(f"{where}.{field}", inner, now["properties"][field], documents, seen)
    if "items" in was and "items" in now:
        yield from _wider(f"{where}[]", was["items"], now["items"], documents, seen)
