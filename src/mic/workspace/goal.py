"""The first line of `.mic/session` and `.mic/queued`: enough for `mic status` without decoding the rest.

`started_ms base_position goal`, the goal with backslashes and line ends escaped.
"""

from __future__ import annotations

from mic.workspace.place import FOLDER, read_file


def encode_line(started_ms: int, base_position: int, goal: str) -> bytes:
    """The line, with its end."""
    text = goal.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{started_ms} {base_position} {text}\n".encode()


def read_line(root: bytes, name: bytes = b"session") -> tuple[int, int, str] | None:
    """Start (Unix ms), base position and goal of the open session, or of `queued`; None without. Raises Corrupt."""
    raw = read_file(root + b"/" + FOLDER + b"/" + name)
    if raw is None:
        return None
    try:
        started, base, text = raw.split(b"\n", 1)[0].decode().split(" ", 2)
        goal = "\\".join(part.replace("\\n", "\n").replace("\\r", "\r") for part in text.split("\\\\"))
        return int(started), int(base), goal
    except ValueError:
        from mic.core.errors import Corrupt

        raise Corrupt(
            f"the {'open' if name == b'session' else 'queued'} session of this workspace is damaged",
            hint=f"what it holds is in .mic/{name.decode()}; move that file away to go on",
        ) from None
