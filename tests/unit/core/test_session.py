"""Session objects: everything in them comes back, equal ones are equal bytes, newer ones are still read."""

from __future__ import annotations

import msgspec
import pytest

from mic.core.blob import compress, frame_size, inflate
from mic.core.errors import Corrupt
from mic.core.session import (
    Alternative,
    Author,
    Change,
    Decision,
    Message,
    Session,
    State,
    decode_session,
    encode_session,
)

FULL = Session(
    bytes(range(16)),
    "Ziel: \U0001f33f and\nlines",
    state=int(State.CONFLICTED),
    base_position=(1 << 64) - 1,
    hlc_created=1,
    hlc_updated=2,
    owner=b"o" * 16,
    author=Author("Ada", "ada@example.org"),
    conversation=(Message("human", "ada", "why?", 5, 1), Message("agent", "x", "because\x00", -1)),
    decisions=(Decision("a", "b", (Alternative("c", "d"), Alternative("e")), "f", "g"), Decision("h", at=1, message=2)),
    changes=(
        Change(b"\xff/\x00", 2, 0, b"", 0, b"h" * 32, 0o100644),
        Change(b"p", 0, 0o120000, b"i" * 32, 1 << 40, kind=1),
    ),
    claims=("one",),
    agent="claude-code",
    attribution={"agent": 3, "person": 1},
    based_on=b"b" * 16,
    build_context={"os": "debian"},
    attestations=({"by": "ci"},),
    metadata={"git": {"raw": b"\x00\xff"}},
)


@pytest.mark.parametrize("session", [FULL, Session(bytes(16), "")])
def test_everything_comes_back(session: Session) -> None:
    raw = encode_session(session)
    assert decode_session(raw, "session") == session
    assert encode_session(decode_session(raw, "session")) == raw


def test_a_decision_of_old_is_the_bytes_that_it_was() -> None:
    """When and in reply to what are written where they are known; the fields of the first format always are."""

    def written(decision: Decision) -> dict[str, object]:
        session = Session(bytes(16), "g", decisions=(decision,))
        raw = encode_session(session)[64:]
        body = msgspec.msgpack.decode(inflate(raw, frame_size(raw, "session"), "session"))
        (found,) = body["decisions"]
        return dict(found)

    plain = {"what": "h", "why": "", "alternatives": [], "by": "", "evidence": ""}
    assert list(written(Decision("h"))) == list(plain)
    assert written(Decision("h")) == written(Decision("h", "", (), "", "", 0, 0)) == plain
    assert written(Decision("h", at=5)) == plain | {"at": 5}
    assert written(Decision("h", at=5, message=2)) == plain | {"at": 5, "message": 2}


def test_an_older_reader_goes_on() -> None:
    """One of the day before decisions had a time reads the rest of them."""

    class OfOld(msgspec.Struct):
        what: str
        why: str = ""

    raw = msgspec.msgpack.encode(Decision("h", "because", at=5, message=2))
    assert msgspec.msgpack.decode(raw, type=OfOld) == OfOld("h", "because")


def test_names_of_a_newer_version_are_passed_over() -> None:
    """A reader of today goes on when a body has a field that it does not know."""
    body = msgspec.msgpack.encode({"goal": "g", "author": {"name": "A", "phone": "1"}, "mood": ["fine"]})
    found = decode_session(encode_session(FULL)[:64] + compress(body), "session")
    assert (found.goal, found.author, found.conversation) == ("g", Author("A"), ())


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "begin with"),
        (encode_session(FULL)[:63], "wanted|damaged"),
        (encode_session(FULL)[:64], "damaged"),
        (b"MICS\x02" + encode_session(FULL)[5:], "version 2 is newer"),
        (b"MICS\x01\x06" + encode_session(FULL)[6:], "state 6 is unknown"),
        (encode_session(FULL) + b"x", "damaged"),
        (encode_session(FULL)[:64] + compress(b"\x80"), "goal"),
        (encode_session(FULL)[:64] + compress(msgspec.msgpack.encode({"goal": 1, "author": {"name": ""}})), "goal"),
    ],
)
def test_damage_is_named(raw: bytes, why: str) -> None:
    with pytest.raises(Corrupt, match=why) as caught:
        decode_session(raw, "session 1234")
    assert "session 1234" in caught.value.message
