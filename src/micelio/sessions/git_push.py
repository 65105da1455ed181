"""Taking what is pushed with Git: commits on main land, other refs move, and what is refused changes nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from typing import BinaryIO, cast

import msgspec
from django.db import transaction

from mic.core.brought import NOTES as WORDS
from mic.core.errors import Busy, InvalidInput, MicError, PreconditionFailed, Protected, SecretFound, Unavailable
from mic.git.graph import Graph
from mic.git.kept import KeptObjects
from mic.git.kept_lines import lines_of
from mic.git.moving import MOVED, begin, move, refusals, withdraw
from mic.git.notes import is_notes, objects_of
from mic.git.packs import Packs
from mic.git.packscan import Limits
from mic.git.push_fsck import PushFsck
from mic.git.pushed import first_parents
from mic.git.quarantine import Quarantine
from mic.git.rebase import Clashed, Rebase
from mic.git.refuse_erased import RefuseErased
from mic.git.served import ServedRepository
from mic.git.serving import ABSENT, RefResult, RefUpdate
from mic.git.shown import MAIN
from mic.git.snapshot import Snapshot
from mic.git.told import Rebased
from mic.git.tree_windows import Window
from mic.git.view import BROUGHT, NOTES, LineTip, View
from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.databases import let_go
from micelio.findings.actions import require_reason
from micelio.findings.policy import require_decide
from micelio.projects.ownership import require_line
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project, on_branch, project_name
from micelio.sentences import for_people, one_line
from micelio.sessions.branches import delete_branch
from micelio.sessions.git_landings import CommitLandings, telling_of
from micelio.sessions.git_push_rules import moves_of, refused_move, rewinds, wrong_target
from micelio.sessions.git_rebase import FOR, FOR_MAIN, clash_words, landed_words, meant, rebase
from micelio.sessions.git_secrets import ObjectSearch
from micelio.sessions.git_view import kept_objects
from micelio.sessions.intake import HistoryIntake
from micelio.sessions.policy import require_free, require_write

# How often commits are put behind a main that moves while they are.
_TRIES = 5
_SPOOLED = 8 << 20
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
        self._accepted = ""  # an admin's reason why the push may hold secrets
        self._rebase = False  # whether commits go behind a line that has moved
        self._lines: dict[bytes, LineTip] = {}  # branches that sessions land on, by ref
        self._words = b""  # the notes of what sessions said elsewhere, which land with their commits
        self._brought = b""  # the notes that are pushed as `refs/notes/ai`, which they become part of

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
            self._words = b"" if words.new == ABSENT else words.new
            kept = [update for update in updates if update is not words]
            results = self.take(snapshot, kept, pack, atomic, options) if kept else []
            taken = self._words and any(not result.error for result in results)
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
        self._brought = update.new
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
            self._accepted = self._reason(options)
            quarantine, secret = self._received(snapshot, updates, pack)
        except MicError as error:
            return _results(updates, refused, _words(error))
        for update in updates:
            why = self._wrong_target(quarantine, update) or ("" if self._lands(update) else secret)
            if update.name not in refused and update.new != ABSENT and why:
                refused[update.name] = why
        if len(refused) == len(updates) or (atomic and refused):
            return _results(updates, refused, "the atomic push was refused")
        try:
            return self._done(snapshot, quarantine, updates, refused, atomic)
        except MicError as error:
            return _results(updates, refused, _words(error))

    def _wrong_target(self, quarantine: Quarantine, update: RefUpdate) -> str:
        if update.name == BROUGHT and update.new == self._brought:
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
            return _words(error)
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
            done = self._land_behind(snapshot, quarantine, main)
            if (others or lines) and not done.error:
                snapshot = self._kept.snapshot()
                quarantine.rebase(self._kept.reader(snapshot))
                kept = self._keep(quarantine, snapshot)
        else:
            kept = self._keep(quarantine, snapshot)
            if main is not None and atomic and others:
                why, certain = self._land_with(snapshot, quarantine, main, others, grown, refused)
                done = RefResult(MAIN, why)
            elif main is not None:
                why, certain = self._land(snapshot, quarantine.graph, quarantine.packs, main.new)
                done = RefResult(MAIN, why)
        if main is not None and done.error:
            refused[main.name] = done.error
            if atomic or not (others or lines):
                self._drop(kept, certain)
                return _results(updates, refused, "the atomic push was refused")
        of_lines = {}
        for update in lines:
            moved = of_lines[update.name] = self._move_line(quarantine, self._lines[meant(update.name)], update)
            if moved.error:
                refused[update.name] = moved.error
        if others and all(self._kept.snapshot().view.refs.get(u.name, ABSENT) == u.new for u in others):
            self._note(others)  # they moved with main
        elif others:
            refused |= self._move(others, grown, atomic)
        if len(refused) == len(updates):
            self._drop(kept, certain)
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
        shown = not self._accepted and not all(map(self._lands, updates))
        search = ObjectSearch(self._kept.project) if shown else None

        fsck, gone = PushFsck(), RefuseErased(self._kept.project.erased(), self._kept.rewritten(snapshot.view))

        def check(oid: bytes, kind: int, data: bytes, window: Window | None) -> None:
            gone.add(kind, data, oid)
            fsck.add(oid, kind, data, window)
            if search is not None:
                search.add(oid, kind, data)

        quarantine = Quarantine(pack, snapshot, self._kept.reader(snapshot), check, Limits())
        if self._words and is_notes(quarantine.packs, self._words):
            # They land as what was said; as objects nobody could take them back again.
            quarantine.leave_out(objects_of(quarantine.packs, self._words))
        else:
            self._words = b""
        gone.finish()
        fsck.finish(quarantine.packs)
        return quarantine, search.finish() if search is not None else ""

    # ------------------------------------------------------------ objects

    def _keep(self, quarantine: Quarantine | Rebase, snapshot: Snapshot) -> str:
        """Before anything names them: what a crash leaves behind is unreachable, and sent again is known.

        The name of the pack, "" when all of it was here.
        """
        erased = snapshot.view.erased
        while not quarantine.empty:
            with cast(BinaryIO, tempfile.SpooledTemporaryFile(_SPOOLED)) as out:
                kept = self._kept.keep(quarantine.write(out), out, derived=False)
            view = msgspec.structs.replace(snapshot.view, packs=(*snapshot.view.packs, kept))
            if self._kept.replace(snapshot, view):
                return kept.name
            # Others have made objects meanwhile, perhaps the same: no object may be in two packs.
            snapshot = self._kept.snapshot()
            if snapshot.view.erased != erased:  # it was judged before that
                raise Busy("Something was erased meanwhile, so nothing of the push is kept.", hint="Push again.")
            quarantine.rebase(self._kept.reader(snapshot))
        return ""

    def _drop(self, name: str, certain: bool = True) -> None:
        """Take a pack out of the view again that nothing came of; it stays where something may come of it yet."""

        def edit(view: View) -> View | None:
            if not certain:
                return msgspec.structs.replace(view, exact=False) if view.exact else None
            packs = tuple(pack for pack in view.packs if pack.name != name)
            if len(packs) == len(view.packs):
                return None  # merged with others meanwhile
            return msgspec.structs.replace(view, packs=packs, retired=(*view.retired, (name, self._kept.now())))

        self._kept.change(edit)

    # ------------------------------------------------------------ main

    def _land_behind(self, snapshot: Snapshot, quarantine: Quarantine, update: RefUpdate) -> RefResult:
        """Land commits on main as they are where it can reach them, else as new ones behind it."""
        for _ in range(_TRIES):
            tip = snapshot.view.tip
            if not tip or quarantine.graph.is_ancestor(tip, update.new):
                result = self._as_sent(snapshot, quarantine, update)
            else:
                result = self._rebased(snapshot, quarantine, update)
            if result.error != MOVED:
                return result
            snapshot = self._kept.caught_up()
            quarantine.follow(snapshot, self._kept.reader(snapshot))
        return RefResult(update.name, "main moves faster than the commits are put behind it; push again")

    def _as_sent(self, snapshot: Snapshot, quarantine: Quarantine, update: RefUpdate) -> RefResult:
        kept = self._keep(quarantine, snapshot)
        why, certain = self._land(snapshot, quarantine.graph, quarantine.packs, update.new)
        if why:
            self._drop(kept, certain)
            return RefResult(update.name, why)
        return RefResult(update.name, became=RefUpdate(MAIN, snapshot.view.tip or ABSENT, update.new))

    def _rebased(
        self, snapshot: Snapshot, quarantine: Quarantine, update: RefUpdate, line: LineTip | None = None
    ) -> RefResult:
        tip, position = (snapshot.view.tip, snapshot.view.position) if line is None else (line.tip, line.position)
        project = self._project if line is None else on_branch(self._project, line.branch)
        try:
            done = rebase(quarantine, self._kept.reader(snapshot), tip, update.new, self._kept.now() // 1000)
        except Clashed as clashed:
            return RefResult(update.name, clash_words(self._actor, project, clashed))
        if done is None:
            return RefResult(update.name, f"{project.branch} and what was pushed have no commit in common")
        work, picked = done
        if work.tip != tip:
            kept = self._keep(work, snapshot)
            now = self._kept.snapshot()
            was = Rebased({item.new: item.old for item in picked if item.new}, quarantine.packs)
            why, certain = self._land(snapshot, now.graph, self._kept.reader(now), work.tip, rebased=was, line=line)
            if why:
                self._drop(kept, certain)
                return RefResult(update.name, why)
        now = self._kept.snapshot()
        said = landed_words(self._kept.reader(now), picked, position + 1, project.branch)
        if update.name.startswith(FOR) and line is not None:
            return RefResult(update.name, said=said)
        # Told as a move of main, git would set its own `origin/main` to a commit that it does not have.
        landing = b"refs/landings/%d" % (position + sum(bool(item.new) for item in picked))
        name = landing if line is None else FOR + line.branch.encode()
        became = RefUpdate(name, tip if work.tip == tip else ABSENT, work.tip)
        return RefResult(update.name, became=became, said=said)

    def _land_with(
        self, snapshot: Snapshot, quarantine: Quarantine, main: RefUpdate, others: Sequence[RefUpdate],
        grown: set[bytes], refused: dict[bytes, str],
    ) -> tuple[str, bool]:  # fmt: skip
        """Land main so that the other refs move with it, whoever dies meanwhile; the answer is that of `_land`."""
        count = len(first_parents(quarantine.graph, snapshot.view.tip, main.new))
        moves = moves_of(others, grown)
        attempts: list[int] = []

        def prepare(hlc: int) -> bool:
            def edit(view: View) -> View | None:
                moved = begin(view, moves, snapshot.view.position + count, hlc, self._kept.now())
                refused.update(moved.refused)
                return moved.view

            attempts.append(hlc)
            return self._kept.change(edit) is not None

        why, certain = self._land(snapshot, quarantine.graph, quarantine.packs, main.new, prepare)
        # Whether it landed says the log: an answer that got lost is no refusal.
        self._kept.caught_up()
        if why and certain:
            for hlc in attempts:
                self._kept.change(partial(withdraw, hlc=hlc))
        return why, certain

    def _land(
        self,
        snapshot: Snapshot,
        graph: Graph,
        packs: Packs,
        new: bytes,
        prepare: Callable[[int], bool] = lambda hlc: True,
        rebased: Rebased | None = None,
        line: LineTip | None = None,
    ) -> tuple[str, bool]:
        """Land commits behind the newest landing of main, or of another line; why not, "" when they did, and whether
        that is certain.

        `prepare` is called when nothing is left to do but to swap the head, with the clock value of the newest landing,
        and says whether to.
        """
        tip, position = (snapshot.view.tip, snapshot.view.position) if line is None else (line.tip, line.position)
        commits = first_parents(graph, tip, new)
        try:
            project = self._project if line is None else on_branch(self._project, line.branch)
            with HistoryIntake(
                self._actor, project, "git push", accept_secrets=self._accepted, onto=position
            ) as intake:
                notes = self._brought or snapshot.view.refs.get(BROUGHT, b"")
                telling = telling_of(packs, graph, new, notes, rebased, self._words)
                landings = CommitLandings(intake, packs, graph, tip, telling, first_wins=False)
                for oid in commits:
                    landings.add(oid)
                if not prepare(intake.hlc):
                    return "the atomic push was refused", True
                intake.finish()
        except PreconditionFailed:
            return MOVED, True
        except Unavailable as error:
            return _words(error), False
        except MicError as error:
            if not position and line is None and self._kept.project.head().position:
                return MOVED, True  # two first pushes at once
            return _words(error), True
        return "", True

    def _move_line(self, quarantine: Quarantine, line: LineTip, update: RefUpdate) -> RefResult:
        """Land what was pushed to a branch that sessions land on, or delete it."""
        if update.name.startswith(FOR) or (self._rebase and update.new != ABSENT):
            return self._line_behind(quarantine, line, update)
        if update.new != ABSENT:
            why, _ = self._land(self._kept.snapshot(), quarantine.graph, quarantine.packs, update.new, line=line)
            return RefResult(update.name, why)
        try:
            delete_branch(self._actor, self._project, line.branch)
        except MicError as error:
            return RefResult(update.name, _words(error))
        return RefResult(update.name)

    def _line_behind(self, quarantine: Quarantine, line: LineTip, update: RefUpdate) -> RefResult:
        """Land commits on a line as they are where it can reach them, else as new ones behind it."""
        for _ in range(_TRIES):
            snapshot = self._kept.caught_up()
            found = lines_of(snapshot.view).get(meant(update.name))
            if found is None or found.trouble:
                return RefResult(update.name, MOVED)
            quarantine.follow(snapshot, self._kept.reader(snapshot))
            if quarantine.graph.is_ancestor(found.tip, update.new):
                why, _ = self._land(snapshot, quarantine.graph, quarantine.packs, update.new, line=found)
                result = RefResult(update.name, why)
            else:
                result = self._rebased(snapshot, quarantine, update, found)
            if result.error != MOVED:
                return result
        return RefResult(update.name, f"{line.branch} moves faster than the commits are put behind it; push again")

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
            return {update.name: _words(error) for update in updates}
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


def _words(error: MicError) -> str:
    if isinstance(error, SecretFound):
        hint = "Revoke it and take it out of the commits; an admin may push with `-o accept-secrets=REASON`."
        error = SecretFound(error.message, hint=hint, **error.details)
    return one_line(for_people(error, project_name))


def _hex(oid: bytes) -> str:
    return "" if oid == ABSENT else oid.hex()
