"""A project's history and sessions as JSON lines: what landed, why, by whom, and what it changed; no contents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from mic.core.answered import Answered
from mic.core.brought import brought_from
from mic.core.head import hlc_ms
from mic.core.ids import ulid_text
from mic.core.record import Record
from mic.core.session import Op, Session, State, by_model
from micelio.accounts.actor import Actor
from micelio.config import current
from micelio.exports.lines import VERSION, line, moment, path_of
from micelio.projects.branches import registered_branches
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import MAIN, ProjectView
from micelio.sessions.git_view import kept_objects
from micelio.sessions.redaction import as_shown
from micelio.sessions.transcripts import as_read

_BATCH = 200
_OPS = {Op.ADDED: "added", Op.MODIFIED: "modified", Op.DELETED: "deleted"}


class ProjectLines:
    """The lines of one project. `done` and `total` count landings; `shown` says which open sessions may be seen."""

    def __init__(self, actor: Actor, project: ProjectView, shown: Callable[[bytes], bool]) -> None:
        self._actor, self._project, self._shown = actor, project, shown
        self.done = self.total = 0

    def pieces(self) -> Iterator[bytes]:
        """The lines. Raises what reading the store does."""
        project = self._project
        yield line(
            "project",
            {
                "version": VERSION, "address": f"{project.owner}/{project.handle}", "id": project.id,
                "forge": current().base_url, "name": project.name, "description": project.description,
                "visibility": project.visibility, "created_at": project.created_at, "made_at": datetime.now(UTC),
                "fork_position": project.fork_position, "archived_at": project.archived_at,
            },
        )  # fmt: skip
        branches = registered_branches(project.id)
        lines = [(MAIN, project.id, 0), *((each.name, each.id, each.position) for each in branches)]
        heads = {key: open_ledger(key).head().position for _, key, _ in lines}
        self.total = sum(heads[key] - begun for _, key, begun in lines)
        for each in branches:
            yield line(
                "branch",
                {
                    "name": each.name, "begun_at_position": each.position, "begun_by": each.begun_by,
                    "begun_at": each.begun_at, "position": heads[each.id],
                },
            )  # fmt: skip
        for name, key, begun in lines:
            ledger, looked = open_ledger(key), self._on(name, key)
            for first in range(begun + 1, heads[key] + 1, _BATCH):
                for record in ledger.records(first, min(first + _BATCH - 1, heads[key])):
                    session = as_shown(ledger.session_of(record))
                    yield _landing(name, record, as_read(self._actor, looked, session, record.position))
                    self.done += 1
        ledger = open_ledger(project.id)
        for session in ledger.kept_sessions():
            if self._shown(session.id) and ledger.find_session(session.id) is None:
                said = session_fields(as_read(self._actor, project, as_shown(session), 0))
                yield line("open_session", {**said, "state": State(session.state).name.lower()})
        for ref, oid in sorted(kept_objects(project.id).caught_up().view.refs.items()):
            yield line("ref", {"name": ref.decode("utf-8", "replace"), "commit": oid.hex()})

    def _on(self, branch: str, line_id: UUID) -> ProjectView:
        """The project, looked at on one of its lines."""
        if line_id == self._project.id:
            return self._project
        return replace(self._project, branch=branch, branch_id=line_id)


def _landing(branch: str, record: Record, session: Session) -> bytes:
    git: dict[str, Any] = session.metadata.get("git") or {}
    return line(
        "landing",
        {
            "branch": branch,
            "position": record.position,
            "landed_at": _at(hlc_ms(record.hlc)),
            "tree": record.root_after.hex(),
            "git_commit": bytes(git["commit"]).hex() if git.get("commit") else "",
            **session_fields(session),
            "files": [
                {
                    **path_of(change.path),
                    "op": "deleted" if change.entry is None else _OPS[Op(change.op)],
                    **(
                        {
                            "mode": f"{change.entry.mode:06o}", "size": change.entry.size,
                            "sha256": change.entry.hash.hex(),
                        }
                        if change.entry is not None
                        else {}
                    ),
                }
                for change in record.changes
            ],
        },
    )  # fmt: skip


def session_fields(session: Session) -> dict[str, Any]:
    """What a session says, as it stands in a line."""
    answered = Answered((each.role, each.at) for each in session.conversation)
    return {
        "session": ulid_text(session.id),
        "goal": session.goal,
        "author": {"name": session.author.name, "email": session.author.email},
        "agent": session.agent,
        "base_position": session.base_position,
        "begun_at": _at(hlc_ms(session.hlc_created)),
        "transcript": session.transcript or "project",
        "messages": session.turns,
        "usage": [
            {"model": each.model, "read": each.read, "cached": each.cached, "written": each.written}
            for each in by_model(session.usage)
        ],
        "conversation": [
            {"role": each.role, "author": each.author, "text": each.text, "at": _at(each.at)}
            for each in session.conversation
        ],
        "decisions": [
            {
                "what": each.what, "why": each.why, "by": each.by, "evidence": each.evidence,
                "alternatives": [{"what": other.what, "why_not": other.why_not} for other in each.alternatives],
                "at": _at(each.at), "message": each.message, "said_before": answered.before(each.at, each.message),
            }
            for each in session.decisions
        ],
        "brought": brought_from(session) or None,
        "redacted": session.metadata.get("redacted"),
    }  # fmt: skip


def _at(ms: int) -> str:
    try:
        return moment(datetime.fromtimestamp(ms / 1000, UTC)) if ms else ""
    except (ValueError, OverflowError, OSError):
        return ""
