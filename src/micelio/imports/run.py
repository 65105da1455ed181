"""One import from its beginning, or from where it was left, to its end.

Each stage writes what nothing names yet, so that whoever is killed begins the stage again and writes the same. The
last one makes it count: objects first, then main, then the other refs. What fails takes out again what it wrote.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from typing import BinaryIO, cast

import msgspec
from django.db import transaction
from django.utils import timezone

from mic.core.errors import Corrupt, InvalidInput, MicError, NotFound, PreconditionFailed, TooLarge, Unavailable
from mic.git import sent
from mic.git.arriving import MAIN, Arriving, Settled, arrange, put_aside, settle
from mic.git.import_fsck import ImportFsck
from mic.git.packentry import COMMIT
from mic.git.packscan import Limits
from mic.git.pushed import blobs_of, first_parents
from mic.git.quarantine import Quarantine
from mic.git.refuse_erased import RefuseErased
from mic.git.snapshot import Snapshot
from mic.git.tree_windows import Window
from mic.git.validate import same_tree
from mic.git.view import BROUGHT, MAX_REFS, KeptPack, View
from micelio.accounts.actor import Actor, actor_of_account
from micelio.audit.actions import record
from micelio.config import current
from micelio.databases import let_go
from micelio.imports import worker
from micelio.imports.models import GitImport, Stage, State
from micelio.imports.progress import Progress
from micelio.jobs.run import Canceled, Stopped, words
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import is_standing, project_name, project_of
from micelio.sessions.git_landings import CommitLandings, telling_of
from micelio.sessions.git_secrets import ObjectSearch, object_secret
from micelio.sessions.git_view import kept_objects
from micelio.sessions.intake import HistoryIntake

_log = logging.getLogger("micelio.imports")

# A pack that is kept: what is read at once of a store without files, and what memory holds while it is written.
PACK = 64 << 20
# What an import may ask of us: an administrator of nothing else waits for it.
LIMITS = Limits(objects=50_000_000, inflated=4 << 40, seconds=86_400.0, each=16 << 20)
_PIECE = 1 << 20


def carry_out(row: GitImport) -> None:
    """Carry an import out that this process has claimed. Its row says what became of it; raises nothing expected."""
    if not is_standing(row.project_id):
        return _ended(row, State.CANCELED)
    progress = Progress(row)
    run = _Run(row, progress)
    try:
        if row.state == State.CANCELED:
            raise Canceled
        run.go()
    except Canceled:
        run.undo()
        _ended(row, State.CANCELED)
    except Stopped:
        progress.save(state=State.WAITING, worker="")
    except Unavailable as error:
        if worker.rest(row.id):
            _log.warning("import %s into %s waits: %s", row.id, row.project_id, error)
            progress.save(state=State.WAITING, worker="")
        else:
            _failed(run, row, error)
    except MicError as error:
        _failed(run, row, error)
    except Exception:
        _log.exception("import %s into %s failed", row.id, row.project_id)
        _failed(run, row, Unavailable("The forge failed at this import.", hint="Its log says why; try again later."))
    finally:
        run.close()


def _failed(run: _Run, row: GitImport, error: MicError) -> None:
    said = words(error, project_name)
    run.undo()
    for name, text in said.items():
        setattr(row, name, text)
    row.document = error.details.get("document", {})
    _ended(row, State.FAILED, "document", *said)


def _ended(row: GitImport, state: State, *more: str) -> None:
    row.state, row.worker = state, ""
    row.finished_at = row.updated_at = timezone.now()
    row.save(update_fields=["state", "worker", "finished_at", "updated_at", *more])


class _Run:
    def __init__(self, row: GitImport, progress: Progress) -> None:
        self._row, self._progress = row, progress
        self._kept = kept_objects(row.project_id)
        self._ledger = self._kept.project
        self._key = self._ledger.line.project, row.id.hex
        self._stack = ExitStack()
        self._intake: HistoryIntake | None = None
        self._clean = False  # all objects that there are were searched for secrets by this attempt, and hold none

    def close(self) -> None:
        self._stack.close()

    def go(self) -> None:
        row, progress = self._row, self._progress
        actor = actor_of_account(row.started_by)
        project = project_of(actor, row.project_id)
        let_go()
        if row.stage == Stage.METADATA:
            if row.from_forge:
                self._fetch()
            sent_refs = self._ledger.run(sent.read_refs(*self._key))
            row.refs, row.onto = len(sent_refs.refs), self._ledger.head().position
            progress.stage(Stage.OBJECTS, "refs", "onto")
        arriving = arrange(self._ledger.run(sent.read_refs(*self._key)), self._kept.snapshot().view.refs)
        if row.stage == Stage.OBJECTS:
            self._objects(arriving)
            progress.stage(Stage.LANDINGS, "packs", "marked")
        if self._kept.snapshot().view.trouble and arriving.main:
            self._mend(arriving.main)
        snapshot = self._kept.joined(self._kept.snapshot(), self._unnamed())
        arriving, commits = self._line(snapshot, arriving)
        if not self._landed(snapshot, arriving):
            self._land(actor, project, snapshot, commits, arriving.refs.get(BROUGHT, b""))
            progress.stage(Stage.VALIDATION, "clock", "landings_done", "landings_total")
            self._validate(snapshot, arriving)
            progress.stage(Stage.FINALISATION)
        self._finish(actor, project, arriving)

    # ------------------------------------------------------------ metadata

    def _fetch(self) -> None:
        from micelio.imports.fetch import fetch

        haves = self._haves()
        fetch(self._row, self._ledger, haves, self._progress)

    def _haves(self) -> list[bytes]:
        view = self._kept.caught_up().view
        return sorted({*view.refs.values(), *((view.tip,) if view.tip else ())})

    # ------------------------------------------------------------ objects

    def _objects(self, arriving: Arriving) -> None:
        """Read, check and keep what was sent; every object has the id that its bytes have."""
        row, progress = self._row, self._progress
        snapshot = self._kept.caught_up()
        here = self._kept.reader(snapshot)
        with _file() as file:
            pack = self._ledger.run(sent.join(*self._key, file)) and file
            fsck, gone = ImportFsck(), RefuseErased(self._ledger.erased(), self._kept.rewritten(snapshot.view))
            search = None if row.accept_secrets or not arriving.refs else ObjectSearch(self._ledger)

            def check(oid: bytes, kind: int, data: bytes, window: Window | None) -> None:
                gone.add(kind, data, oid)
                fsck.add(oid, kind, data, window)
                if search is not None:
                    search.add(oid, kind, data)
                row.objects_done += 1
                progress.tick()

            row.objects_done = 0
            if pack:
                pack.seek(8)
                row.objects_total = int.from_bytes(pack.read(4), "big")
                pack.seek(0)
            try:
                quarantine = Quarantine(pack or None, snapshot, here, check, LIMITS)
            except TooLarge:
                raise
            except (InvalidInput, Corrupt) as error:
                raise _of_source(error) from error
            gone.finish()
            fsck.finish(quarantine.packs)
            if search is not None:
                if search.finish():
                    raise object_secret(search.found)
                self._clean = search.clean and not snapshot.packs
            for name, oid in ((MAIN, arriving.main), *arriving.refs.items()):
                found = quarantine.packs.find(oid) if oid else None
                if oid and (found is None or (name.startswith(b"refs/heads/") and found.kind != COMMIT)):
                    what = "is not a commit" if found is not None else "was not sent"
                    raise InvalidInput(f"What {name[:80].decode('utf-8', 'replace')} names {what}.")
            row.marked = fsck.marked
            self._keep(quarantine)

    def _keep(self, quarantine: Quarantine) -> None:
        """Keep what is new, each pack written down in the row before it is kept, so that undoing finds it."""
        row, progress = self._row, self._progress
        before, made = list(row.packs), []
        for written, out in quarantine.write_all(_file, PACK):
            with out:
                made.append([written.name, written.size, written.objects])
                row.packs = [*made, *(pack for pack in before if pack not in made)]
                progress.save("packs", "objects_done", "objects_total")
                self._kept.keep(written, out, derived=False)
            progress.tick()
        unnamed = self._unnamed()
        for name, _, _ in before:  # the project has grown since an attempt before, and other objects are new now
            if name in unnamed and all(name != pack[0] for pack in made):
                self._kept.remove(name)
        row.packs = made

    def _unnamed(self) -> list[str]:
        """Packs of the run that no view names yet."""
        named = {pack.name for pack in self._kept.snapshot().view.packs}
        return [name for name, _, _ in self._row.packs if name not in named]

    # ------------------------------------------------------------ landings

    def _mend(self, main: bytes) -> None:
        """Complete what an import of an earlier version brought: landings without the side branches they merge."""
        snapshot = self._kept.joined(self._kept.snapshot(), self._unnamed())
        chain = first_parents(snapshot.graph, b"", main)
        last = 0
        while last < min(len(chain), self._row.onto) and self._kept.landed_commit(last + 1) == chain[last]:
            last += 1
            self._progress.tick()
        if last <= snapshot.view.position:
            raise PreconditionFailed(
                "The landings of this project did not come from this repository, so it cannot complete them: "
                f"{snapshot.view.trouble}.",
                hint="Import the repository that they came from.",
            )
        self._name_packs()
        self._kept.change(
            lambda view: msgspec.structs.replace(view, position=last, tip=chain[last - 1], trouble="", exact=False)
        )
        after = self._kept.caught_up().view
        if after.trouble:
            raise PreconditionFailed(f"The history is not complete yet: {after.trouble}.")

    def _line(self, snapshot: Snapshot, arriving: Arriving) -> tuple[Arriving, list[bytes]]:
        """The commits that are to land, oldest first; main gets another name where it went another way than ours."""
        view, graph = snapshot.view, snapshot.graph
        if not arriving.main or self._row.position:
            return arriving, []
        if view.tip and graph.is_ancestor(arriving.main, view.tip):
            return arriving, []
        if view.tip and not graph.is_ancestor(view.tip, arriving.main):
            if graph.reach([view.tip], set()).isdisjoint(graph.reach([arriving.main], set())):
                raise InvalidInput(
                    f"The project has {view.position:,} landings, and nothing in common with this repository.",
                    hint="Import into a new project.",
                )
            return put_aside(arriving), []
        return arriving, first_parents(graph, view.tip, arriving.main)

    def _landed(self, snapshot: Snapshot, arriving: Arriving) -> bool:
        """Whether main stands where it is to stand: an attempt before was ended behind that."""
        return self._row.stage == Stage.FINALISATION and snapshot.view.position > self._row.onto

    def _land(
        self, actor: Actor, project: ProjectView, snapshot: Snapshot, commits: Sequence[bytes], notes: bytes
    ) -> None:
        row, progress = self._row, self._progress
        row.landings_done, row.landings_total = 0, len(commits)
        progress.save("landings_total", "landings_done")
        if not commits:
            return
        intake = self._stack.enter_context(
            HistoryIntake(
                actor,
                project,
                row.source,
                accept_secrets=row.accept_secrets,
                onto=row.onto,
                clock=row.clock,
                clean=self._clean,
            )
        )
        self._intake, row.clock = intake, intake.clock
        progress.save("clock")
        packs, graph = self._kept.reader(snapshot), snapshot.graph
        telling = telling_of(packs, graph, commits[-1], notes)
        lasting = blobs_of(packs, graph.lines[commits[-1]].tree)
        landings = CommitLandings(intake, packs, graph, snapshot.view.tip, telling, first_wins=True, lasting=lasting)
        for oid in commits:
            try:
                landings.add(oid)
            except (Corrupt, InvalidInput) as error:
                raise type(error)(
                    f"In Git commit {oid.hex()}: {error.message}", hint=error.hint, **error.details
                ) from error
            row.landings_done += 1
            progress.tick()

    # ------------------------------------------------------------ validation

    def _validate(self, snapshot: Snapshot, arriving: Arriving) -> None:
        """What is kept is what was sent, byte for byte, and the newest tree holds what its commit's tree holds."""
        for name, _, _ in self._row.packs:
            self._kept.examine(name)
            self._progress.tick()
        if self._intake is not None:
            tree = snapshot.graph.lines[arriving.main].tree
            same_tree(self._intake.files(), self._kept.reader(snapshot), tree, self._progress.tick)

    # ------------------------------------------------------------ finalisation

    def _finish(self, actor: Actor, project: ProjectView, arriving: Arriving) -> None:
        row = self._row
        self._name_packs()
        if self._intake is not None:
            row.position = self._intake.finish().position
        else:
            row.position = self._ledger.head().position
        self._progress.save("position")
        aside = self._move_refs(arriving)
        row.aside = {_text(old): _text(new) for old, new in aside.items()}
        with transaction.atomic():
            record(
                actor, "project.import", "project", project.id, f"{project.owner}/{project.handle}",
                organization_id=project.owner_id, source=row.source, refs=row.refs, landings=row.landings_total,
            )  # fmt: skip
            _ended(row, State.DONE, "aside", "position")
        self._ledger.run(sent.remove_parts(*self._key, refs=False))
        self._kept.caught_up()

    def _name_packs(self) -> None:
        """Before anything names what they hold."""
        kept = [KeptPack(name, size, objects, False) for name, size, objects in self._row.packs]

        def edit(view: View) -> View | None:
            names = {pack.name for pack in view.packs}
            fresh = tuple(pack for pack in kept if pack.name not in names)
            return msgspec.structs.replace(view, packs=(*view.packs, *fresh)) if fresh else None

        self._kept.change(edit)

    def _move_refs(self, arriving: Arriving) -> dict[bytes, bytes]:
        """Move the refs that nobody has moved here; the names of those that are kept under others."""
        last, settled = self._last(), Settled({}, {}, False)

        def edit(view: View) -> View | None:
            nonlocal settled
            settled = settle(arriving, view.refs, last, self._kept.snapshot().graph)
            refs = settled.refs
            if len(refs) > MAX_REFS:
                raise InvalidInput(f"A project has at most {MAX_REFS:,} refs.")
            moved = settled.left or any(refs[name] != oid for name, oid in view.refs.items())
            if refs == view.refs and not moved:
                return None
            return msgspec.structs.replace(view, refs=refs, exact=view.exact and not moved)

        self._kept.change(edit)
        return settled.aside

    def _last(self) -> dict[bytes, bytes]:
        """What the newest import of this repository gave the refs of the project; nothing when there was none."""
        row = self._row
        before = GitImport.objects.filter(project_id=row.project_id, source=row.source, state=State.DONE)
        done = before.exclude(id=row.id).order_by("-finished_at").first()
        let_go()
        if done is None:
            return {}
        try:
            brought = self._ledger.run(sent.read_refs(self._key[0], done.id.hex))
        except NotFound:
            return {}  # of a time before they were kept
        aside = {old: new.encode() for old, new in done.aside.items()}
        return {aside.get(_text(name), name): oid for name, oid in brought.refs.items()}

    # ------------------------------------------------------------ undoing

    def undo(self) -> None:
        """Take out again what nothing came of: refs, log and store as before."""
        try:
            if self._intake is not None:
                self._intake.forget()
            elif self._row.clock:
                self._forget_landings()
            if self._ledger.head().position == self._row.onto and not self._row.position:
                self._unname_packs()
            self._ledger.run(sent.remove_parts(*self._key, refs=True))
        except (MicError, OSError) as error:
            _log.error("import %s into %s left objects behind: %s", self._row.id, self._row.project_id, error)

    def _unname_packs(self) -> None:
        """Take the packs out of the view, and remove them; where somebody may be reading them, later."""
        ours = {name for name, _, _ in self._row.packs}
        unnamed = self._unnamed()

        def edit(view: View) -> View | None:
            packs = tuple(pack for pack in view.packs if pack.name not in ours)
            if len(packs) == len(view.packs):
                return None
            gone = [pack.name for pack in view.packs if pack.name in ours]
            if not view.tip and not view.refs:
                unnamed.extend(gone)
                return msgspec.structs.replace(view, packs=packs)
            retired = (*view.retired, *((name, self._kept.now()) for name in gone))
            return msgspec.structs.replace(view, packs=packs, retired=retired)

        self._kept.change(edit)
        for name in set(unnamed):
            self._kept.remove(name)

    def _forget_landings(self) -> None:
        """Those of an attempt before."""
        row = self._row
        try:
            history = self._ledger.import_history(row.source, row.started_by.bytes, row.onto, row.clock)
        except (InvalidInput, PreconditionFailed):
            return  # the log is not where it was; what is left over is named by nothing
        self._ledger.run(history.forget())


def _file() -> BinaryIO:
    return cast(BinaryIO, tempfile.TemporaryFile(dir=current().data_dir, prefix="import-"))


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _of_source(error: MicError) -> MicError:
    """The same about a repository that is imported."""
    return InvalidInput(
        error.message, hint="`git fsck` in the repository names the damage; then import again.", **error.details
    )
