"""The Git commit of a landing that was made with mic: a function of the landing, the same from every front end.

    tree TREE / parent PARENT (from the second landing on)
    author NAME <EMAIL> SECONDS +0000          as frozen in the landing, its clock in whole seconds
    committer mic <mic@micelio.invalid> SECONDS +0000
    (empty line) goal (empty line) Micelio-Session: ULID / Micelio-Position: N / Assisted-by: AGENT (if one is named)

Nothing here may ever change: the ids of commits that people have cloned rest on it (docs/formats.md).
"""

from __future__ import annotations

import re

from mic.core.ids import ulid_text
from mic.core.record import Record
from mic.core.session import Session

COMMITTER = b"mic <mic@micelio.invalid>"
# What Git takes away from the ends of a name, and what would end it in the middle.
_CRUD = " .,:;<>\"\\'\t\r\n\0"
_INSIDE = re.compile(r"[<>\x00\r\n]")
_LINE = re.compile(r"[\x00-\x1f\x7f]+")


def identity(name: str, email: str) -> bytes:
    """`NAME <EMAIL>` as Git accepts it; an empty name becomes `unknown`."""
    name = _INSIDE.sub("", name).strip(_CRUD) or "unknown"
    email = _INSIDE.sub("", email).strip(_CRUD)
    return f"{name} <{email}>".encode(errors="replace")


def native_commit(record: Record, session: Session, tree: bytes, parent: bytes) -> bytes:
    """The bytes of the commit of a landing on the commit `parent` (b"" for none)."""
    stamp = b" %d +0000\n" % ((record.hlc >> 16) // 1000)
    goal = session.goal.replace("\0", "\ufffd").strip("\n").rstrip()
    trailers = [f"Micelio-Session: {ulid_text(session.id)}", f"Micelio-Position: {record.position}"]
    if session.agent:
        trailers.append("Assisted-by: " + _LINE.sub(" ", session.agent).strip())
    message = "\n".join([goal, "", *trailers, ""]).encode(errors="replace")
    return b"".join(
        (
            b"tree %s\n" % tree.hex().encode(),
            b"parent %s\n" % parent.hex().encode() if parent else b"",
            b"author " + identity(session.author.name, session.author.email) + stamp,
            b"committer " + COMMITTER + stamp,
            b"\n",
            message,
        )
    )
