"""`mic diff`: what changed here since the base, in the form that `git apply` reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import chain, takewhile
from typing import NamedTuple, TypeVar

import click

from mic.cli.context.file_diff import FileDiff, diff_fields, landed_diffs, painted, patch, print_stat, words
from mic.cli.context.open_session import address_of, require_complete, require_open
from mic.cli.context.place import Place
from mic.cli.context.positions import Dashed, free
from mic.cli.context.refs import Ref, may_be_range, may_be_ref, named_branch, parse_ref, read_ref
from mic.cli.forge.connection import connect
from mic.cli.remotes.refs import Seen, between, file_diffs, own_commit, seen, to_here
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output, path_fields
from mic.cli.transfer.content_cache import content_cache
from mic.cli.transfer.contents import MAX_HELD, fetch, page_entries
from mic.cli.working_copy.clone import files_at
from mic.core.errors import NotFound
from mic.core.paths import display
from mic.core.tree import Entry
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.files import hash_file, read_content
from mic.workspace.index import IndexEntry
from mic.workspace.paths import tree_path
from mic.workspace.pushed import last_push
from mic.workspace.status import LocalChange, status_of
from mic.workspace.status import status as working_status
from mic.workspace.workspace import Workspace

C = TypeVar("C", LocalChange, pb.Change)

_DELETED = 2


# What a command says of what it compared, the paths that differ, and how.
_Found = tuple[dict[str, object], list[bytes], list[FileDiff]]


@click.command(cls=Dashed, short_help="What changed here, line by line")
@click.argument("paths", metavar="[REF|REF..REF] [--] [PATH]...", nargs=-1)
@click.option("-p", "--patch", "with_patch", is_flag=True, help="The lines; the default, and beside --stat.")
@click.option("--stat", is_flag=True, help="Only how many lines changed in each file.")
@click.option("--name-only", is_flag=True, help="Only the names.")
@click.option("--since-push", "since_push", is_flag=True, help="What changed here since `mic session push`.")
@click.option("--word", is_flag=True, help="Word by word: [-old-]{+new+}. For people; git apply does not read it.")
@json_option
def diff(
    out: Output, paths: tuple[str, ...], with_patch: bool, stat: bool, name_only: bool, since_push: bool, word: bool
) -> None:
    """What changed here since the base, as unified hunks; with PATHs, only there. `git apply` reads it.

    With REF, what changed from there to here, whatever has landed since. With A..B, what the project's files changed
    between two refs; A.. ends here, ..B begins at the base. A path that looks like a ref goes behind `--`.
    """
    if name_only and (with_patch or stat or word):
        raise click.UsageError("--name-only goes alone.")
    ws = Workspace.find()
    require_complete(ws)
    there = _seen(free(paths))
    if there is not None:
        if since_push:
            raise click.UsageError("--since-push goes without a ref.")
        inside = [tree_path(ws, path) for path in paths[there.words :]]
        document, diffs = _with_remote(ws, there, inside)
        _print_diffs(out, document, [item.path for item in diffs], diffs, with_patch, stat, name_only, word)
        return
    refs, words = _refs(ws, free(paths))
    inside = [tree_path(ws, path) for path in paths[words:]]
    moments = _moments(ws, refs)
    if since_push:
        if moments:
            raise click.UsageError("--since-push goes without a ref.")
        document, names, diffs = _since_push(ws, inside, name_only)
    elif len(moments) == 2:
        document, names, diffs = _between(ws, moments[0], moments[1], inside, name_only)
    else:
        document, names, diffs = _to_here(ws, moments[0] if moments else None, inside, name_only)
    _print_diffs(out, document, names, diffs, with_patch, stat, name_only, word)


def _print_diffs(
    out: Output,
    document: dict[str, object],
    names: list[bytes],
    diffs: list[FileDiff],
    with_patch: bool,
    stat: bool,
    name_only: bool,
    word: bool,
) -> None:
    if name_only:
        for path in names:
            out.line(display(path))
        out.document({**document, "files": [path_fields(path) for path in names]})
        return
    lines = with_patch or word or not stat
    if stat:
        print_stat(out, diffs)
    if stat and lines:
        out.line()
    if lines and not out.as_json:
        for item in diffs:
            out.raw(words(out, item) if word else painted(out, patch(item)))
    out.document({**document, "files": [diff_fields(item, hunks=lines) for item in diffs]})


class _There(NamedTuple):
    """What a command line compares of which one side at least is a remote's; None: the files here."""

    old: Seen | Ref
    new: Seen | Ref | None
    words: int


