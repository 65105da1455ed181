"""`REMOTE/BRANCH` where a ref can stand: a commit of another place, as `mic fetch` or `mic push` saw it last.

It names no landing, so it is read from `.mic/git` and nobody is asked. `origin/BRANCH` is the project's own and is read
as `branch:BRANCH` (mic.cli.context.refs).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from mic.cli.terminal.output import Output, path_fields, plural, when
from mic.core.errors import InvalidInput, MicError, NotFound
from mic.core.paths import display
from mic.workspace.workspace import Workspace

if TYPE_CHECKING:
    from mic.cli.context.file_diff import FileDiff
    from mic.cli.remotes.git import Mirror
    from mic.core.brought import Brought

_FORM = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9_-]{0,63})/(?P<branch>[^\s^~:]+?)(?P<back>(?:\^|~[0-9]{1,6})*)")
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_NONE = "0" * 40
_SHORT = 10
_LINK, _GITLINK, _TREE = 0o120000, 0o160000, 0o040000
ADDED, MODIFIED, DELETED = 0, 1, 2


class Seen(NamedTuple):
    """A commit of a remote. `text` is how it was named."""

    text: str
    remote: str
    oid: str


class Side(NamedTuple):
    """A path of a commit: Git's mode and the blob's id; 0 and "" for none."""

    mode: int
    oid: str


def seen(text: str) -> Seen | None:
    """The commit that a word names; None for what names no remote of the workspace here.

    Raises NotFound for one that goes back behind the beginning, and for a branch of a remote that was not seen yet,
    unless a file is called so.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    try:
        ws = Workspace.find()
    except MicError:
        return None
    from mic.cli.remotes.configured import remotes

    fetched = os.path.isdir(os.path.join(ws.root, ".mic", "git"))
    if (not fetched and os.path.lexists(text)) or form["name"] not in {r.name for r in remotes(ws)}:
        return None
    ref = f"refs/remotes/{form['name']}/{form['branch']}"
    if not fetched or not (mirror := _mirror()).commit(ref):
        if os.path.lexists(text):
            return None
        raise NotFound(
            f"{form['name']}/{form['branch'][:100]} was not seen yet.",
            hint=f"`mic fetch {form['name']}` looks what is at that remote. A path goes behind `--`.",
        )
    oid = mirror.commit(f"{ref}{form['back']}^{{commit}}")
    if not oid:
        raise NotFound(f"{text[:100]} is before the beginning.", hint=f"`mic log {form['name']}/{form['branch']}`.")
    return Seen(text, form["name"], oid)


def show(out: Output, commit: Seen, *, with_patch: bool, stat: bool) -> None:
    """`mic show REMOTE/BRANCH`: what the commit says, and its session where another Micelio told it."""
    from mic.cli.context.file_diff import diff_fields, patch, print_stat
    from mic.cli.remotes.words import words_here

    mirror = _mirror()
    oid, at, author, message = mirror.told(commit.oid)
    said = words_here(mirror, commit.remote, oid)
    changes = between(mirror, mirror.commit(f"{oid}^1"), oid)
    diffs = file_diffs(mirror, changes) if with_patch or stat else []
    title, _, rest = message.strip().partition("\n")
    out.line(
        f"{out.paint(oid[:_SHORT], 'yellow')} {out.paint(said.goal.partition(chr(10))[0] if said else title, 'bold')}"
    )
    if rest.strip() and said is None:
        out.line("\n" + rest.strip("\n") + "\n")
    out.line(f"{author}{f' with {said.agent}' if said and said.agent else ''}, {when(at * 1000)}")
    out.line(f"Git commit {oid}, {commit.text} as it was seen last")
    if said is not None:
        out.line(f"It landed as @{said.position} of {said.project} at {said.forge}.")
        _print_words(out, said)
    if changes:
        out.line()
        out.line(plural(len(changes), "file") + ":")
    for path, old, new in changes:
        out.line(f"  {'A' if not old.mode else 'D' if not new.mode else 'M'} {display(path)}")
    if stat:
        out.line()
        print_stat(out, diffs)
    if with_patch and not out.as_json:
        out.line()
        for item in diffs:
            out.raw(patch(item))
    fields: dict[str, Any] = {
        "ref": commit.text, "commit": oid, "author": author, "at_ms": at * 1000, "message": message,
        "changes": [path_fields(path) for path, _, _ in changes],
        "brought": None if said is None else said.origin,
        "goal": None if said is None else said.goal,
    }  # fmt: skip
    if said is not None:
        from mic.cli.terminal.words import answering_fields

        fields["decisions"] = answering_fields(said.decisions, said.conversation)
        fields["conversation"] = [{"role": m.role, "author": m.author, "text": m.text} for m in said.conversation]
    if diffs:
        fields["diffs"] = [diff_fields(item, hunks=with_patch) for item in diffs]
    out.document({"commit": fields})


