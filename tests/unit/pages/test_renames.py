"""Which new path of a difference was made from which old one."""

from __future__ import annotations

from mic.core.ids import content_hash
from mic.core.tree import BLOB, Entry
from micelio.pages.path_change import PathChange
from micelio.pages.renames import with_sources


def entry(path: bytes, data: bytes) -> Entry:
    return Entry(path, 0o100644, BLOB, len(data), content_hash(data))


def said(changes: list[PathChange]) -> dict[bytes, tuple[bytes, bool, bytes]]:
    return {
        each.path: (each.source.path if each.source else b"", each.renamed, each.became)
        for each in changes
        if each.source or each.became
    }


OLD, SAME, OTHER = entry(b"old", b"1\n"), entry(b"new", b"1\n"), entry(b"new", b"2\n")


def test_the_same_content_elsewhere_is_a_rename() -> None:
    """Whatever the session says of it; the old path says what it became."""
    found = with_sources([PathChange(b"new", None, SAME), PathChange(b"old", OLD, None)], {}, {})
    assert said(found) == {b"new": (b"old", True, b""), b"old": (b"", False, b"new")}
    assert found[0].before == OLD


def test_what_the_session_says() -> None:
    """Made from a file that went is renamed, from one that stayed copied, from one that was not there nothing."""
    gone = [PathChange(b"new", None, OTHER), PathChange(b"old", OLD, None)]
    before = {b"old": OLD}
    assert said(with_sources(gone, {b"new": b"old"}, before)) == {
        b"new": (b"old", True, b""),
        b"old": (b"", False, b"new"),
    }
    assert said(with_sources(gone[:1], {b"new": b"old"}, before)) == {b"new": (b"old", False, b"")}
    assert said(with_sources(gone, {b"new": b"absent"}, before)) == {}
    assert said(with_sources(gone, {}, before)) == {}


def test_nothing_is_guessed() -> None:
    """Of two files of one content nobody knows which; empty files are all alike; a changed file is what it was."""
    twin = entry(b"twin", b"1\n")
    two = [PathChange(b"new", None, SAME), PathChange(b"old", OLD, None), PathChange(b"twin", twin, None)]
    assert said(with_sources(two, {}, {})) == {}
    nothing = [PathChange(b"a", None, entry(b"a", b"")), PathChange(b"b", entry(b"b", b""), None)]
    assert said(with_sources(nothing, {}, {})) == {}
    changed = [PathChange(b"new", OTHER, SAME), PathChange(b"old", OLD, None)]
    assert said(with_sources(changed, {b"new": b"old"}, {b"old": OLD})) == {}


def test_one_file_can_become_two() -> None:
    """The first is where it is now; both have it as their source."""
    more = entry(b"more", b"1\n")
    changes = [PathChange(b"more", None, more), PathChange(b"new", None, SAME), PathChange(b"old", OLD, None)]
    assert said(with_sources(changes, {}, {})) == {
        b"more": (b"old", True, b""),
        b"new": (b"old", True, b""),
        b"old": (b"", False, b"more"),
    }
