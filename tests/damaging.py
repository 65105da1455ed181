"""Files as a broken disk, another program or a newer version leaves them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

HOW = ("empty", "cut", "zeros", "random", "folder", "loop")


def damage(path: Path, how: str) -> None:
    """Damage a file in one of the ways of HOW, or make it one of a "newer" version, where it is msgpack."""
    raw = path.read_bytes()
    path.unlink()
    if how == "folder":
        path.mkdir()
    elif how == "loop":
        # Cannot be opened, whoever asks; permissions would not stop root.
        path.symlink_to(path.name)
    elif how == "newer":
        path.write_bytes(msgspec.msgpack.encode(msgspec.msgpack.decode(raw) | {"version": 2}))
    else:
        random = hashlib.shake_128(how.encode()).digest(len(raw))
        cut = raw[: max(len(raw) - 3, 1)]
        path.write_bytes({"empty": b"", "cut": cut, "zeros": bytes(len(raw)), "random": random}[how])
