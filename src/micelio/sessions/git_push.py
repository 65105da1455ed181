"""Taking what is pushed with Git: commits on main land, other refs move, and what is refused changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from django.db import transaction

from mic.core.brought import NOTES as WORDS
from mic.core.errors import InvalidInput, MicError, Protected
from mic.git.kept import KeptObjects
from mic.git.kept_lines import lines_of
from mic.git.moving import MOVED, move, refusals
from mic.git.notes import is_notes, objects_of
from mic.git.packscan import Limits
from mic.git.push_fsck import PushFsck
from mic.git.quarantine import Quarantine
from mic.git.refuse_erased import RefuseErased
from mic.git.served import ServedRepository
from mic.git.serving import ABSENT, RefResult, RefUpdate
from mic.git.shown import MAIN
from mic.git.snapshot import Snapshot
from mic.git.tree_windows import Window
from mic.git.view import BROUGHT, NOTES, LineTip, View
from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.databases import let_go
from micelio.findings.actions import require_reason
from micelio.findings.policy import require_decide
from micelio.projects.ownership import require_line
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project
from micelio.sessions.git_push_landings import PushLandings, Told
from micelio.sessions.git_push_rules import moves_of, refusal_words, refused_move, rewinds, wrong_target
from micelio.sessions.git_rebase import FOR_MAIN, meant
from micelio.sessions.git_secrets import ObjectSearch
from micelio.sessions.git_view import kept_objects
from micelio.sessions.policy import require_free, require_write

_MAINS = (MAIN, FOR_MAIN)
_BRANCHES = b"refs/heads/"


def open_for_push(actor: Actor, owner: str, handle: str) -> ServedRepository:
    """The repository of a project for a push. Raises NotFound, Unauthenticated, PermissionDenied."""
    project = get_project(actor, owner, handle)
    require_write(actor, project)
    require_free(actor)
    let_go()  # what follows waits for the store, and others may need the connection
    kept = kept_objects(project.id)
    return ServedRepository(kept, _Push(actor, project, kept).take)


class _Push:
    def __init__(self, actor: Actor, project: ProjectView, kept: KeptObjects) -> None:
        self._actor, self._project, self._kept = actor, project, kept
        self._told = Told()
        self._landings = PushLandings(actor, project, kept, self._told)
        self._rebase = False  # whether commits go behind a line that has moved
        self._lines: dict[bytes, LineTip] = {}  # branches that sessions land on, by ref

    def take(
        self,
        snapshot: Snapshot,
        updates: Sequence[RefUpdate],
        pack: BinaryIO | None,
        atomic: bool,
        options: Sequence[bytes],
    ) -> list[RefResult]:
        """Judge every update, keep the objects, land what is on main, move the other refs."""
        words = next((update for update in updates if update.name == WORDS), None)
        if words is not None:
            self._told.words = b"" if words.new == ABSENT else words.new
            kept = [update for update in updates if update is not words]
            results = self.take(snapshot, kept, pack, atomic, options) if kept else []
            taken = self._told.words and any(not result.error for result in results)
            said = "" if taken else "what sessions said lands with their commits: push both in one push"
            by_name = {result.name: result for result in [*results, RefResult(WORDS, said)]}
            return [by_name[update.name] for update in updates]
        meant = [self._meant(snapshot.view, update) for update in updates]
        results = self._taken(snapshot, meant, pack, atomic, options)
        return [result._replace(name=update.name) for result, update in zip(results, updates, strict=True)]

    def _meant(self, view: View, update: RefUpdate) -> RefUpdate:
        """Notes are kept where those that people bring are; whoever pushes them sees neither."""
        if update.name != NOTES or update.new == ABSENT:
            return update
        self._told.brought = update.new
        return RefUpdate(BROUGHT, view.refs.get(BROUGHT, ABSENT), update.new)

    def _taken(
        self,
        snapshot: Snapshot,
        updates: Sequence[RefUpdate],
        pack: BinaryIO | None,
        atomic: bool,
        options: Sequence[bytes],
    ) -> list[RefResult]:
        self._rebase = b"rebase" in options
        self._lines = lines_of(snapshot.view)
        refused = {update.name: why for update in updates if (why := refused_move(snapshot.view, update, self._rebase))}
        if atomic and len(updates) > 1 and any(meant(update.name) in self._lines for update in updates):
            return _results(updates, {}, "a branch that sessions land on moves alone: push it without --atomic")
        for update in updates:
            if update.name not in refused and (why := self._protected(update.name)):
                refused[update.name] = why
        names = {meant(update.name) for update in updates}
        if len(names) != len(updates):
            return [RefResult(update.name, "the ref is named twice") for update in updates]
        if len(refused) == len(updates) or (atomic and refused):
            return _results(updates, refused, "the atomic push was refused")
        try:
            self._told.accepted = self._reason(options)
            quarantine, secret = self._received(snapshot, updates, pack)
        except MicError as error:
            return _results(updates, refused, refusal_words(error))
        for update in updates:
            why = self._wrong_target(quarantine, update) or ("" if self._lands(update) else secret)
            if update.name not in refused and update.new != ABSENT and why:
                refused[update.name] = why
        if len(refused) == len(updates) or (atomic and refused):
            return _results(updates, refused, "the atomic push was refused")
        try:
            return self._done(snapshot, quarantine, updates, refused, atomic)
        except MicError as error:
            return _results(updates, refused, refusal_words(error))

    def _wrong_target(self, quarantine: Quarantine, update: RefUpdate) -> str:
        if update.name == BROUGHT and update.new == self._told.brought:
            if not is_notes(quarantine.packs, update.new):
                return "refs/notes/ai takes a commit of notes"
            # Whoever pushes notes without having fetched would take those of others away.
            return MOVED if rewinds(quarantine, update) else ""
        grows = update.name in self._lines and update.new != ABSENT and not self._rebase
        if grows and rewinds(quarantine, update):
            return "non-fast-forward: a branch that sessions land on only grows"
        return wrong_target(quarantine, update, self._rebase)

    def _lands(self, update: RefUpdate) -> bool:
        """Whether what is pushed lands, and is searched as it does: on main, or on another line."""
        return update.name in _MAINS or meant(update.name) in self._lines

    def _protected(self, name: bytes) -> str:
        """Why the actor may not move a branch, "" when they may: a rule for lines covers branches of its name."""
        branch = meant(name)
        if name in _MAINS or not branch.startswith(_BRANCHES):
            return ""  # of main, the landing says so
        try:
            require_line(self._actor, self._project, branch.removeprefix(_BRANCHES).decode("utf-8", "surrogateescape"))
        except Protected as error:
            return refusal_words(error)
        return ""

    def _done(
        self,
        snapshot: Snapshot,
        quarantine: Quarantine,
        updates: Sequence[RefUpdate],
        refused: dict[bytes, str],
        atomic: bool,
    ) -> list[RefResult]:
        """Objects first, then main, then the other refs; what nothing came of is taken out again."""
        main = next((update for update in updates if update.name in _MAINS and update.name not in refused), None)
        others = [update for update in updates if not self._lands(update) and update.name not in refused]
        lines = [update for update in updates if meant(update.name) in self._lines and update.name not in refused]
        done, grown = RefResult(MAIN), {update.name for update in others if not rewinds(quarantine, update)}
        if atomic and main is not None and others:
            # Of main and the rest, main lands first: what is known to be refused must be known before.
            refused |= refusals(self._kept.snapshot().view, moves_of(others, grown))
            if refused:
                return _results(updates, refused, "the atomic push was refused")
        kept, certain = "", True
        if main is not None and (self._rebase or main.name == FOR_MAIN):
            done = self._landings.land_behind(snapshot, quarantine, main)
            if (others or lines) and not done.error:
                snapshot = self._kept.snapshot()
                quarantine.rebase(self._kept.reader(snapshot))
                kept = self._landings.keep(quarantine, snapshot)
        else:
            kept = self._landings.keep(quarantine, snapshot)
            if main is not None and atomic and others:
                why, certain = self._landings.land_with(snapshot, quarantine, main, others, grown, refused)
                done = RefResult(MAIN, why)
            elif main is not None:
                why, certain = self._landings.land(snapshot, quarantine.graph, quarantine.packs, main.new)
                done = RefResult(MAIN, why)
        if main is not None and done.error:
            refused[main.name] = done.error
            if atomic or not (others or lines):
                self._landings.drop(kept, certain)
                return _results(updates, refused, "the atomic push was refused")
        of_lines = {}
        for update in lines:
            moved = of_lines[update.name] = self._landings.move_line(
                quarantine, self._lines[meant(update.name)], update, self._rebase
            )
            if moved.error:
                refused[update.name] = moved.error
        if others and all(self._kept.snapshot().view.refs.get(u.name, ABSENT) == u.new for u in others):
            self._note(others)  # they moved with main
        elif others:
            refused |= self._move(others, grown, atomic)
        if len(refused) == len(updates):
            self._landings.drop(kept, certain)
        forced = {update.name for update in others if rewinds(quarantine, update) and update.new != ABSENT}
        return [
            done._replace(name=u.name)
            if u is main
            else of_lines.get(u.name) or RefResult(u.name, refused.get(u.name, ""), u.name in forced)
            for u in updates
        ]

    def _reason(self, options: Sequence[bytes]) -> str:
        """The push option `accept-secrets=REASON`, which is an admin's. Raises InvalidInput, PermissionDenied."""
        accepted = ""
        for option in options:
            name, _, reason = option.partition(b"=")
            if option == b"rebase":
                continue
            if name == b"accept-secrets":
                require_decide(self._actor, self._project)
                accepted = require_reason(reason.decode("utf-8", "replace"))
                continue
            what = name[:40].decode("utf-8", "replace")
            raise InvalidInput(
                f"There is no push option {what!r}.", hint="There are `rebase` and `accept-secrets=REASON`."
            )
        return accepted

    def _received(
        self, snapshot: Snapshot, updates: Sequence[RefUpdate], pack: BinaryIO | None
    ) -> tuple[Quarantine, str]:
        """What was sent, checked; and what secret it holds, if refs besides main would show it."""
        shown = not self._told.accepted and not all(map(self._lands, updates))
        search = ObjectSearch(self._kept.project) if shown else None

        fsck, gone = PushFsck(), RefuseErased(self._kept.project.erased(), self._kept.rewritten(snapshot.view))

        def check(oid: bytes, kind: int, data: bytes, window: Window | None) -> None:
            gone.add(kind, data, oid)
            fsck.add(oid, kind, data, window)
            if search is not None:
                search.add(oid, kind, data)

        quarantine = Quarantine(pack, snapshot, self._kept.reader(snapshot), check, Limits())
        if self._told.words and is_notes(quarantine.packs, self._told.words):
            # They land as what was said; as objects nobody could take them back again.
            quarantine.leave_out(objects_of(quarantine.packs, self._told.words))
        else:
            self._told.words = b""
        gone.finish()
        fsck.finish(quarantine.packs)
        return quarantine, search.finish() if search is not None else ""

    # ------------------------------------------------------------ other refs

    def _move(self, updates: Sequence[RefUpdate], grown: set[bytes], atomic: bool) -> dict[bytes, str]:
        """Move refs together; those that were refused, and why. `grown` can reach all that they named before."""
        refused: dict[bytes, str] = {}

        def edit(view: View) -> View | None:
            moved = move(view, moves_of(updates, grown), atomic, self._kept.now())
            refused.clear()
            refused.update(moved.refused)
            if atomic and refused:
                refused.update({update.name: "the atomic push was refused" for update in updates} | moved.refused)
            return moved.view

        try:
            self._kept.change(edit)
        except MicError as error:
            return {update.name: refusal_words(error) for update in updates}
        self._note([update for update in updates if update.name not in refused])
        return refused

    def _note(self, updates: Sequence[RefUpdate]) -> None:
        """Record that refs have moved."""
        moved = {
            update.name.decode("utf-8", "replace")[:200]: [_hex(update.old), _hex(update.new)] for update in updates
        }
        if not moved:
            return
        with transaction.atomic():
            record(
                self._actor,
                "project.refs",
                "project",
                self._project.id,
                f"{self._project.owner}/{self._project.handle}",
                project_id=self._project.id,
                organization_id=self._project.owner_id,
                refs=dict(list(moved.items())[:100]),
                count=len(moved),
            )


def _results(updates: Sequence[RefUpdate], refused: dict[bytes, str], other: str) -> list[RefResult]:
    return [RefResult(update.name, refused.get(update.name, other)) for update in updates]


def _hex(oid: bytes) -> str:
    return "" if oid == ABSENT else oid.hex()
