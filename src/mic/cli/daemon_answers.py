"""What the daemon says: what the commands themselves would print."""

from __future__ import annotations

from collections.abc import Callable

from mic.cli.hot import View, bare_text, status_text
from mic.daemon.watched import Seen

OTHERS: dict[bytes, Callable[[list[bytes]], bytes | None]] = {}


def _status(fields: list[bytes], seen: Seen) -> bytes:
    _, root, form = fields
    return status_text(View(root, seen), form == b"json", form == b"colour").encode()


def _bare(fields: list[bytes], seen: Seen) -> bytes:
    _, root, form = fields
    return bare_text(View(root, seen), form == b"json", form == b"colour").encode()


ANSWERS: dict[bytes, Callable[[list[bytes], Seen], bytes]] = {b"status": _status, b"bare": _bare}
