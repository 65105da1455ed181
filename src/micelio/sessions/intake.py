"""Taking in a Git history, for an import or a push: checked as any landing is, and visible at the end or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from types import TracebackType

from django.db import transaction

from mic.core.errors import (
    InvalidInput,
    PreconditionFailed,
)
from mic.core.head import Head
from mic.core.ids import content_hash
from mic.core.paths import display
from mic.core.session import Op
from mic.core.tree import Entry
from mic.ledger.conflict import ancestors
from mic.ledger.frame import Frame, check_hash, plain
from mic.ledger.history import HistoryCommit
from micelio.accounts.actor import Actor, require_signed_in
from micelio.audit.actions import record
from micelio.findings.actions import keep_out, mark_searched, require_reason, settle, take_in
from micelio.findings.found import Found, history_secrets
from micelio.findings.models import State as FindingState
from micelio.findings.policy import require_decide
from micelio.findings.queries import decided
from micelio.owners.refuse import require_readable
from micelio.owners.rules import MAX_BYTES as MAX_OWNERS
from micelio.owners.rules import NONE as NO_OWNERS
from micelio.owners.rules import PATH as OWNERS
from micelio.projects.jobs import stored_much
from micelio.projects.ledgers import open_ledger
from micelio.projects.limits import require_unfilled
from micelio.projects.ownership import gate_for, owners_at, require_line
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import project_of
from micelio.sessions import projector
from micelio.sessions.actions import LATEST_MS
from micelio.sessions.import_secrets import HistorySearch
from micelio.sessions.policy import (
    require_free,
    require_import,
    require_write,
)

# Small contents of a history wait in memory for the commit that names them, up to this many bytes.
MAX_WAITING = 24 << 20


class HistoryIntake:
    """Taking in a Git history: contents and commits one after the other, visible only after `finish`.

    Use as a context manager; leaving it without `finish` leaves nothing visible. With `onto` it continues the history
    of a project that is at that position: what is pushed with Git, which whoever may land may do.
    """

    def __init__(
        self,
        actor: Actor,
        project: ProjectView,
        source: str,
        *,
        accept_secrets: str = "",
        undecided: bool = False,
        onto: int = 0,
        clock: int | None = None,
        clean: bool = False,
    ) -> None:
        """An admin's `accept_secrets` is the reason why the history may hold secrets; they are listed as allowed.

        `undecided` is for whoever runs the forge: what is found is listed as open then. With the `clock` of an attempt
        that stopped (0 in the first) the same landings are made again. All of it is `clean` when its objects were
        searched for secrets already and held none.
        """
        if onto:
            require_write(actor, project)
            require_free(actor)
        else:
            require_import(actor, project)
        if accept_secrets:
            require_decide(actor, project)
            accept_secrets = require_reason(accept_secrets)
        require_unfilled(project)
        require_line(actor, project)
        self._gate = gate_for(actor, project)
        self._list = b""  # the list of owners that it brings, by its hash
        self._actor, self._project = actor, project
        self._accepted, self._undecided = accept_secrets, undecided
        self._search = HistorySearch(clean)
        self._ledger = open_ledger(project.line)
        self._onto = onto
        self._history = self._ledger.import_history(source, require_signed_in(actor).bytes, onto, clock)
        self._owners = owners_at(self._ledger, onto) if self._gate is not None else None
        self._upload = self._ledger.upload()
        self._placed = 0
        self._waiting = 0

    def __enter__(self) -> HistoryIntake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._upload.close()

    @property
    def landed(self) -> int:
        """Commits taken in so far."""
        return self._history.landed

    @property
    def clock(self) -> int:
        """What makes the landings of another attempt the same."""
        return self._history.clock

    @property
    def hlc(self) -> int:
        """The clock value of the newest landing so far, which tells it from those of other attempts."""
        return self._history.hlc

    def files(self) -> Iterator[Entry]:
        """The files of the newest tree, sorted by path."""
        after = b""
        while found := self._ledger.run(self._history.files(after, 1000)):
            yield from found
            after = found[-1].path

    def forget(self) -> None:
        """Remove what was written; nothing names it before `finish`."""
        self._ledger.run(self._history.forget())

    def add_frame(self, frame: Frame) -> None:
        """The next content, or the next part of a large one; raises InvalidInput when it is not what it says."""
        if frame.listed:
            raise InvalidInput("An import sends contents, not lists of their chunks.")
        if not frame.offset and frame.length == frame.size and self._waiting < MAX_WAITING:
            data = plain(frame)
            check_hash(content_hash(data), frame.hash)
            self._take(frame.hash, data, lasts=False)
            return
        self._ledger.run(self._upload.receive(frame))
        self._search.frame(frame)

    def add_content(self, name: bytes, data: bytes, *, lasts: bool) -> None:
        """The next content of at most 4 MiB, with the SHA-256 that it has; it `lasts` when the newest tree names it."""
        if self._waiting < MAX_WAITING:
            self._take(name, data, lasts=lasts)
        else:
            self.add_frame(Frame(name, len(data), 0, len(data), False, data))

    def _take(self, name: bytes, data: bytes, *, lasts: bool) -> None:
        self._search.content(name, data)
        self._waiting += len(data)
        self._history.add_plain(name, data, lasts=lasts)

    def add_commit(self, commit: HistoryCommit) -> None:
        """The next commit, oldest first. Raises InvalidInput when its id is not the hash of its bytes."""
        _check_commit(commit)
        _check_paths(commit)
        if self._gate is not None:
            # It lands on this position and on no other. In an empty project nobody owns anything yet.
            self._gate.require([path for path, *_ in commit.changes], lambda: self._owners or NO_OWNERS)
        for path, op, _, content, _ in commit.changes:
            if path == OWNERS:
                self._list = b"" if op == Op.DELETED else content
        # What came as packs must be findable before the commit that names it.
        self._ledger.run(self._upload.flush())
        for pack, objects in self._upload.placed[self._placed :]:
            self._history.add_pack(pack, objects)
        self._placed = len(self._upload.placed)
        self._waiting = 0
        clean = self._search.commit(self._onto + self._history.landed + 1, commit)
        self._ledger.run(self._history.add_commit(clean._replace(authored_ms=_day_in_calendar(clean.authored_ms))))

    def finish(self) -> Head:
        """Make the history visible and derive its rows. Raises SecretFound for what nobody has let in."""
        found = self._search.finish()
        if not self._accepted:
            self._refuse_undecided(found)
        self._still_may()
        if self._onto and self._list:
            require_readable(self._ledger.run(self._history.content(self._list, MAX_OWNERS)))
        head = self._ledger.finish_import(self._history)
        with transaction.atomic():
            self._note(found)
            record(
                self._actor,
                "project.push" if self._onto else "project.import",
                "project",
                self._project.id,
                self._project.address,
                organization_id=self._project.owner_id,
                landings=head.position - self._onto,
            )
        projector.catch_up(self._project.line)
        stored_much(self._project)
        return head

    def _still_may(self) -> None:
        """The rules as they are now: an import takes hours, and the first look was at its beginning."""
        project = project_of(self._actor, self._project.line)
        require_import(self._actor, project)
        require_line(self._actor, project)
        if project.protection != self._project.protection and gate_for(self._actor, project) is not None:
            raise PreconditionFailed(
                f"Who may land in {project.owner}/{project.handle} was changed meanwhile; nothing was imported.",
                hint="Import it again.",
            )

    def _refuse_undecided(self, found: list[Found]) -> None:
        known = decided(self._project.id, {item.key for item in found})
        left = [item for item in found if item.key not in known]
        if left or self._search.beyond:
            keep_out(self._project.id, found)
            raise history_secrets(left or found)

    def _note(self, found: list[Found]) -> None:
        if self._accepted and found:
            state = FindingState.OPEN if self._undecided else FindingState.ALLOWED
            take_in(self._actor, self._project, found, self._accepted, state)
        else:
            settle(self._project.id, found)
        if not self._onto:  # what was there before a push may never have been searched
            mark_searched(self._project.id, self._history.landed)


def _check_paths(commit: HistoryCommit) -> None:
    """Within one commit each path is said once, and none is a file and a directory."""
    present = {path for path, op, *_ in commit.changes if op != Op.DELETED}
    if len({path for path, *_ in commit.changes}) != len(commit.changes):
        raise InvalidInput(f"The commit {commit.oid.hex()} changes a path twice.")
    for path in present:
        for above in ancestors(path):
            if above in present:
                raise InvalidInput(f"{display(above)} cannot be a file and a directory at once.")


def _check_commit(commit: HistoryCommit) -> None:
    """Git names a commit by the SHA-1 (20 bytes) or SHA-256 (32) of its header and bytes."""
    digest = hashlib.sha256 if len(commit.oid) == 32 else hashlib.sha1
    if digest(b"commit %d\x00" % len(commit.raw) + commit.raw).digest() != commit.oid:
        raise InvalidInput(
            f"The commit {commit.oid[:32].hex()} was sent with bytes that have another id.",
            hint="Check the repository with `git fsck`.",
        )


def _day_in_calendar(ms: int) -> int:
    return min(max(ms, 0), LATEST_MS)
