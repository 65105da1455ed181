"""A planned sync, carried out: files first, then what the workspace says of itself. Each step may be the last one."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mic.cli.terminal.output import Output
from mic.cli.working_copy.clone import write_contents
from mic.cli.working_copy.sync_plan import ABSENT, Side, lstat, on_disk, side_of
from mic.core.errors import Busy
from mic.core.paths import display
from mic.core.tree import BLOB, Entry
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.checkout import Checkout
from mic.workspace.conflict_records import drop_others
from mic.workspace.conflicts import HELD, MARKED, Conflict, open_conflicts, write_conflicts
from mic.workspace.conflicts import YOURS as STANDING
from mic.workspace.index import Index, IndexEntry
from mic.workspace.kept import Kept, drop_old
from mic.workspace.sync_journal import HOLD, MARK, REMOVE, RESTORE, WRITE, YOURS, OpenSync, Step
from mic.workspace.workspace import Workspace

_KIND = 0o170000
_FOLDER = 0o040000
_LINK = 0o120000
_GITLINK = 0o160000
_PIECE = 1 << 20


class Files:
    """Changes files of a working copy as steps say, keeping every local version that is in no tree."""

    def __init__(self, ws: Workspace, kept: Kept, in_tree: dict[bytes, Side]) -> None:
        self._ws, self._kept, self._in_tree = ws, kept, in_tree
        self._root = os.fsencode(ws.root)
        self.checkout = Checkout(ws)

    def plan(self, entries: list[Entry]) -> None:
        """Takes all files that will be written."""
        self.checkout.plan(entries)

    def away(self, path: bytes) -> bool:
        """Whether a planned path stays away from disk on purpose."""
        return any(path == other for other, _ in self.checkout.unwritten)

    def due(self, step: Step) -> bool:
        """Whether the step is still to be done; keeps what it will replace. Raises Busy where something else stands."""
        obstacle = step.obstacle and lstat(self._root + b"/" + step.obstacle)
        if obstacle and (obstacle.st_mode & _KIND == _FOLDER) == (step.obstacle == step.path):
            self._kept.move(step.obstacle)
        # Before the content is read, so that a later change cannot hide behind it.
        stat = lstat(self._root + b"/" + step.path)
        now = on_disk(self._ws, step.path) if stat is not None else ABSENT
        if now == (step.result_mode, step.result):
            return False
        if now != (step.mine_mode, step.mine):
            raise Busy(
                f"{display(step.path)} was changed at this very moment; it was left as it is.",
                hint="Run the same command again: it goes on where it stopped.",
            )
        if now != ABSENT:
            if now != self._in_tree.get(step.path):
                self._kept.keep(step.path)
                stat = lstat(self._root + b"/" + step.path)
            self.checkout.expect(step.path, stat)
        elif stat is None:
            self.checkout.expect(step.path, None)
        return True


def pieces_of(path: bytes, mode: int) -> Iterator[bytes]:
    """The content of a kept file, or a kept symlink's target."""
    if mode & _KIND == _LINK:
        yield os.readlink(path)
        return
    with open(path, "rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def kept_entry(path: bytes, step: Step) -> Entry:
    """The entry that a kept file is restored as."""
    return Entry(step.path, step.result_mode, BLOB, os.lstat(path).st_size, step.result)


def carry_out(
    client: Client,
    ws: Workspace,
    project: pb.ProjectRef,
    sync: OpenSync,
    contents: dict[bytes, bytes],
    out: Output,
) -> list[Conflict]:
    """Everything from the first file to the last line of the journal; the conflicts that are then open."""
    journal = sync.journal
    before = {entry.path: entry for entry in sync.before.entries()}
    files = Files(ws, Kept(ws, journal.kept[-1]), {path: side_of(entry) for path, entry in before.items()})
    try:
        change_files(client, ws, project, journal.steps, sync.target, files, contents, out)
        index = _index(ws, sync, before, files)
    finally:
        files.checkout.close()
    conflicts = _conflicts(ws, sync)
    write_conflicts(os.fsencode(ws.root), conflicts)
    drop_others(ws, conflicts)
    ws.save_index(index)
    ws.set_base(journal.to_position, journal.to_tree, journal.to_branch)
    session = local.current(ws)
    if session is not None:
        session.base_position = journal.to_position
        local.save(ws, session)
    sync.finish()
    drop_old(ws, journal.kept)
    return conflicts


def change_files(
    client: Client,
    ws: Workspace,
    project: pb.ProjectRef,
    steps: list[Step],
    target: dict[bytes, Entry],
    files: Files,
    contents: dict[bytes, bytes],
    out: Output,
) -> None:
    """Everything that steps do to files. `target`: what is written comes from there; `contents`: what is merged."""
    restored = {step.path: Kept(ws, step.source).path(step.path) for step in steps if step.act == RESTORE}
    for step in steps:
        # First of all: a folder may come where a file was.
        comes_a_folder = step.act == WRITE and step.result_mode & _KIND == _GITLINK and step.mine_mode
        if (step.act == REMOVE or comes_a_folder) and files.due(step):
            files.checkout.remove(step.path)
    entries: dict[bytes, Entry] = {}
    for step in steps:
        if step.act == WRITE:
            entries[step.path] = target[step.path]._replace(mode=step.result_mode)
        elif step.act == RESTORE:
            entries[step.path] = kept_entry(restored[step.path], step)
        elif step.path in contents:
            data = contents[step.path]
            entries[step.path] = Entry(step.path, step.result_mode, BLOB, len(data), step.result)
    files.plan(list(entries.values()))
    due = [step for step in steps if step.path in entries and not files.away(step.path) and files.due(step)]
    for step in due:
        if step.act == RESTORE:
            files.checkout.write(entries[step.path], pieces_of(restored[step.path], step.result_mode))
        elif step.act != WRITE:
            files.checkout.write(entries[step.path], [contents[step.path]])
    write_contents(client, project, files.checkout, [entries[s.path] for s in due if s.act == WRITE], out)


def _index(ws: Workspace, sync: OpenSync, before: dict[bytes, IndexEntry], files: Files) -> Index:
    written = {step.path: step for step in sync.journal.steps if step.act == WRITE}
    entries = []
    for path, after in sync.target.items():
        known, step = before.get(path), written.get(path)
        if files.away(path) or (known is not None and known.unwritten and step is None):
            entries.append(IndexEntry(*after, 0, 0, 0, 0, True))
        elif step is not None and (step.result_mode, step.result) == side_of(after):
            stat = lstat(os.fsencode(ws.root) + b"/" + path)
            numbers = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_size) if stat else (0, 0, 0, 0)
            entries.append(IndexEntry(*after, *numbers, False))
        elif known is not None and step is None and side_of(known) == side_of(after):
            entries.append(known)
        else:
            # Not as the tree has it: zeros make the next status read it.
            entries.append(IndexEntry(*after, 0, 0, 0, 0, False))
    # With the old clock, every file touched since counts as possibly changed and is read again once.
    return Index.build(entries, sync.before.columns.clock)


def _conflicts(ws: Workspace, sync: OpenSync) -> list[Conflict]:
    """Those from before that are still open and not decided by a step, and those of the steps."""
    journal = sync.journal
    found = {item.path: item for item in open_conflicts(os.fsencode(ws.root))}
    for step in journal.steps:
        found.pop(step.path, None)
        if step.act == MARK:
            found[step.path] = Conflict(MARKED, journal.from_position, journal.to_position, step.path)
        elif step.act == HOLD:
            found[step.path] = Conflict(HELD, journal.from_position, journal.to_position, step.path)
        elif step.act == YOURS and step.reason:
            found[step.path] = Conflict(STANDING, journal.from_position, journal.to_position, step.path)
    return sorted(found.values(), key=lambda item: item.path)