def _seen(words: tuple[str, ...]) -> _There | None:
    """The sides that a command line begins with, where one of them is REMOTE/BRANCH; None else."""
    if not words or "/" not in "".join(words[:2]):
        return None
    left, dots, right = words[0].partition("..")
    if dots and (left or right):
        sides = [
            seen(side) or ((parse_ref(side) or named_branch(side)) if side else read_ref("HEAD"))
            for side in (left, right)
        ]
        if not any(isinstance(side, Seen) for side in sides) or sides[0] is None or (right and sides[1] is None):
            return None
        return _There(sides[0], sides[1] if right else None, 1)
    found = list(takewhile(lambda side: side is not None, (seen(word) or may_be_ref(word) for word in words[:2])))
    if not any(isinstance(side, Seen) for side in found) or found[0] is None:
        return None
    return _There(found[0], found[1] if len(found) > 1 else None, len(found))


def _with_remote(ws: Workspace, there: _There, inside: list[bytes]) -> tuple[dict[str, object], list[FileDiff]]:
    from mic.cli.remotes.git import Mirror

    mirror = Mirror(ws)

    def commit(side: Seen | Ref) -> str:
        return side.oid if isinstance(side, Seen) else own_commit(ws, mirror, _moments(ws, [side])[0].position)

    document: dict[str, object] = {"from": there.old.text, "to": there.new.text if there.new is not None else None}
    if there.new is not None:
        changes = between(mirror, commit(there.old), commit(there.new))
        wanted = {path for path, _, _ in changes if _is_within(path, inside)}
        return document, file_diffs(mirror, [each for each in changes if each[0] in wanted])
    assert isinstance(there.old, Seen)
    return document, [item for item in to_here(ws, mirror, there.old) if _is_within(item.path, inside)]


def _is_within(path: bytes, inside: list[bytes]) -> bool:
    return not inside or any(not each or path == each or path.startswith(each + b"/") for each in inside)


def _refs(ws: Workspace, words: tuple[str, ...]) -> tuple[list[Ref], int]:
    """The refs that a command line begins with: none, one, or two, also as A..B; and how many words they are."""
    between = may_be_range(words[0]) if words else None
    if between is None and words and (named := may_be_range(words[0], branches=True)) is not None:
        # Two branches by their names, unless a file is called so, here or at the base.
        is_file = os.path.lexists(words[0]) or ws.index().get(tree_path(ws, words[0])) is not None
        between = None if is_file else named
    if between is not None:
        left, right = between
        sides = [left or read_ref("HEAD"), right] if right is not None else [left]
        return [side for side in sides if side is not None], 1
    found = [ref for ref in takewhile(lambda ref: ref is not None, map(may_be_ref, words[:2])) if ref is not None]
    return found, len(found)


class _Moment(NamedTuple):
    """A position, and the line that it is one of."""

    project: pb.ProjectRef
    position: int


def _moments(ws: Workspace, refs: list[Ref]) -> list[_Moment]:
    """What they are; the forge is asked for what the refs do not say themselves."""
    known = [ref.position - ref.back if ref.position is not None and ref.back <= ref.position else -1 for ref in refs]
    if -1 not in known:
        return [_Moment(address_of(ws).ref, position) for position in known]
    places = [(Place(None), ref) for ref in refs]
    with connect(ws.config.instance) as client:
        found = [(place, place.resolve(client, ref)) for place, ref in places]
    return [_Moment(place.address.ref, position) for place, position in found]


def _between(ws: Workspace, old: _Moment, new: _Moment, inside: list[bytes], name_only: bool) -> _Found:
    with connect(ws.config.instance) as client:
        before, after = (_tree(client, each.project, each.position) for each in (old, new))
        _require_there(inside, f"at @{old.position} nor at @{new.position}", before, after)
        changes = _within(_changed(before, after), inside)
        diffs = [] if name_only else landed_diffs(client, new.project, changes, base=old.project)
    return {"from_position": old.position, "position": new.position}, [item.path for item in changes], diffs


def _to_here(ws: Workspace, start: _Moment | None, inside: list[bytes], name_only: bool) -> _Found:
    """From a position to the files here; without one, from the base, which needs no forge."""
    base = ws.config.position
    document: dict[str, object] = {"base_position": base}
    index = ws.index()
    local, absent = status_of(ws, index)
    before: Iterable[bytes]
    if start is not None:
        document["from_position"] = start.position
        with connect(ws.config.instance) as client:
            _, old = files_at(client, ws, start.project, start.position)
        local, before = _here_since(ws, old, local), old
    else:
        before = index.columns.paths
    here = [path for path in inside if os.path.lexists(os.path.join(os.fsencode(ws.root), path))]
    _require_there(inside, f"here nor at @{start.position if start is not None else base}", here, before)
    changes = _within(local, inside)
    unwritten = {path: entry for path, _ in absent if (entry := index.get(path)) is not None}
    diffs = [] if name_only else _load(ws, changes, unwritten, base=start.project if start is not None else None)
    return document, [item.path for item in changes], diffs


