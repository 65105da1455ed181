"""The commits of landings whose words were erased, and what becomes of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mic.core.ids import ulid_text
from mic.core.record import Record
from mic.core.redaction import Redaction
from mic.core.session import Session
from mic.git.graph import Graph
from mic.git.native import COMMITTER, native_commit
from mic.git.objects import commit_line
from mic.git.packentry import COMMIT
from mic.git.packs import Packs
from mic.git.rewrite import Edit
from mic.ledger.project import Project


def silent_commits(
    project: Project,
    packs: Packs,
    graph: Graph,
    rewritten: Mapping[bytes, bytes],
    redactions: Sequence[Redaction],
) -> dict[bytes, Edit]:
    """What makes the commits anew of the sessions that something stands in for, by their ids of now."""
    found: dict[bytes, Edit] = {}
    made: dict[int, list[tuple[Record, Session]]] = {}  # by mic, by the second
    for redaction in redactions:
        for item in redaction.stand_ins:
            position = project.find_session(item.session)
            if position is None:
                continue  # landed behind the fork point
            record, session = project.landing(position)
            git: dict[str, Any] = session.metadata.get("git") or {}
            oid, raw = git.get("commit"), git.get("raw")
            if not isinstance(oid, bytes) or not isinstance(raw, bytes):
                made.setdefault((record.hlc >> 16) // 1000, []).append((record, session))
            elif (now := rewritten.get(oid, oid)) in graph.lines:
                found[now] = lambda before, raw=raw: raw  # type: ignore[misc]
    for oid, line in graph.lines.items():
        for record, session in made.get(line.committed, ()):
            if _is_of(packs.read(oid, COMMIT)[1], record):
                found[oid] = _made_anew(oid, record, session)
    return found


def _is_of(raw: bytes, record: Record) -> bool:
    """Whether a commit is the one that mic made of a landing; one of the same words that was pushed is another."""
    trailers = f"\nMicelio-Session: {ulid_text(record.session)}\nMicelio-Position: {record.position}\n".encode()
    return trailers in raw and b"\ncommitter " + COMMITTER + b" " in raw.partition(b"\n\n")[0]


def _made_anew(oid: bytes, record: Record, session: Session) -> Edit:
    def edit(raw: bytes) -> bytes:
        line = commit_line(oid, raw)
        return native_commit(record, session, line.tree, b"".join(line.parents[:1]))

    return edit
