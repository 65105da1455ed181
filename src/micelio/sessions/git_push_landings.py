"""Landing what was pushed with Git: its objects are kept first, then commits land on main or on another line."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, cast

import msgspec

from mic.core.errors import Busy, MicError, PreconditionFailed, Unavailable
from mic.git.graph import Graph
from mic.git.kept import KeptObjects
from mic.git.kept_lines import lines_of
from mic.git.moving import MOVED, begin, withdraw
from mic.git.packs import Packs
from mic.git.pushed import first_parents
from mic.git.quarantine import Quarantine
from mic.git.rebase import Clashed, Rebase
from mic.git.serving import ABSENT, RefResult, RefUpdate
from mic.git.shown import MAIN
from mic.git.snapshot import Snapshot
from mic.git.told import Rebased
from mic.git.view import BROUGHT, LineTip, View
from micelio.accounts.actor import Actor
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import on_branch
from micelio.sessions.branches import delete_branch
from micelio.sessions.git_landings import CommitLandings, telling_of
from micelio.sessions.git_push_rules import moves_of, refusal_words
from micelio.sessions.git_rebase import FOR, clash_words, landed_words, meant, rebase
from micelio.sessions.intake import HistoryIntake

# How often commits are put behind a main that moves while they are.
_TRIES = 5
_SPOOLED = 8 << 20


@dataclass
class Told:
    """What a push says beside its commits."""

    accepted: str = ""  # an admin's reason why the push may hold secrets
    words: bytes = b""  # the notes of what sessions said elsewhere, which land with their commits
    brought: bytes = b""  # the notes that are pushed as `refs/notes/ai`, which they become part of


class PushLandings:
    """What one push keeps and lands. Each landing answers with why it did not, "" when it did."""

    def __init__(self, actor: Actor, project: ProjectView, kept: KeptObjects, told: Told) -> None:
        self._actor, self._project, self._kept, self._told = actor, project, kept, told

    def keep(self, quarantine: Quarantine | Rebase, snapshot: Snapshot) -> str:
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

    def drop(self, name: str, certain: bool = True) -> None:
        """Take a pack out of the view again that nothing came of; it stays where something may come of it yet."""

        def edit(view: View) -> View | None:
            if not certain:
                return msgspec.structs.replace(view, exact=False) if view.exact else None
            packs = tuple(pack for pack in view.packs if pack.name != name)
            if len(packs) == len(view.packs):
                return None  # merged with others meanwhile
            return msgspec.structs.replace(view, packs=packs, retired=(*view.retired, (name, self._kept.now())))

        self._kept.change(edit)

    def land_behind(self, snapshot: Snapshot, quarantine: Quarantine, update: RefUpdate) -> RefResult:
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
        kept = self.keep(quarantine, snapshot)
        why, certain = self.land(snapshot, quarantine.graph, quarantine.packs, update.new)
        if why:
            self.drop(kept, certain)
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
            kept = self.keep(work, snapshot)
            now = self._kept.snapshot()
            was = Rebased({item.new: item.old for item in picked if item.new}, quarantine.packs)
            why, certain = self.land(snapshot, now.graph, self._kept.reader(now), work.tip, rebased=was, line=line)
            if why:
                self.drop(kept, certain)
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

    def land_with(
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

        why, certain = self.land(snapshot, quarantine.graph, quarantine.packs, main.new, prepare)
        # Whether it landed says the log: an answer that got lost is no refusal.
        self._kept.caught_up()
        if why and certain:
            for hlc in attempts:
                self._kept.change(partial(withdraw, hlc=hlc))
        return why, certain

    def land(
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
                self._actor, project, "git push", accept_secrets=self._told.accepted, onto=position
            ) as intake:
                notes = self._told.brought or snapshot.view.refs.get(BROUGHT, b"")
                telling = telling_of(packs, graph, new, notes, rebased, self._told.words)
                landings = CommitLandings(intake, packs, graph, tip, telling, first_wins=False)
                for oid in commits:
                    landings.add(oid)
                if not prepare(intake.hlc):
                    return "the atomic push was refused", True
                intake.finish()
        except PreconditionFailed:
            return MOVED, True
        except Unavailable as error:
            return refusal_words(error), False
        except MicError as error:
            if not position and line is None and self._kept.project.head().position:
                return MOVED, True  # two first pushes at once
            return refusal_words(error), True
        return "", True

    def move_line(self, quarantine: Quarantine, line: LineTip, update: RefUpdate, behind: bool) -> RefResult:
        """Land what was pushed to a branch that sessions land on, as sent or `behind` it, or delete the branch."""
        if update.name.startswith(FOR) or (behind and update.new != ABSENT):
            return self._line_behind(quarantine, line, update)
        if update.new != ABSENT:
            why, _ = self.land(self._kept.snapshot(), quarantine.graph, quarantine.packs, update.new, line=line)
            return RefResult(update.name, why)
        try:
            delete_branch(self._actor, self._project, line.branch)
        except MicError as error:
            return RefResult(update.name, refusal_words(error))
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
                why, _ = self.land(snapshot, quarantine.graph, quarantine.packs, update.new, line=found)
                result = RefResult(update.name, why)
            else:
                result = self._rebased(snapshot, quarantine, update, found)
            if result.error != MOVED:
                return result
        return RefResult(update.name, f"{line.branch} moves faster than the commits are put behind it; push again")
