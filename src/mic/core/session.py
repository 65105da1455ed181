"""Session objects: a goal, the conversation, the decisions and the changes, in one value.

Layout (docs/formats.md): a 64-byte header, then `zstd(msgpack(body))`. The identity of a landed
session is the SHA-256 of the encoded bytes, so an encoded session never changes.
"""

from __future__ import annotations

import enum
from typing import Any

import msgspec


class State(enum.IntEnum):
    """Life of a session. Values are stored; never renumber."""

    ACTIVE = 0
    PENDING_REVIEW = 1
    LANDED = 2
    REJECTED = 3
    CONFLICTED = 4
    ABANDONED = 5


class Op(enum.IntEnum):
    """What a change does to its path. Values are stored; never renumber."""

    ADDED = 0
    MODIFIED = 1
    DELETED = 2


class Author(msgspec.Struct, frozen=True):
    """Name and e-mail as they were at landing: a later rename changes no landing."""

    name: str
    email: str = ""


class Message(msgspec.Struct, frozen=True):
    """One turn of the conversation. `role` is human, agent or system; `at` is Unix milliseconds."""

    role: str
    author: str
    text: str
    at: int = 0
    redactions: int = 0


class Alternative(msgspec.Struct, frozen=True):
    """A road not taken, and why not."""

    what: str
    why_not: str = ""


class Decision(msgspec.Struct, frozen=True):
    """What was decided, why, instead of what, by whom, on which evidence."""

    what: str
    why: str = ""
    alternatives: tuple[Alternative, ...] = ()
    by: str = ""
    evidence: str = ""


class Change(msgspec.Struct, frozen=True):
    """One path of a session. `mode` is Git's (0o100644); hashes are SHA-256 of the content, b"" where there is none.

    `kind` is the tree's kind of content: 0 blob, 1 chunked, 2 conflict.
    """

    path: bytes
    op: int
    mode: int = 0o100644
    hash: bytes = b""
    size: int = 0
    base_hash: bytes = b""
    base_mode: int = 0
    kind: int = 0
    copied_from: bytes = b""


class Session(msgspec.Struct, frozen=True):
    """A session, whole. `id` and `owner` are 16 bytes (ULID, account UUID); times are HLC (ms << 16 | logical)."""

    id: bytes
    goal: str
    state: int = State.ACTIVE
    base_position: int = 0
    hlc_created: int = 0
    hlc_updated: int = 0
    owner: bytes = bytes(16)
    author: Author = Author("", "")
    conversation: tuple[Message, ...] = ()
    decisions: tuple[Decision, ...] = ()
    changes: tuple[Change, ...] = ()
    claims: tuple[str, ...] = ()
    agent: str = ""
    attribution: dict[str, Any] = {}
    based_on: bytes = b""
    build_context: dict[str, Any] = {}
    attestations: tuple[Any, ...] = ()
    metadata: dict[str, Any] = {}
