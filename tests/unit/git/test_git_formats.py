"""The Git formats of docs/formats.md: golden vectors, read from there, and what is no such thing."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from mic.core.errors import Corrupt
from mic.core.record import Record
from mic.core.session import Author, Session
from mic.git.kept_notes import NotesView, decode_notes, encode_notes
from mic.git.native import native_commit
from mic.git.packindex import CommitLine, Packed, PackIndex, encode_index
from mic.git.ready import Listing, decode_listing, encode_listing
from mic.git.view import KeptPack, Moving, View, decode_view, encode_view

DOCUMENT = Path(__file__).parents[3] / "docs" / "formats.md"


def _vector(name: str) -> bytes:
    found = re.search(rf"```hex {name}\n([0-9a-f\n]+)```", DOCUMENT.read_text())
    assert found is not None, name
    return bytes.fromhex(found[1])


def h(n: int) -> bytes:
    """20 bytes, as the document names them."""
    return bytes((n * 0x11,)) * 20


OBJECTS = [
    Packed(h(1), 1, 12, 30, 180),
    Packed(h(2), 2, 42, 25, 33),
    Packed(h(3), 3, 67, 40, 500, h(4)),
    Packed(h(5), 3, 0, 0, 2_000_000, b"", b"\x66" * 32),
]
COMMITS = [CommitLine(h(1), h(2), (h(8), h(9)), 1_793_491_200)]
VIEW = View(
    position=7, tip=h(1), packs=(KeptPack("ab" * 32, 1000, 4, True),), refs={b"refs/tags/v1": h(2)},
    retired=(("cd" * 32, 1_793_491_200_000),),
)  # fmt: skip


def test_index() -> None:
    """Every field where the document says it is."""
    raw = encode_index(127, OBJECTS, COMMITS)
    assert raw == _vector("git-index")
    index = PackIndex(raw, "it")
    assert [index.find(h(n)) for n in (1, 2, 3, 5, 4)] == [0, 1, 2, 3, None]
    assert index.place(2) == (3, 67, 40, 0xFFFFFFFE, 500)
    assert index.place(3) == (0x13, 0, 0, 0xFFFFFFFF, 2_000_000)
    assert index.other(0) == b"\x66" * 32
    assert list(index.commits()) == COMMITS


def test_authorship_notes() -> None:
    """The same bytes, and back; what is cut short, or has an id of another length, is damaged."""
    view = NotesView(7, h(1), h(2), VIEW.packs, VIEW.retired, ("ef" * 32,))
    assert encode_notes(view) == _vector("git-notes")
    assert decode_notes(_vector("git-notes"), "it") == view
    for raw in (_vector("git-notes")[:-1], encode_notes(msgspec.structs.replace(view, tip=b"1"))):
        with pytest.raises(Corrupt):
            decode_notes(raw, "it")


def test_notes_of_an_earlier_version() -> None:
    """What was pushed as `refs/notes/ai` then has the name that such notes have now, and takes none from another."""
    old = msgspec.structs.replace(VIEW, refs={b"refs/notes/ai": h(3), b"refs/tags/v1": h(2)})
    assert decode_view(encode_view(old), "it").refs == {b"refs/imported/notes/ai": h(3), b"refs/tags/v1": h(2)}
    both = msgspec.structs.replace(VIEW, refs={b"refs/notes/ai": h(3), b"refs/imported/notes/ai": h(4)})
    assert decode_view(encode_view(both), "it").refs == {
        b"refs/imported/notes/ai": h(4),
        b"refs/imported/imported/notes/ai": h(3),
    }


def test_ready_pack() -> None:
    """The same bytes, and back; what is cut short is damaged."""
    listing = Listing("0  1", 1_793_491_200_000, (h(1),), (h(2),), ("ab" * 32,))
    raw = _vector("git-ready")
    assert decode_listing(raw, "it") == listing
    assert encode_listing(listing) == raw
    for short in (raw[:3], raw[:12], raw[:-1]):
        with pytest.raises(Corrupt):
            decode_listing(short, "it")


def test_view() -> None:
    """The same bytes, and back."""
    assert decode_view(encode_view(VIEW), "it") == VIEW
    assert encode_view(VIEW) == _vector("git-view")
    assert decode_view(_vector("git-view-unchecked"), "it") == VIEW


def test_damage_of_a_view() -> None:
    """No bit of it can turn and be believed; one bit of a frame means nothing."""
    raw, unseen = encode_view(VIEW), 0
    for bit in range(len(raw) * 8):
        turned = bytearray(raw)
        turned[bit >> 3] ^= 1 << (bit & 7)
        try:
            assert decode_view(bytes(turned), "it") == VIEW
            unseen += 1
        except Corrupt:
            pass
    assert unseen == 1


def test_a_view_with_refs_that_wait() -> None:
    """They come back as they were; what has not 20 bytes is damage. A view that could name one only is read as such."""
    waiting = Moving(9, 1 << 62, {b"refs/tags/v2": (bytes(20), h(3))}, False)
    other = Moving(10, 1 << 61, {b"refs/tags/v3": (h(3), bytes(20))}, True)
    view = msgspec.structs.replace(VIEW, movings=(waiting, other))
    assert decode_view(encode_view(view), "it") == view
    assert decode_view(encode_view(msgspec.structs.replace(VIEW, moving=waiting, movings=(other,))), "it") == view
    spoilt = msgspec.structs.replace(waiting, refs={b"refs/tags/v2": (b"", h(3))})
    for bad in ({"moving": spoilt}, {"movings": (waiting, spoilt)}):
        with pytest.raises(Corrupt):
            decode_view(encode_view(msgspec.structs.replace(VIEW, **bad)), "it")


def test_commit_of_a_landing() -> None:
    """Ids that people have cloned rest on these bytes."""
    session = Session(
        bytes(range(16)), "Make it fly\n\nFar.\n", author=Author("Ada <L.>", "ada@example.org"), agent="mic"
    )
    record = Record(2, session.id, bytes(32), 1, 0x01A19467E8000001, bytes(32), ())
    assert native_commit(record, session, h(2), h(1)).decode() == (
        "tree 2222222222222222222222222222222222222222\n"
        "parent 1111111111111111111111111111111111111111\n"
        "author Ada L <ada@example.org> 1793491200 +0000\n"
        "committer mic <mic@micelio.invalid> 1793491200 +0000\n"
        "\n"
        "Make it fly\n\nFar.\n"
        "\n"
        "Micelio-Session: 00041061050R3GG28A1C60T3GF\n"
        "Micelio-Position: 2\n"
        "Assisted-by: mic\n"
    )


@pytest.mark.parametrize("at", [0, 5, 9, 20, 700, 1100, -1])
def test_a_spoilt_index_is_named(at: int) -> None:
    """A wrong byte anywhere is damage."""
    raw = bytearray(encode_index(127, OBJECTS, COMMITS))
    raw[at] ^= 1
    with pytest.raises(Corrupt):
        PackIndex(bytes(raw), "it")


def test_a_view_with_short_ids_is_damage() -> None:
    """What is not 20 bytes names no object."""
    for view in (msgspec.structs.replace(VIEW, tip=b"x"), msgspec.structs.replace(VIEW, refs={b"refs/tags/v1": b"x"})):
        with pytest.raises(Corrupt):
            decode_view(encode_view(view), "it")
    with pytest.raises(Corrupt):
        decode_view(encode_view(VIEW)[:-3], "it")
