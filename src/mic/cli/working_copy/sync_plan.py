"""What a sync does with each path: decided before anything is touched, from three sides and what stands on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple

from mic.cli.transfer.contents import MAX_HELD, fetch
from mic.core.errors import InvalidInput
from mic.core.merge3 import MAX_MERGE_BYTES, clashes, has_mergeable_lines, merge3, merge3_with_markers
from mic.core.paths import display, unwritable_reason
from mic.core.tree import Entry
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.columns import git_mode
from mic.workspace.conflicts import labels
from mic.workspace.files import hash_file, read_content
from mic.workspace.folders import holds_others
from mic.workspace.index import IndexEntry
from mic.workspace.resolutions import recall
from mic.workspace.stacked import content
from mic.workspace.status import status as working_status
from mic.workspace.sync_journal import HOLD, MARK, MERGE, REMOVE, RESTORE, WRITE, YOURS, Step
from mic.workspace.workspace import Workspace

_KIND = 0o170000
_FILE = 0o100000
_FOLDER = 0o040000
_GITLINK = 0o160000

Side = tuple[int, bytes]  # Git mode and content hash of one side of a path
ABSENT: Side = (0, b"")

REASONS = {
    "changed": "changed on both sides",
    "untracked": "your file is in the way of theirs",
    "deleted_here": "deleted here, changed there",
    "deleted_there": "changed here, deleted there",
    "binary": "changed on both sides, and not text",
    "too_large": f"changed on both sides, and over {MAX_MERGE_BYTES >> 20} MiB",
    "type": "a file on one side, something else on the other",
    "file_over_directory": "a folder here, a file there",
    "directory_over_file": "a file here, a folder there",
}


class Decisions(NamedTuple):
    """Paths (or folders) for which one side is to be taken whole."""

    ours: frozenset[bytes]
    theirs: frozenset[bytes]

    def of(self, path: bytes) -> str:
        """`ours`, `theirs` or the empty string."""
        while path:
            if path in self.theirs:
                return "theirs"
            if path in self.ours:
                return "ours"
            path = path.rpartition(b"/")[0]
        return ""

    def and_ours(self, paths: Iterable[bytes]) -> Decisions:
        """These, and of what nothing is decided about yours."""
        return Decisions(self.ours | {path for path in paths if not self.of(path)}, self.theirs)


class Plan:
    """Steps by path, and the contents of those that merge or mark.

    `apart`: of a held path whose lines can be merged, the contents of the base and of theirs.
    """

    def __init__(self) -> None:
        self.steps: dict[bytes, Step] = {}
        self.contents: dict[bytes, bytes] = {}
        self.apart: dict[bytes, tuple[bytes, bytes]] = {}

    def met(self) -> list[bytes]:
        """The paths at which something stands in the way of what is there, sorted."""
        steps = self.steps.items()
        return sorted(path for path, step in steps if step.clashed or step.act not in (WRITE, REMOVE))

    def let_stand(self, target: Mapping[bytes, Entry]) -> None:
        """Yours stands over what is there at each of these."""
        for path in self.met():
            # Without a file there, yours is one that is new there.
            self.steps[path].reason = "changed" if path in target else ""


class Planner:
    """One plan: from the files of `before` and what stands on disk to the files of `target`.

    `old`: the steps of a run that was stopped; those whose result stands on disk are taken over.
    With `hold`, what clashes is left as it stands, to be settled before anything lands.
    """

    def __init__(
        self,
        ws: Workspace,
        before: dict[bytes, IndexEntry],
        target: dict[bytes, Entry],
        decisions: Decisions,
        old: Iterable[Step] = (),
        *,
        hold: bool = False,
    ) -> None:
        self._hold = hold
        self._ws, self._before, self._target, self._decisions = ws, before, target, decisions
        self._old = {step.path: step for step in old}
        self._root = os.fsencode(ws.root)
        self._index = ws.index()
        self._changes = {change.path: change for change in working_status(ws).changes}
        self._to_merge: list[tuple[bytes, Side]] = []
        self.plan = Plan()

    def make(self, client: Client, project: pb.ProjectRef, positions: tuple[int, int]) -> Plan:
        """The plan; contents that are merged come from the forge."""
        new = []
        for path in sorted(self._before.keys() | self._target.keys()):
            before, after = self._before.get(path), self._target.get(path)
            if before is not None and after is not None and side_of(before) == side_of(after):
                continue
            if after is not None and (before is None or before.unwritten):
                new.append(after)
            else:
                self._decide(path, before, after)
        gone = {step.path for step in self.plan.steps.values() if step.act == REMOVE}
        for after in new:
            self._decide_new(after, gone)
        self._merge_all(client, project, positions)
        return self.plan

    def decide_open(self, path: bytes, kept_in: str, kept: Side) -> None:
        """A clash of an earlier sync, for which a decision is there now. `kept` is your version of it before that."""
        if path in self.plan.steps:
            return
        mine, theirs = self.side(path), side_of(self._target.get(path))
        if self._decisions.of(path) == "theirs":
            gone = {step.path for step in self.plan.steps.values() if step.act == REMOVE}
            obstacle = self._obstacle(path, gone) if theirs[0] else b""
            self._step(path, WRITE if theirs[0] else REMOVE, mine, theirs, "changed", obstacle)
        elif kept_in:
            self.plan.steps[path] = Step(path, RESTORE, *mine, *kept, source=kept_in, clashed=True)
        else:
            self._step(path, YOURS, mine, mine)

    def side(self, path: bytes) -> Side:
        """What stands at a path that the index or the target knows."""
        change = self._changes.get(path)
        if change is not None:
            return ABSENT if change.op == 2 else (change.mode, hash_file(self._ws, path, change.mode)[0])
        known = self._index.get(path)
        if known is not None:
            return known.mode, known.hash
        return on_disk(self._ws, path)

    def _step(self, path: bytes, act: str, mine: Side, result: Side, reason: str = "", obstacle: bytes = b"") -> None:
        if not obstacle and act == WRITE and path in self._old:
            # It was moved away by the run that was stopped; undoing must still know of it.
            obstacle = self._old[path].obstacle
        clashed = bool(reason) or act == YOURS
        if reason and act == YOURS and self._hold:
            act = HOLD
        self.plan.steps[path] = Step(path, act, *mine, *result, obstacle=obstacle, clashed=clashed, reason=reason)

    def _taken_over(self, path: bytes, mine: Side) -> bool:
        old = self._old.get(path)
        if old is None or old.act in (YOURS, HOLD) or (old.result_mode, old.result) != mine:
            return False
        self.plan.steps[path] = old
        return True

    def _decide(self, path: bytes, before: IndexEntry | None, after: Entry | None) -> None:
        mine, theirs = self.side(path), side_of(after)
        if self._taken_over(path, mine) or mine == theirs:
            return
        if before is not None and mine == side_of(before):
            if not before.unwritten:
                self._step(path, WRITE if after else REMOVE, mine, theirs)
            return
        if mine == ABSENT:
            self._clash(path, mine, theirs, "deleted_here")
        elif after is None or before is None:
            self._clash(path, mine, theirs, "deleted_there")
        elif any(mode & _KIND != _FILE for mode in (mine[0], before.mode, after.mode)):
            self._clash(path, mine, theirs, "type" if mine[0] & _KIND != after.mode & _KIND else "changed")
        elif self._decisions.of(path):
            self._clash(path, mine, theirs, "changed")
        elif mine[1] == before.hash:
            self._step(path, WRITE, mine, (_mode(mine[0], before.mode, after.mode), theirs[1]))
        elif max(after.size, before.size, os.lstat(self._root + b"/" + path).st_size) > MAX_MERGE_BYTES:
            self._clash(path, mine, theirs, "too_large")
        else:
            self._to_merge.append((path, mine))

    def _clash(self, path: bytes, mine: Side, theirs: Side, reason: str, obstacle: bytes = b"") -> None:
        if self._decisions.of(path) == "theirs":
            self._step(path, WRITE if theirs[0] else REMOVE, mine, theirs, reason, obstacle)
        else:
            decided = self._decisions.of(path) == "ours"
            self._step(path, YOURS, mine, mine, "" if decided else reason, obstacle)

    def _decide_new(self, after: Entry, gone: set[bytes]) -> None:
        """A path that was not on disk at the base: what stands there now is nobody's but yours."""
        path, theirs = after.path, side_of(after)
        if after.mode & _KIND == _GITLINK or unwritable_reason(path) is not None:
            self._step(path, WRITE, ABSENT, theirs)
            return
        obstacle = self._obstacle(path, gone)
        if obstacle:
            reason = "file_over_directory" if obstacle == path else "directory_over_file"
            self._clash(path, ABSENT, theirs, reason, obstacle)
            return
        mine = on_disk(self._ws, path)
        if self._taken_over(path, mine) or mine == theirs:
            return
        if mine == ABSENT:
            self._step(path, WRITE, ABSENT, theirs)
        else:
            self._clash(path, mine, theirs, "untracked")

    def _obstacle(self, path: bytes, gone: set[bytes]) -> bytes:
        """What of yours must move before a file can stand at `path`: a file above it, or a folder there; or b""."""
        above = path
        while above := above.rpartition(b"/")[0]:
            stat = lstat(self._root + b"/" + above)
            if stat is not None and stat.st_mode & _KIND != _FOLDER and above not in gone:
                return above
        stat = lstat(self._root + b"/" + path)
        folder = stat is not None and stat.st_mode & _KIND == _FOLDER
        return path if folder and holds_others(self._root, path, gone) else b""

    def _merge_all(self, client: Client, project: pb.ProjectRef, positions: tuple[int, int]) -> None:
        wanted = {
            entry.hash for path, _ in self._to_merge for entry in (self._before[path], self._target[path]) if entry.size
        }
        held = {name: text for name in wanted if (text := content(self._ws, name)) is not None}
        held |= fetch(client, project, wanted - held.keys()) if wanted - held.keys() else {}
        for path, mine in self._to_merge:
            before, after = self._before[path], self._target[path]
            ours = read_content(self._ws, path, mine[0])
            if sha256(ours).digest() != mine[1]:
                raise InvalidInput(f"{display(path)} changed while it was read.", hint="Run the same command again.")
            base, theirs = held.get(before.hash, b""), held.get(after.hash, b"")
            result = merge3(base, ours, theirs)
            mode = _mode(mine[0], before.mode, after.mode)
            if not result.clean and not has_mergeable_lines(base, ours, theirs):
                self._clash(path, mine, side_of(after), "binary")
                continue
            data, clean, settled = result.merged, result.clean, 0
            if not clean:
                found = clashes(base, ours, theirs)
                known = recall(self._ws, path, found)
                data = merge3_with_markers(base, ours, theirs, labels(*positions), known)
                settled = sum(clash in known for clash in found)
                clean = settled == len(found)
                if not clean and self._hold:
                    self.plan.apart[path] = base, theirs
                    self._step(path, HOLD, mine, mine, "changed")
                    continue
            step = (mode, sha256(data).digest())
            if step != mine:
                self.plan.contents[path] = data
                self._step(path, MERGE if clean else MARK, mine, step, "" if clean else "changed")
                self.plan.steps[path].settled = settled


def on_disk(ws: Workspace, path: bytes) -> Side:
    """What stands at a path, by its content; ABSENT for nothing and for what no tree holds."""
    stat = lstat(os.fsencode(ws.root) + b"/" + path)
    mode = git_mode(stat.st_mode) if stat is not None else 0
    return (mode, hash_file(ws, path, mode)[0]) if mode else ABSENT


def lstat(path: bytes) -> os.stat_result | None:
    """How a file stands on disk; None when it does not."""
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def side_of(entry: Entry | IndexEntry | None) -> Side:
    """A file of a tree or of the index as a side; ABSENT for none."""
    return (entry.mode, entry.hash) if entry is not None else ABSENT


def _mode(mine: int, before: int, after: int) -> int:
    """The executable bit of whoever changed it. There are but two values, so two changes are the same one."""
    return after if mine == before else mine


assert MAX_MERGE_BYTES <= MAX_HELD
