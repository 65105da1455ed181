"""A small session whose contents come with it, whole: for whoever has no working copy to make changes in."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mic.core.attribution import LINES, VERSION, Writer, parse, stored
from mic.core.blob import encode_blob
from mic.core.errors import InvalidInput
from mic.core.head import ms_hlc
from mic.core.ids import content_hash, new_ulid
from mic.core.paths import display, parse_path
from mic.core.session import Alternative, Change, Decision, Message, Op, Session, Usage
from mic.core.tree import Entry
from micelio.accounts.actor import Actor
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions.policy import require_write

__all__ = ["Alternative", "Decision", "File", "Message", "Wanted", "session"]

_REGULAR = 0o100644


class File(NamedTuple):
    """One path as it should be: its whole content, None when it is to go; `mode` None: as it was, else 100644.

    `copied_from` is what a new file was made from, `written` who wrote which lines: (first, from 1; lines; writer).
    """

    path: bytes
    data: bytes | None
    mode: int | None
    copied_from: bytes = b""
    written: Sequence[tuple[int, int, Writer]] | None = None


class Wanted(NamedTuple):
    """What is to land. `base_position` None is the head, `session_id` b"" one that is made here."""

    goal: str
    files: Sequence[File]
    base_position: int | None = None
    session_id: bytes = b""
    agent: str = ""
    conversation: Sequence[Message] = ()
    decisions: Sequence[Decision] = ()
    transcript: str = ""
    usage: Sequence[Usage] = ()


def session(actor: Actor, project: ProjectView, wanted: Wanted) -> tuple[Session, dict[bytes, bytes]]:
    """The session as a client with a working copy would send it, and its contents in their stored form by hash.

    What a path held at the base is looked up; a file that would stay as it is, is left out. Raises as writing to the
    project, NotFound for a base that is not there, InvalidInput, InvalidPath.
    """
    require_write(actor, project)
    ledger = open_ledger(project.line)
    base = ledger.head().position if wanted.base_position is None else wanted.base_position
    paths = [parse_path(file.path) for file in wanted.files]
    if len(set(paths)) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise InvalidInput(f"{display(twice)[:200]} is there twice.", hint="Say once how each file should be.")
    before = ledger.entries(ledger.tree_at(base), paths)
    contents: dict[bytes, bytes] = {}
    changes = []
    for file in wanted.files:
        change = _change(file, before.get(file.path))
        if change is not None:
            changes.append(change)
            if file.data is not None:
                contents[change.hash] = encode_blob(file.data)
    now = time.time_ns() // 1_000_000
    made = Session(
        id=wanted.session_id or new_ulid(now, secrets.token_bytes(10)),
        goal=wanted.goal,
        base_position=base,
        hlc_created=ms_hlc(now),
        agent=wanted.agent,
        conversation=tuple(wanted.conversation),
        transcript=wanted.transcript,
        usage=tuple(wanted.usage),
        decisions=tuple(wanted.decisions),
        changes=tuple(changes),
        attribution=_attribution(wanted.files, {change.path: change.hash for change in changes}),
    )
    return made, contents


def _attribution(files: Sequence[File], contents: Mapping[bytes, bytes]) -> dict[str, Any]:
    """What is said of the lines of the files that change; raises InvalidInput."""
    numbers: dict[Writer, int] = {}
    said = []
    for file in files:
        if file.written is not None and contents.get(file.path):
            lines = [(first, count, numbers.setdefault(who, len(numbers))) for first, count, who in file.written]
            said.append({"path": file.path, "content": contents[file.path], "lines": sorted(lines)})
    if not said:
        return {}
    writers = [{"kind": who.kind, "name": who.name, "message": who.message} for who in numbers]
    return stored(parse({LINES: {"version": VERSION, "writers": writers, "files": said}}))


def _change(file: File, old: Entry | None) -> Change | None:
    """None when the file is already so."""
    base_hash, base_mode = (old.hash, old.mode) if old is not None else (b"", 0)
    if file.data is None:
        if old is None:
            raise InvalidInput(
                f"{display(file.path)[:200]} is to be deleted, and was not there at the base.", hint="Leave it out."
            )
        return Change(file.path, Op.DELETED, 0, b"", 0, base_hash, base_mode)
    mode = file.mode or base_mode or _REGULAR
    content = content_hash(file.data)
    if (content, mode) == (base_hash, base_mode):
        return None
    op = Op.ADDED if old is None else Op.MODIFIED
    source = parse_path(file.copied_from) if file.copied_from else b""
    return Change(file.path, op, mode, content, len(file.data), base_hash, base_mode, copied_from=source)
