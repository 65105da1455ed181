"""Versions of Git trees read where they differ: the verdicts and the entries are those of reading them whole."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from fuzz.packs import added, copy, delta
from mic.git.fsck import check_tree, is_sound_version
from mic.git.packentry import TREE, apply_delta, copies, object_id
from mic.git.tree_entries import readable_entries
from mic.git.tree_windows import Made, Window, Windows

Entry = tuple[bytes, bytes, bytes]

# Names that Git acts on, names that only begin like them, and what no tree may hold.
_ODD = [
    b".git",
    b"git~1",
    b".gitmodules",
    b".gitattributes",
    b"gitlab",
    b"main.c",
    b"a/b",
    b"..",
    b"GIT~1",
    b"f050-",
    b"f050",
]
_MODES = [b"100644", b"100755", b"40000", b"160000", b"120000", b"100664", b"040000", b"0100644", b"100600"]


def _raw(entries: list[Entry]) -> bytes:
    return b"".join(b"%b %b\0%b" % entry for entry in entries)


def _sorted(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry[1] + b"/" if entry[0] == b"40000" else entry[1])


def _oid(draw: random.Random) -> bytes:
    # Ids that look like entries.
    return draw.choice([draw.randbytes(20), b" f050\0" + draw.randbytes(14), b"100644 f050\0" + draw.randbytes(8)])


def _edited(draw: random.Random, entries: list[Entry]) -> list[Entry]:
    """A version with a few edits, most of them such as people make."""
    made = list(entries)
    for _ in range(draw.randint(0, 3)):
        at = draw.randrange(len(made))
        mode, name, oid = made[at]
        match draw.randrange(7):
            case 0 | 1:
                made[at] = mode, name, _oid(draw)
            case 2:
                del made[at]
            case 3:
                made.append((b"100644", b"f%03d.new" % draw.randrange(200), _oid(draw)))
                made = _sorted(made)
            case 4:
                made[at] = draw.choice(_MODES), name, oid
            case 5:
                made.append((draw.choice(_MODES), draw.choice(_ODD), draw.choice([_oid(draw), bytes(20)])))
                made = made if draw.random() < 0.3 else _sorted(made)
            case _:
                other = draw.randrange(len(made))
                made[at], made[other] = made[other], made[at]
    return made


def _made(draw: random.Random, old: bytes, new: bytes) -> Made:
    """A delta as anybody might make one: its copies begin and end anywhere, and may go back."""
    ops, at = [], 0
    while at < len(new):
        piece = new[at : at + draw.randint(1, 400)]
        where = old.find(piece)
        if where < 0:
            piece = piece[:100]
            ops.append(added(piece))
        else:
            while len(piece) < 60_000 and new[at : at + len(piece) + 1] == old[where : where + len(piece) + 1]:
                if at + len(piece) == len(new):
                    break
                piece = new[at : at + len(piece) + 1]
            piece = piece[: draw.choice([len(piece), max(1, len(piece) - draw.randint(0, 60))])]
            ops.append(copy(where, len(piece)))
        at += len(piece)
    change = delta(len(old), len(new), *ops)
    assert apply_delta(old, change) == new
    for place, source, length in copies(change):
        assert new[place : place + length] == old[source : source + length]
    return Made(object_id(TREE, old), old, change)


@pytest.mark.parametrize("seed", range(60))
def test_a_version_is_judged_as_if_it_was_read_whole(seed: int) -> None:
    """Through a chain of versions, sound ones and others, each judged over the one that it was made of."""
    draw, windows = random.Random(seed), Windows()
    entries = _sorted([(draw.choice([b"100644", b"40000"]), b"f%03d" % number, _oid(draw)) for number in range(60)])
    before, seen = _raw(entries), 0
    for _ in range(12):
        edited = _edited(draw, entries)
        raw = _raw(edited)
        if draw.random() < 0.1:  # bytes that are no tree
            raw = raw[: draw.randrange(len(raw))] + draw.randbytes(3) + raw[draw.randrange(len(raw)) :]
        whole, readable = readable_entries(raw)
        window = windows.over(object_id(TREE, raw), raw, _made(draw, before, raw))
        if window is not None:
            assert readable
            _same(window, whole, raw, before)
            seen += 1
        if readable:
            entries, before = whole, raw
    assert seen


def _same(window: Window, whole: list[Entry], raw: bytes, before: bytes) -> None:
    old, judged, was = readable_entries(before)[0], check_tree(raw), check_tree(before)
    assert Counter(whole) + Counter(window.gone) == Counter(old) + Counter(window.fresh)
    if is_sound_version(raw, window) and not was.findings:
        assert not judged.findings
        # What Git acts on was there before, and so were the links beside it.
        assert set(judged.gitmodules) <= set(was.gitmodules)
        assert set(judged.gitattributes) <= set(was.gitattributes)
        links = [{name for mode, name, _ in parts if mode == b"120000"} for parts in (whole, old)]
        assert links[0] == links[1]


def test_a_file_and_a_folder_of_one_name() -> None:
    """They stand apart in the order of a tree, and are found all the same."""
    base = _sorted([(b"40000", b"name", b"1" * 20)] + [(b"100644", b"name-%03d" % at, b"2" * 20) for at in range(60)])
    version = _sorted([*base, (b"100644", b"name", b"3" * 20)])
    before, raw = _raw(base), _raw(version)
    window = Windows().over(b"v" * 20, raw, _made(random.Random(1), before, raw))
    assert window is not None
    assert (b"100644", b"name", b"3" * 20) in window.fresh
    assert [found.msg_id for found in check_tree(raw).findings] == ["duplicateEntries"]
    assert not is_sound_version(raw, window)


def test_one_entry_of_a_thousand_is_all_that_is_read() -> None:
    base = [(b"100644", b"file %04d" % at, bytes([at % 251 + 1]) * 20) for at in range(1000)]
    version = [*base[:500], (b"100644", b"file 0500", b"x" * 20), *base[501:]]
    old, new = _raw(base), _raw(version)
    each = len(old) // 1000
    # The id of one entry is new, all before it and all behind it is copied.
    at = 500 * each + each - 20
    change = delta(len(old), len(new), copy(0, at), added(b"x" * 20), copy(at + 20, len(old) - at - 20))
    windows = Windows()
    window = windows.over(b"v" * 20, new, Made(b"b" * 20, old, change))
    assert window is not None
    assert (window.fresh, window.gone, window.runs) == ([version[500]], [base[500]], [version[499:502]])
    assert is_sound_version(new, window)
    shorter = _raw(version[:-1])
    change = delta(len(new), len(shorter), copy(0, len(shorter)))
    again = windows.over(b"w" * 20, shorter, Made(b"v" * 20, new, change))
    assert again is not None
    assert (again.fresh, again.gone, again.runs) == ([], [version[999]], [])
    assert is_sound_version(shorter, again)