def log(out: Output, commit: Seen, path: bytes, number: int) -> None:
    """`mic log REMOTE/BRANCH`: its commits by first parents, newest first."""
    found = _mirror().history(commit.oid, path, number)
    for oid, at, author, title in found:
        out.line(f"{out.paint(oid[:_SHORT], 'yellow')}  {when(at * 1000)}  {author}  {title}")
    if not found:
        out.line(f"No commit of {commit.text} touched {display(path)}.")
    commits = [{"commit": oid, "at_ms": at * 1000, "author": who, "title": title} for oid, at, who, title in found]
    out.document({"ref": commit.text, "commits": commits})


def print_file(out: Output, commit: Seen, path: bytes) -> None:
    """`mic cat PATH REMOTE/BRANCH`."""
    mirror = _mirror()
    entry = next((each for each in mirror.tree(commit.oid, path) if each[0] == path), None)
    if entry is None:
        raise NotFound(f"There is no file {display(path)} at {commit.text}.", hint=f"`mic ls . {commit.text}`.")
    _, mode, oid, size = entry
    if mode in (_TREE, _GITLINK):
        raise InvalidInput(
            f"{display(path)} is no file at {commit.text}.", hint=f"`mic ls {display(path)} {commit.text}`."
        )
    data = mirror.blobs([oid])[oid]
    if not out.as_json:
        out.raw(data)
    text = data.decode("utf-8", "replace")
    out.document({"file": {**path_fields(path), "commit": commit.oid, "size": size, "text": text}})


def print_at(out: Output, commit: Seen, path: bytes) -> None:
    """`mic show REMOTE/BRANCH:PATH`: a file's content, or the names in a folder."""
    entry = next((each for each in _mirror().tree(commit.oid, path) if each[0] == path), None)
    if path and (entry is None or entry[1] != _TREE):
        print_file(out, commit, path)
    else:
        print_list(out, commit, path, recursive=False)


def print_list(out: Output, commit: Seen, path: bytes, *, recursive: bool) -> None:
    """`mic ls [PATH] REMOTE/BRANCH`."""
    mirror = _mirror()
    found = mirror.tree(commit.oid, path + b"/" if path else b"", recursive=recursive)
    if not found and path:
        found = mirror.tree(commit.oid, path)
    if not found and path:
        raise NotFound(f"There is no {display(path)} at {commit.text}.", hint=f"`mic ls . {commit.text}`.")
    width = max((len(f"{size:,}") for _, mode, _, size in found if mode != _TREE), default=1)
    above = len(path) + 1 if path and (len(found) > 1 or found[0][0] != path) else 0
    for name, mode, _, size in found:
        shown = display(name[above:] if recursive or above else name)
        if mode == _TREE:
            out.line(f"{'':>6} {'':>{width}} {out.paint(shown + '/', 'cyan')}")
        else:
            out.line(f"{mode:06o} {size:>{width},} {shown}{'@' if mode == _LINK else ''}")
    kinds = {_TREE: "directory", _LINK: "symlink", _GITLINK: "submodule"}
    entries = [{**path_fields(name), "type": kinds.get(mode, "file"), "size": size} for name, mode, _, size in found]
    out.document({"ref": commit.text, "commit": commit.oid, "entries": entries})


