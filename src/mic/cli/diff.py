"""`mic diff`: what changed here since the base, in the form that `git apply` reads."""

from __future__ import annotations

import os
import re
from typing import NamedTuple, TypeVar

import click

from mic.cli.app import json_option
from mic.cli.connection import connect, parse_position
from mic.cli.content_cache import content_cache
from mic.cli.contents import MAX_HELD, fetch, page_entries
from mic.cli.open_session import address_of, require_complete
from mic.cli.output import Output, path_fields, plural
from mic.cli.words import LETTERS
from mic.core.errors import NotFound
from mic.core.linediff import count_changes, is_binary
from mic.core.paths import display
from mic.core.unified import quote_path, unified
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.files import read_content
from mic.workspace.status import LocalChange
from mic.workspace.status import status as working_status
from mic.workspace.workspace import Workspace

C = TypeVar("C", LocalChange, pb.Change)

_RANGE = re.compile(r"(@?[0-9]+)\.\.(@?[0-9]+)")
_BAR = 40  # columns of the widest bar of --stat
_GITLINK = 0o160000


class FileDiff(NamedTuple):
    """Two sides of one path. A side that is None is too large to be held, b"" with mode 0 when it is absent."""

    path: bytes
    op: int
    old_mode: int
    new_mode: int
    old: bytes | None
    new: bytes | None

    @property
    def counts(self) -> tuple[int, int]:
        """Lines added and deleted."""
        return (0, 0) if self.old is None or self.new is None else count_changes(self.old, self.new)

    @property
    def binary(self) -> bool:
        """Whether it has no lines to show."""
        return self.old is None or self.new is None or is_binary(self.old) or is_binary(self.new)


@click.command(short_help="What changed here, line by line")
@click.argument("paths", metavar="[@A..@B] [PATH]...", nargs=-1)
@click.option("--stat", is_flag=True, help="Only how many lines changed in each file.")
@click.option("--name-only", is_flag=True, help="Only the names.")
@json_option
def diff(out: Output, paths: tuple[str, ...], stat: bool, name_only: bool) -> None:
    """What changed here since the base, as unified hunks; with PATHs, only there. `git apply` reads it.

    With @A..@B, what the project's files changed between two positions.
    """
    ws = Workspace.find()
    require_complete(ws)
    between = _RANGE.fullmatch(paths[0]) if paths else None
    inside = [tree_path(ws, path) for path in paths[1 if between else 0 :]]
    if between:
        positions = parse_position(between[1]), parse_position(between[2])
        with connect(ws.config.instance) as client:
            found = _within(changed_between(client, address_of(ws).ref, *positions), inside)
            names = [item.path for item in found]
            diffs = [] if name_only else landed_diffs(client, address_of(ws).ref, found)
        document: dict[str, object] = {"from_position": positions[0], "position": positions[1]}
    else:
        changes = _within(working_status(ws).changes, inside)
        names = [item.path for item in changes]
        diffs = [] if name_only else _load(ws, changes)
        document = {"base_position": ws.config.position}
    if name_only:
        for path in names:
            out.line(display(path))
        out.document({**document, "files": [path_fields(path) for path in names]})
        return
    if stat:
        print_stat(out, diffs)
    elif not out.as_json:
        for item in diffs:
            out.raw(_painted(out, patch(item)))
    out.document({**document, "files": [diff_fields(item, hunks=not stat) for item in diffs]})


def tree_path(ws: Workspace, path: str) -> bytes:
    """A path as typed, as the tree names it; b"" for the root. Raises NotFound outside of the workspace."""
    full = os.path.normpath(os.path.join(os.getcwd(), path))
    inside = os.path.relpath(full, os.path.realpath(ws.root) if full.startswith(os.path.realpath(ws.root)) else ws.root)
    if inside == os.curdir:
        return b""
    if inside == os.pardir or inside.startswith(os.pardir + os.sep):
        raise NotFound(f"{path} is outside of this working copy.", hint=f"It is at {ws.root}.")
    return os.fsencode(inside)


def _within(changes: list[C], paths: list[bytes]) -> list[C]:
    if not paths or b"" in paths:
        return changes
    folders = tuple(path + b"/" for path in paths)
    return [item for item in changes if item.path in paths or item.path.startswith(folders)]


def changed_between(client: Client, project: pb.ProjectRef, old: int, new: int) -> list[pb.Change]:
    """The files that differ between two positions, as changes from the one to the other, sorted by path."""
    before, after = (
        {entry.path: entry for page in client.tree(project, position) for entry in page_entries(page)}
        for position in (old, new)
    )
    found = []
    for path in sorted(before.keys() | after.keys()):
        a, b = before.get(path), after.get(path)
        if a == b:
            continue
        change = pb.Change(path=path, op=pb.Change.MODIFIED)
        if a is not None:
            change.base_hash, change.base_mode = a.hash, a.mode
        if b is not None:
            change.hash, change.mode = b.hash, b.mode
        change.op = pb.Change.ADDED if a is None else pb.Change.DELETED if b is None else pb.Change.MODIFIED
        # The larger side decides whether both are held.
        change.size = max(entry.size for entry in (a, b) if entry is not None)
        found.append(change)
    return found


