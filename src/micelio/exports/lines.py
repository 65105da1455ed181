"""JSON lines: one object a line, each with its `kind`; docs/users/export.md says which there are."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

VERSION = 1


def line(kind: str, fields: Mapping[str, Any]) -> bytes:
    """A line. Times are RFC 3339 in UTC, ids of accounts and projects UUIDs; what is empty is left out."""
    kept = {name: value for name, value in fields.items() if value not in (None, "", [], {}, ())}
    return msgspec.json.encode({"kind": kind, **kept}, enc_hook=_plain) + b"\n"


def path_of(path: bytes) -> dict[str, str]:
    """A path as text, or as Base64 where it is no text."""
    try:
        return {"path": path.decode()}
    except UnicodeDecodeError:
        return {"path_base64": base64.b64encode(path).decode()}


def _plain(value: object) -> object:
    if isinstance(value, UUID | datetime):
        return str(value) if isinstance(value, UUID) else value.isoformat()
    raise TypeError(f"{type(value)} has no place in a line")
