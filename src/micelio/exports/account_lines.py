"""What the forge holds about an account as JSON lines, for whoever it is: never a secret, never another's words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from mic.core.errors import MicError
from mic.core.ids import ulid_text
from micelio.accounts import held as accounts
from micelio.accounts.actor import Actor
from micelio.audit import queries as audit
from micelio.config import current
from micelio.exports.lines import VERSION, line
from micelio.exports.models import Export
from micelio.exports.project_lines import session_fields
from micelio.organizations import held as organizations
from micelio.projects import held as projects
from micelio.projects.queries import project_names, whole_id
from micelio.sessions.written import Written, read_written, written_by
from micelio.tokens.queries import list_tokens

_BATCH = 500


class AccountLines:
    """The lines of one account. `done` counts them; nobody knows beforehand how many there are."""

    def __init__(self, actor: Actor, user_id: UUID) -> None:
        self._actor, self._user = actor, user_id
        self.done = self.total = 0

    def pieces(self) -> Iterator[bytes]:
        """The lines."""
        for piece in self._lines():
            self.done += 1
            yield piece

    def _lines(self) -> Iterator[bytes]:
        actor, user = self._actor, self._user
        yield line("forge", {"version": VERSION, "address": current().base_url, "made_at": datetime.now(UTC)})
        for held in (accounts.held(user), organizations.held(user), projects.held(actor, user)):
            for kind, fields in held:
                yield line(kind, fields)
        for token in list_tokens(actor):
            yield line(
                "token",
                {
                    "id": token.id, "name": token.name, "scopes": token.scopes, "projects": token.projects,
                    "session": token.session, "created_at": token.created_at, "expires_at": token.expires_at,
                    "last_used_at": token.last_used_at,
                },
            )  # fmt: skip
        for export in Export.objects.filter(started_by=user).order_by("created_at"):
            yield line("export", {"of": export.kind, "state": export.state, "at": export.created_at})
        yield from self._sessions()
        for event in audit.lines(audit.by_account(user)):
            yield line("event", msgspec.json.decode(event))

    def _sessions(self) -> Iterator[bytes]:
        some: list[Written] = []
        for written in written_by(self._user):
            some.append(written)
            if len(some) == _BATCH:
                yield from self._told(some)
                some = []
        yield from self._told(some)

    def _told(self, some: list[Written]) -> Iterator[bytes]:
        """Words of sessions in projects that the actor may still read; of others that there is one."""
        whole = {key: whole_id(key) for key in {written.line for written in some}}
        names = project_names(self._actor, set(whole.values()))
        for written in some:
            place = {"session": ulid_text(written.session_id), "position": written.position or None}
            name = names.get(whole[written.line])
            if name is None:
                yield line("session", {**place, "project": str(whole[written.line]), "hidden": True})
                continue
            try:
                yield line("session", {**place, "project": name, **session_fields(read_written(written))})
            except MicError as error:  # one that is damaged keeps nobody from the rest
                yield line("session", {**place, "project": name, "unreadable": error.code})