def between(mirror: Mirror, old: str, new: str) -> list[tuple[bytes, Side, Side]]:
    """The paths in which two commits differ, sorted; "" is the empty beginning."""
    return sorted(
        (path, Side(before, a if a != _NONE else ""), Side(after, b if b != _NONE else ""))
        for path, before, after, a, b in mirror.compared_trees(old or _EMPTY_TREE, new or _EMPTY_TREE)
    )


def to_here(ws: Workspace, mirror: Mirror, commit: Seen) -> list[FileDiff]:
    """From a commit to the files here, sorted by path."""
    from mic.cli.context.file_diff import FileDiff
    from mic.cli.transfer.contents import MAX_HELD
    from mic.workspace.files import read_content
    from mic.workspace.status import status as working_status

    base = own_commit(ws, mirror, ws.config.position)
    sides = {path: (old, new) for path, old, new in between(mirror, commit.oid, base)}
    local = {change.path: change for change in working_status(ws).changes}
    for path in local.keys() - sides.keys():
        entry = next((each for each in mirror.tree(base, path) if each[0] == path), None) if base else None
        side = Side(entry[1], entry[2]) if entry is not None else Side(0, "")
        sides[path] = side, side
    held = mirror.blobs({side.oid for pair in sides.values() for side in pair if side.oid and side.mode != _GITLINK})
    found = []
    for path, (old, new) in sorted(sides.items()):
        before, mode, after = _held(held, old), new.mode, _held(held, new)
        change = local.get(path)
        if change is not None:
            mode = change.mode if change.op != DELETED else 0
            after = read_content(ws, path, mode) if mode else b""
            after = after if len(after) <= MAX_HELD else None
        if (old.mode, before) != (mode, after):
            op = ADDED if not old.mode else DELETED if not mode else MODIFIED
            found.append(FileDiff(path, op, old.mode, mode, before, after))
    return found


def file_diffs(mirror: Mirror, changes: Iterable[tuple[bytes, Side, Side]]) -> list[FileDiff]:
    """Both sides of these paths with their contents."""
    from mic.cli.context.file_diff import FileDiff

    listed = list(changes)
    held = mirror.blobs({s.oid for _, old, new in listed for s in (old, new) if s.oid and s.mode != _GITLINK})
    return [
        FileDiff(
            path, ADDED if not old.mode else DELETED if not new.mode else MODIFIED, old.mode, new.mode,
            _held(held, old), _held(held, new),
        )
        for path, old, new in listed
    ]  # fmt: skip


def own_commit(ws: Workspace, mirror: Mirror, position: int) -> str:
    """The commit of a landing of the line that is followed here; "" for @0.

    The project is brought here when it must be. Raises NotFound where no commit is known.
    """
    if not position:
        return ""
    branch = "refs/heads/" + (ws.config.branch or "main")
    for refreshed in (False, True):
        if refreshed:
            mirror.refresh()
        found = mirror.landed_at(branch, position)
        if found:
            return found
    from mic.cli.context.open_session import address_of
    from mic.cli.forge.connection import connect
    from mic.rpc.v1 import mic_pb2 as pb

    with connect(ws.config.instance) as client:
        request = pb.GetSessionRequest(project=address_of(ws).ref, position=position)
        oid: str = client.call(client.sessions.GetSession, request).session.git_commit.hex()
    if not oid or not mirror.commit(f"{oid}^{{commit}}"):
        raise NotFound(f"No Git commit of @{position} is here.", hint="`mic fetch origin` brings the project's.")
    return oid


def _held(held: dict[str, bytes], side: Side) -> bytes | None:
    if side.mode == _GITLINK:
        return b"Subproject commit %s\n" % side.oid.encode()
    return held.get(side.oid) if side.oid else b""


def _print_words(out: Output, said: Brought) -> None:
    from mic.cli.terminal.words import decision_pb, message_pb, print_words

    print_words(out, list(map(message_pb, said.conversation)), list(map(decision_pb, said.decisions)))


def _mirror() -> Mirror:
    from mic.cli.remotes.git import Mirror  # nobody who names no remote pays for it

    return Mirror(Workspace.find())
