"""What waits for the forge: its form on the disk, byte for byte, and what is done with one that is not whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from mic.core.errors import Corrupt
from mic.core.session import Change, Op
from mic.workspace.pending import LAND, Pending, add, keep, overlay, pending, remove
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace

SESSION = LocalSession(bytes(range(16)), "Water", 1_700_000_000_000, 7)
CHANGE = Change(b"README", Op.MODIFIED, 0o100644, b"\x01" * 32, 3, b"\x02" * 32, 0o100644)


def test_the_form(ws: Workspace) -> None:
    """The line says form, version, kind and session; the rest is a map with names, as docs/formats.md has it."""
    item = add(ws, Pending(LAND, SESSION, 0, [CHANGE], b"message", b"after", 5, "winter"))
    raw = Path(ws.root, ".mic/pending/00000001").read_bytes()
    line, _, body = raw.partition(b"\n")
    assert line == b"mic-pending 1 land 00041061050R3GG28A1C60T3GF"
    assert body.startswith(b"\x8b\xa4kind\xa4land\xa7session\x8c\xa2id\xc4\x10" + bytes(range(16)))
    assert b"\xa7message\xc4\x07message\xa5after\xc4\x05after\xa8after_ms\x05\xa4line\xa6winter\xa5taken\xc2" in body
    assert pending(ws) == [item]
    assert overlay([item]) == {b"README": CHANGE}


def test_numbers_rise_and_contents_go_with_the_last_that_needs_them(ws: Workspace) -> None:
    content, size = keep(ws, b"README", 0o100644)
    change = Change(b"README", Op.MODIFIED, 0o100644, content, size)
    first, second = (add(ws, Pending(LAND, SESSION, 0, [change])) for _ in range(2))
    folder = Path(ws.root, ".mic/pending/contents")
    assert [path.name for path in folder.iterdir()] == [content.hex()]
    remove(ws, first)
    assert [item.number for item in pending(ws)] == [2]
    assert [path.name for path in folder.iterdir()] == [content.hex()]
    remove(ws, second)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"mic-pending 2 land X\n\x80", "newer version"),
        (b"mic-pending 1 land X\n\x80", "damaged"),
        (b"mic-pending x\n", "damaged"),
        (b"", "damaged"),
    ],
)
def test_what_cannot_be_read_is_named(ws: Workspace, raw: bytes, said: str) -> None:
    Path(ws.root, ".mic/pending").mkdir()
    path = Path(ws.root, ".mic/pending/00000004")
    path.write_bytes(raw)
    with pytest.raises(Corrupt, match=said) as error:
        pending(ws)
    assert str(path) in error.value.message
