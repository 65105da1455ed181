"""JSON lines: one object a line, each with its `kind`; docs/users/export.md says which there are."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

VERSION = 1


def line(kind: str, fields: Mapping[str, Any]) -> bytes:
    """A line. Times are RFC 3339 in UTC, ids of accounts and projects UUIDs; what is empty is left out."""
    kept = {name: value for name, value in fields.items() if value not in (None, "", [], {}, ())}
    return msgspec.json.encode({"kind": kind, **kept}) + b"\n"


def moment(at: datetime) -> str:
    """A time as msgspec writes one into a line: RFC 3339 in UTC, with `Z`."""
    return at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def path_of(path: bytes) -> dict[str, str]:
    """A path as text, or as Base64 where it is no text."""
    try:
        return {"path": path.decode()}
    except UnicodeDecodeError:
        return {"path_base64": base64.b64encode(path).decode()}