def _load(ws: Workspace, changes: list[LocalChange]) -> list[FileDiff]:
    wanted = [item.old.hash for item in changes if item.old and 0 < item.old.size <= MAX_HELD]
    base = content_cache().contents(wanted)
    absent = [item for item in wanted if item not in base]
    if absent:
        with connect(ws.config.instance) as client:
            base |= fetch(client, address_of(ws).ref, absent)
    found = []
    for item in changes:
        old = b"" if item.old is None or not item.old.size else base.get(item.old.hash)
        new: bytes | None = b""
        if item.op != 2:
            size = os.lstat(os.path.join(os.fsencode(ws.root), item.path)).st_size
            new = read_content(ws, item.path, item.mode) if size <= MAX_HELD else None
        found.append(FileDiff(item.path, item.op, item.old.mode if item.old else 0, item.mode, old, new))
    return found


def landed_diffs(client: Client, project: pb.ProjectRef, changes: list[pb.Change]) -> list[FileDiff]:
    """What a landing changed. Contents over MAX_HELD are left out; the size of an old one is not known beforehand."""
    wanted = [item.hash for item in changes if item.size <= MAX_HELD and item.op != pb.Change.DELETED]
    wanted += [item.base_hash for item in changes if item.base_hash and item.size <= MAX_HELD]
    held = fetch(client, project, wanted)
    return [
        FileDiff(
            item.path,
            item.op,
            item.base_mode,
            0 if item.op == pb.Change.DELETED else item.mode,
            held.get(item.base_hash),
            b"" if item.op == pb.Change.DELETED else held.get(item.hash),
        )
        for item in changes
    ]


def patch(item: FileDiff) -> bytes:
    """One file's change with Git's extended header."""
    a, b = quote_path(b"a/" + item.path), quote_path(b"b/" + item.path)
    if item.old_mode and item.new_mode and item.old_mode & 0o170000 != item.new_mode & 0o170000:
        # Another type of file is the old one going and a new one coming, as in Git.
        gone = item._replace(op=2, new_mode=0, new=b"")
        return patch(gone) + patch(item._replace(op=0, old_mode=0, old=b""))
    head = b"diff --git " + a + b" " + b + b"\n"
    if not item.old_mode:
        head += b"new file mode %06o\n" % item.new_mode
    elif not item.new_mode:
        head += b"deleted file mode %06o\n" % item.old_mode
    elif item.old_mode != item.new_mode:
        head += b"old mode %06o\nnew mode %06o\n" % (item.old_mode, item.new_mode)
    old_path = item.path if item.old_mode else None
    new_path = item.path if item.new_mode else None
    if item.old is None or item.new is None:
        return (
            head
            + b"Binary files "
            + (a if old_path else b"/dev/null")
            + b" and "
            + (b if new_path else b"/dev/null")
            + b" differ\n"
        )
    return head + unified(old_path, new_path, item.old, item.new)


def _painted(out: Output, data: bytes) -> bytes:
    """The patch in colour. Contents go out as they are: this is what `git apply` reads."""
    if not out.colour:
        return data
    lines = []
    for line in data.splitlines(keepends=True):
        style = "green" if line.startswith(b"+") else "red" if line.startswith(b"-") else ""
        style = (
            "bold" if line.startswith((b"+++ ", b"--- ", b"diff ")) else "cyan" if line.startswith(b"@@ ") else style
        )
        text = line.decode("utf-8", "surrogateescape").rstrip("\n")
        lines.append((out.paint(text, style) + "\n").encode("utf-8", "surrogateescape") if style else line)
    return b"".join(lines)


def print_stat(out: Output, diffs: list[FileDiff]) -> None:
    """A line per file with its counts and a bar, and the sum."""
    width = max((len(display(item.path)) for item in diffs), default=0)
    most = max((sum(item.counts) for item in diffs), default=0)
    added = deleted = 0
    for item in diffs:
        plus, minus = item.counts
        added, deleted = added + plus, deleted + minus
        scale = min(1.0, _BAR / most) if most else 1.0
        bar = out.paint("+" * _length(plus, scale), "green") + out.paint("-" * _length(minus, scale), "red")
        what = "binary" if item.binary else f"{plus + minus:>5} {bar}".rstrip()
        out.line(f" {display(item.path):<{width}} | {what}")
    out.line(f" {plural(len(diffs), 'file')} changed, {added:,} added, {deleted:,} deleted")


def _length(count: int, scale: float) -> int:
    return max(1, round(count * scale)) if count else 0


def diff_fields(item: FileDiff, *, hunks: bool) -> dict[str, object]:
    """One file's change in JSON; the patch is text with replacement characters."""
    plus, minus = item.counts
    fields: dict[str, object] = {
        **path_fields(item.path),
        "op": ("added", "modified", "deleted")[item.op],
        "letter": LETTERS[item.op],
        "old_mode": f"{item.old_mode:06o}" if item.old_mode else None,
        "new_mode": f"{item.new_mode:06o}" if item.new_mode else None,
        "binary": item.binary,
        "additions": plus,
        "deletions": minus,
    }
    if hunks:
        fields["patch"] = patch(item).decode("utf-8", "replace")
    return fields
