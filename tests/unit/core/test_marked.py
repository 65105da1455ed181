"""Marked files: their places, settled one by one, and what was written in their stead."""

from __future__ import annotations

import hashlib

from mic.core.marked import chosen, places, settle, settled_by_hand
from mic.core.merge3 import Clash, clashes, merge3_with_markers

LABELS = (b"yours", b"base @1", b"theirs @2")
BASE = b"".join(b"%d\n" % number for number in range(10))
OURS = BASE.replace(b"1\n", b"mine\n").replace(b"8\n", b"mine8\n")
THEIRS = BASE.replace(b"1\n", b"theirs\n").replace(b"8\n", b"").replace(b"5\n", b"five\n")
MARKED = merge3_with_markers(BASE, OURS, THEIRS, LABELS)


def test_places() -> None:
    found = places(MARKED, LABELS)
    assert [(place.start, place.stop) for place in found] == [(1, 8), (14, 20)]
    assert [place.clash for place in found] == clashes(BASE, OURS, THEIRS) == [
        Clash(b"1\n", b"mine\n", b"theirs\n"), Clash(b"8\n", b"mine8\n", b""),
    ]  # fmt: skip
    assert places(MARKED, (b"yours", b"base @1", b"theirs @3")) == []
    assert places(MARKED.replace(b"=======\n", b"", 1), LABELS) == [found[1]._replace(start=13, stop=19)]
    assert places(MARKED.replace(b"\n", b"\r\n"), LABELS)[0].clash.ours == b"mine\r\n"
    assert places(b"<<<<<<< yours\n" * 50_000, LABELS) == []


def test_settled_place_by_place() -> None:
    half = settle(MARKED, LABELS, {2: b"eight\n"})
    assert [place.clash for place in places(half, LABELS)] == [Clash(b"1\n", b"mine\n", b"theirs\n")]
    assert settle(half, LABELS, {1: b""}) == b"0\n2\n3\n4\nfive\n6\n7\neight\n9\n"
    assert settle(MARKED, LABELS, {}) == MARKED


def test_choices() -> None:
    clash = Clash(b"b\n", b"o", b"t\n")
    assert [chosen(clash, side) for side in ("ours", "theirs", "both", "base")] == [b"o", b"t\n", b"o\nt\n", b"b\n"]
    assert chosen(Clash(b"", b"", b"t"), "both") == b"t"


def test_what_was_written_by_hand() -> None:
    """Each place by itself; where the lines around it changed too, nothing is known."""
    first, second = clashes(BASE, OURS, THEIRS)
    now = b"0\nboth\nof them\n2\n3\n4\nfive\n6\n7\n9\n"
    assert settled_by_hand(MARKED, LABELS, now) == [(first, b"both\nof them\n"), (second, b"")]
    assert settled_by_hand(MARKED, LABELS, b"0\nboth\ntwo\n3\n4\nfive\n6\n7\nx\n9\n") == [(second, b"x\n")]
    half = settle(MARKED, LABELS, {1: b"x\n"})
    assert settled_by_hand(MARKED, LABELS, half) == [(first, b"x\n")]
    assert settled_by_hand(MARKED, LABELS, b"") == []


def test_a_clash_is_known_whichever_side_is_ours() -> None:
    one = Clash(b"b\n", b"o\n", b"t\n")
    assert one.name(b"a") == Clash(b"b\n", b"t\n", b"o\n").name(b"a") == Clash(b"b", b"o\r\n", b"t").name(b"a")
    others = {
        one.name(b"b"), Clash(b"", b"o\n", b"t\n").name(b"a"), Clash(b"\n", b"o\n", b"t\n").name(b"a"),
        Clash(b"b\n", b"o\n", b"").name(b"a"), Clash(b"b\n\n", b"o\n", b"t\n").name(b"a"),
    }  # fmt: skip
    assert len(others | {one.name(b"a")}) == 6
    parts = [b"list", b"\x01b", b"\x01o", b"\x01t"]
    written = b"micelio clash 1\x00" + b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    assert one.name(b"list") == hashlib.sha256(written).digest()


def test_merged_with_what_was_settled() -> None:
    first, second = clashes(BASE, OURS, THEIRS)
    half = merge3_with_markers(BASE, OURS, THEIRS, LABELS, {second: b"eight\n"})
    assert half == settle(MARKED, LABELS, {2: b"eight\n"})
    assert merge3_with_markers(BASE, OURS, THEIRS, LABELS, {first: b"", second: b""}) == b"0\n2\n3\n4\nfive\n6\n7\n9\n"
