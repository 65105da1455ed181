"""Session objects: a goal, the conversation, the decisions and the changes, in one value.

Layout (docs/formats.md): a 64-byte header, then `zstd(msgpack(body))`. The identity of a landed
session is the SHA-256 of the encoded bytes, so an encoded session never changes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

import msgspec

from mic.core.blob import compress, frame_size, inflate
from mic.core.codec import Reader


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


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was decided, why, instead of what, by whom, on which evidence.

    `at` is when it was recorded, in Unix milliseconds, 0 unknown. `message` is the number, from 1, of the message of
    its conversation that it answers, as whoever recorded it says; 0 where nobody says so.
    """

    what: str
    # Written also where they are empty, as before there were fields that are not: msgspec omits what is its default,
    # and what a function makes is none.
    why: str = msgspec.field(default_factory=lambda: "")
    alternatives: tuple[Alternative, ...] = msgspec.field(default_factory=lambda: ())
    by: str = msgspec.field(default_factory=lambda: "")
    evidence: str = msgspec.field(default_factory=lambda: "")
    at: int = 0
    message: int = 0


class Usage(msgspec.Struct, frozen=True):
    """Tokens that a model read and wrote, as the transcript `source` reports them; `cached` of those read came from a
    cache. `model` is "" where that is not named.
    """

    model: str
    read: int
    written: int
    cached: int = 0
    source: str = ""


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


# Who reads the conversation of a session, where that are not all who read the session: `Session.transcript`.
MEMBERS = "members"


class Session(msgspec.Struct, frozen=True):
    """A session, whole. `id` and `owner` are 16 bytes (ULID, account UUID); times are HLC (ms << 16 | logical).

    `transcript` is who reads its conversation: "" all who read the session, else `MEMBERS`. One that landed so has its
    conversation elsewhere, and `messages` is how many turns that has.
    """

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
    transcript: str = ""
    messages: int = 0
    usage: tuple[Usage, ...] = ()

    @property
    def turns(self) -> int:
        """How many turns its conversation has, wherever that is."""
        return len(self.conversation) or self.messages


def by_model(usage: Iterable[Usage]) -> list[Usage]:
    """What each model read and wrote, wherever that is reported, the models in the order in which they come."""
    sums: dict[str, Usage] = {}
    for each in usage:
        before = sums.get(each.model, Usage(each.model, 0, 0))
        sums[each.model] = Usage(
            each.model, before.read + each.read, before.written + each.written, before.cached + each.cached
        )
    return list(sums.values())


MAGIC = b"MICS"
VERSION = 1
HEADER_BYTES = 64
ID_BYTES = 16
# One session's words and change list; contents travel apart. Bounds what a reader inflates.
MAX_BODY_BYTES = 256 << 20


class _Body(msgspec.Struct, array_like=False, omit_defaults=True):
    """The msgpack part. Field names are stored; unknown ones are ignored so that older readers go on."""

    goal: str
    author: Author
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
    transcript: str = ""
    messages: int = 0
    usage: tuple[Usage, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Body)
_BODY_FIELDS = _Body.__struct_fields__


def encode_session(session: Session) -> bytes:
    """The stored bytes. Equal sessions give equal bytes."""
    assert len(session.id) == ID_BYTES
    assert len(session.owner) == 16
    header = b"".join(
        (
            MAGIC,
            bytes((VERSION, session.state)),
            bytes(2),
            session.id,
            session.base_position.to_bytes(8, "big"),
            session.hlc_created.to_bytes(8, "big"),
            session.hlc_updated.to_bytes(8, "big"),
            session.owner,
        )
    )
    assert len(header) == HEADER_BYTES
    body = _Body(**{name: getattr(session, name) for name in _BODY_FIELDS})
    return header + compress(_encoder.encode(body))


def decode_session(raw: bytes, name: str) -> Session:
    """A session from its stored bytes; raises Corrupt."""
    reader = Reader(raw, name)
    reader.expect(MAGIC)
    version, state = reader.u8(), reader.u8()
    if version != VERSION:
        raise reader.fail(f"version {version} is newer than this program knows")
    if state not in State._value2member_map_:
        raise reader.fail(f"state {state} is unknown")
    reader.u16()
    session_id = reader.take(16)
    base, created, updated = reader.u64(), reader.u64(), reader.u64()
    owner = reader.take(16)
    size = frame_size(raw[HEADER_BYTES:], name)
    if size > MAX_BODY_BYTES:
        raise reader.fail(f"a body of {size} bytes; the limit is {MAX_BODY_BYTES}")
    try:
        body = _decoder.decode(inflate(raw[HEADER_BYTES:], size, name))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise reader.fail(str(error)) from error
    return Session(
        id=session_id,
        state=state,
        base_position=base,
        hlc_created=created,
        hlc_updated=updated,
        owner=owner,
        **{field: getattr(body, field) for field in _BODY_FIELDS},
    )