def _since_push(ws: Workspace, inside: list[bytes], name_only: bool) -> _Found:
    """From what was pushed of the open session last to the files here."""
    session = require_open(ws)
    pushed = last_push(ws, session)
    if pushed is None:
        raise NotFound("This session was not pushed from here yet.", hint="`mic session push` saves it.")
    index = ws.index()
    if pushed.base_position == ws.config.position:
        before = {entry.path: Entry(*entry[:5]) for entry in index.entries()}
    else:
        with connect(ws.config.instance) as client:
            _, before = files_at(client, ws, address_of(ws).ref, pushed.base_position)
    for change in pushed.changes:
        if change.op == _DELETED:
            before.pop(change.path, None)
        else:
            before[change.path] = Entry(change.path, change.mode, change.kind, change.size, change.hash)
    changes = _within(_here_since(ws, before, working_status(ws).changes), inside)
    diffs = [] if name_only else _load(ws, changes, {}, session.id)
    return {"base_position": ws.config.position, "since_ms": pushed.at_ms}, [item.path for item in changes], diffs


def _here_since(ws: Workspace, old: Mapping[bytes, Entry], local: list[LocalChange]) -> list[LocalChange]:
    """How the files here differ from an older or newer tree, sorted by path. `local`: how they differ from the base."""
    here = {entry.path: (entry.mode, entry.hash) for entry in ws.index().entries()}
    for change in local:
        if change.op == _DELETED:
            del here[change.path]
        else:
            here[change.path] = change.mode, hash_file(ws, change.path, change.mode)[0]
    changes = []
    for path in sorted(old.keys() | here.keys()):
        entry, now = old.get(path), here.get(path)
        if now is None:
            changes.append(LocalChange(path, _DELETED, 0, entry))
        elif entry is None or now != (entry.mode, entry.hash):
            changes.append(LocalChange(path, 0 if entry is None else 1, now[0], entry))
    return changes


def _require_there(inside: list[bytes], nor_at: str, *sides: Iterable[bytes]) -> None:
    """Raises NotFound for a path that is no file and no directory on either side."""
    left = {path for path in inside if path}
    for path in chain(*sides):
        if not left:
            return
        left -= {path, *(asked for asked in left if path.startswith(asked + b"/"))}
    if left:
        raise NotFound(f"There is no file {display(min(left))} {nor_at}.", hint="`mic ls` lists what is there.")


def _within(changes: list[C], paths: list[bytes]) -> list[C]:
    if not paths or b"" in paths:
        return changes
    folders = tuple(path + b"/" for path in paths)
    return [item for item in changes if item.path in paths or item.path.startswith(folders)]


def _tree(client: Client, project: pb.ProjectRef, position: int) -> dict[bytes, Entry]:
    return {entry.path: entry for page in client.tree(project, position) for entry in page_entries(page)}


def _changed(before: Mapping[bytes, Entry], after: Mapping[bytes, Entry]) -> list[pb.Change]:
    """The files that differ between two trees, as changes from the one to the other, sorted by path."""
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


def _load(
    ws: Workspace,
    changes: list[LocalChange],
    unwritten: Mapping[bytes, IndexEntry],
    session_id: bytes = b"",
    base: pb.ProjectRef | None = None,
) -> list[FileDiff]:
    """The contents of both sides; those here are read from the disk, but for what is kept off it. The old ones are on
    the line `base`, where that is another than the one followed here."""
    sides = [item.old for item in changes] + [unwritten.get(item.path) for item in changes if item.op != _DELETED]
    wanted = [entry.hash for entry in sides if entry and 0 < entry.size <= MAX_HELD]
    held = content_cache().contents(wanted)
    olds = {item.old.hash for item in changes if item.old is not None}
    absent = [item for item in wanted if item not in held]
    if absent:
        with connect(ws.config.instance) as client:
            own = address_of(ws).ref
            elsewhere = [item for item in absent if base is not None and item in olds]
            held |= fetch(client, own, [item for item in absent if item not in elsewhere], session_id, shown=True)
            if elsewhere and base is not None:
                held |= fetch(client, base, elsewhere, shown=True)
    found = []
    for item in changes:
        old = b"" if item.old is None or not item.old.size else held.get(item.old.hash)
        new: bytes | None = b""
        if item.op != _DELETED and item.path in unwritten:
            entry = unwritten[item.path]
            new = held.get(entry.hash) if entry.size else b""
        elif item.op != _DELETED:
            size = os.lstat(os.path.join(os.fsencode(ws.root), item.path)).st_size
            new = read_content(ws, item.path, item.mode) if size <= MAX_HELD else None
        found.append(FileDiff(item.path, item.op, item.old.mode if item.old else 0, item.mode, old, new))
    return found
