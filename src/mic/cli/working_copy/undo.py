"""`mic undo`, `mic redo`, `mic op log`: what changed this workspace, taken back and done again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import click
from msgspec import UNSET

from mic.cli.context.open_session import address_of, require_complete
from mic.cli.forge.connection import connect
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.output import Output, iso, plural, when
from mic.cli.transfer.content_cache import content_cache
from mic.cli.working_copy.clone import write_contents
from mic.cli.working_copy.sync_plan import Side, side_of
from mic.core.errors import Corrupt, InvalidInput, InvalidPath, NotFound
from mic.core.paths import display
from mic.core.tree import BLOB, Entry
from mic.workspace.checkout import Checkout
from mic.workspace.files import hash_file
from mic.workspace.index import Index, IndexEntry
from mic.workspace.operations import (
    Damaged,
    Operation,
    content_path,
    index_of,
    is_kept,
    operations,
    record,
    standing,
    write,
)
from mic.workspace.place import exists, write_file
from mic.workspace.pushed import put_back
from mic.workspace.session import current, session_of
from mic.workspace.status import status as working_status
from mic.workspace.sync_journal import forget_finished, under_way
from mic.workspace.undoing import begin_undoing, end_undoing, undoing
from mic.workspace.workspace import Workspace

_DELETED = 2
_PIECE = 1 << 20
_FIELDS = (
    "number", "at", "command", "from_position", "files", "undoable", "stays_because", "undoes", "redoes", "damaged",
)  # fmt: skip
_LISTED = "`mic op log` lists what was done."


@click.group(cls=Suggesting)
def op() -> None:
    """What changed this workspace, command by command."""


@op.command("log", short_help="What changed this workspace, newest first.")
@click.option(
    "-n", "--number", type=click.IntRange(1), metavar="COUNT", default=20, show_default=True, help="At most so many."
)
@json_option
def op_log(out: Output, number: int) -> None:
    """What changed this workspace, newest first. `mic undo` takes back the first that is not marked."""
    log = operations(Workspace.find())
    undoable = {each.number for each in standing(log)[0]}
    shown = [each for each in reversed(log) if each.done][:number]
    for each in shown:
        if isinstance(each, Damaged):
            out.line(f"{each.number:>4}  {each.why}")
            continue
        mark = "" if each.number in undoable or each.undoes else "  (undone)"
        final = "  (stays)" if each.final else ""
        out.line(f"{each.number:>4}  {when(each.at_ms)}  {each.command}, from @{each.position}{mark}{final}")
    if not shown:
        out.line("Nothing has changed this workspace yet.")
    out.document({"operations": [_fields(each, each.number in undoable) for each in shown]})


def _fields(each: Operation, undoable: bool) -> dict[str, object]:
    if isinstance(each, Damaged):
        return dict.fromkeys(_FIELDS) | {"number": each.number, "undoable": False, "damaged": each.why}
    return {
        "number": each.number,
        "at": iso(each.at_ms),
        "command": each.command,
        "from_position": each.position,
        "files": each.changes is not None,
        "undoable": undoable and not each.final,
        "stays_because": each.final or None,
        "undoes": each.undoes or None,
        "redoes": each.redoes or None,
        "damaged": None,
    }


@click.command(short_help="Take back what changed this workspace last")
@json_option
def undo(out: Output) -> None:
    """Take back the last command that changed files, base or open session here; again, the one before.

    What stands here now is kept, and `mic redo` brings it back. A landing stays: `mic revert` makes a session that
    takes it back. `mic op log` lists what can be undone. Interrupted, the same command goes on.
    """
    _back_or_forth(out, back=True)


@click.command(short_help="Do again what `mic undo` took back")
@json_option
def redo(out: Output) -> None:
    """Do again what was undone last, as long as nothing else has changed the workspace since."""
    _back_or_forth(out, back=False)


def _back_or_forth(out: Output, *, back: bool) -> None:
    ws = Workspace.find()
    with ws.lock():
        require_complete(ws)
        if under_way(ws):
            raise InvalidInput("A sync was stopped half way.", hint="`mic sync` goes on, `mic sync --abort` undoes it.")
        log = operations(ws)
        ended = _ended(ws, log, back=back)
        if ended is not None:
            # Stopped behind its last step: to undo once more would take back something else.
            wanted, files = ended, 0
        else:
            wanted = _undoable(ws, log, out) if back else _redoable(ws, log)
            # One that was killed before its mark has touched nothing, and what it wrote down is how things stood then.
            open_one = log[-1] if undoing(ws) and not log[-1].done else None
            if open_one is None or (open_one.undoes or open_one.redoes) != wanted.number:
                open_one = record(
                    ws,
                    "mic undo" if back else "mic redo",
                    files=wanted.changes is not None,
                    undoes=wanted.number if back else 0,
                    redoes=0 if back else wanted.number,
                    done=False,
                )
            begin_undoing(ws, "undo" if back else "redo")
            files = _restore(ws, wanted, out)
            open_one.done = True
            write(ws, open_one)
        end_undoing(ws)
    what = f"Undone: {wanted.command}" if back else "Done again"
    changed = f", {plural(files, 'file')} changed here" if wanted.changes is not None else ""
    out.line(f"{what}; your base is @{wanted.position}{changed}.")
    if back and files:
        out.line("`mic redo` brings back what stood here.")
    out.document({"operation": _fields(wanted, False), "position": wanted.position, "files": files})


def _ended(ws: Workspace, log: list[Operation], *, back: bool) -> Operation | None:
    """What the newest undo or redo took back, when only its mark was left standing; None else."""
    if not undoing(ws) or not log or not log[-1].done:
        return None
    number = log[-1].undoes if back else log[-1].redoes
    return next((each for each in log if each.number == number), None)


def _redoable(ws: Workspace, log: list[Operation]) -> Operation:
    stack = standing(log)[1]
    if not stack:
        raise NotFound("There is nothing to redo.", hint=_LISTED)
    _require_whole(ws, stack[-1])
    return stack[-1]


def _undoable(ws: Workspace, log: list[Operation], out: Output) -> Operation:
    """The operation to undo. Damaged ones above it are named: what they did is taken back as well.

    Raises Corrupt where it cannot be told what that would be.
    """
    stack = standing(log)[0]
    if not stack:
        raise NotFound("There is nothing to undo.", hint=_LISTED)
    passed: list[Damaged] = []
    while stack:
        found = _as_read(ws, stack.pop())
        if not isinstance(found, Damaged):
            break
        passed.append(found)
    if passed and (isinstance(found, Damaged) or not _reaches_over(ws, found, passed)):
        raise Corrupt(
            f"{passed[0].why}, so what was done before it cannot be undone",
            hint=f"{_LISTED} What you do from now on can be undone.",
        )
    if found.final:
        raise InvalidInput(f"{found.command} stays: {found.final}", hint=_hint(found))
    _require_whole(ws, found)
    for each in passed:
        out.line(f"{each.why}; what that command did is taken back as well.")
    return found


def _as_read(ws: Workspace, each: Operation) -> Operation:
    """An operation; a damaged one where the index that its files are brought back by is."""
    if each.changes is not None:
        try:
            index_of(ws, each)
        except Corrupt as error:
            return Damaged(each.number, 0, "", 0, "", why=error.message, files=True)
    return each


def _reaches_over(ws: Workspace, found: Operation, passed: list[Damaged]) -> bool:
    """Whether to undo an operation takes back those damaged ones above it as well, and none of them was to stay.

    What brings files back brings everything back. A command that touches no file may have been a landing, or have given
    a session up: then base or session are not now as they were.
    """
    if any(each.files for each in passed):
        return found.changes is not None and all(each.files for each in passed)
    now = current(ws)
    same = found.session is None or (now is not None and now.id == session_of(found.session).id)
    if found.changes is not None:
        return same and now is not None and len(passed) == 1
    return same and (found.position, found.tree, found.branch) == (
        ws.config.position, ws.config.tree, ws.config.branch,
    )  # fmt: skip


def _require_whole(ws: Workspace, wanted: Operation) -> None:
    """Raises Corrupt, before anything is touched, for what cannot be brought back."""
    if wanted.changes is None:
        return
    index_of(ws, wanted)
    for change in wanted.changes:
        if change.op == _DELETED or is_kept(ws, change.hash) or content_cache().content(change.hash) is not None:
            continue
        with contextlib.suppress(NotFound, InvalidPath):
            if hash_file(ws, change.path, change.mode)[0] == change.hash:
                continue  # it stands
        raise Corrupt(
            f"{display(change.path)} as it was before {wanted.command} cannot be brought back: "
            f"{os.fsdecode(content_path(ws, change.hash))} is damaged",
            hint=f"Nothing was touched. {_LISTED}",
        )


def _hint(each: Operation) -> str:
    landed = each.command.startswith("mic land") and each.final.startswith("it landed")
    return "`mic revert` makes a session that takes a landing back." if landed else _LISTED


def _restore(ws: Workspace, wanted: Operation, out: Output) -> int:
    """Everything as it stood before an operation; how many files that changed."""
    files = 0
    if wanted.changes is not None:
        index, files = _restore_files(ws, wanted, out)
        if wanted.sparse is not UNSET:
            _put(ws, b"sparse", wanted.sparse)
        ws.save_index(index)
        ws.set_base(wanted.position, wanted.tree, wanted.branch)
        # It speaks of files that stand here no more.
        forget_finished(ws)
        _put(ws, b"conflicts", wanted.conflicts)
    put_back(ws, wanted.pushed, wanted.session)
    if wanted.attributed is not UNSET:
        _put(ws, b"attributed", wanted.attributed)
    _put(ws, b"session", wanted.session)
    return files


def _put(ws: Workspace, name: bytes, data: bytes | None) -> None:
    if data is not None:
        write_file(ws.folder, name, data)
    elif exists(ws.folder + b"/" + name):
        os.unlink(ws.folder + b"/" + name)


def _restore_files(ws: Workspace, wanted: Operation, out: Output) -> tuple[Index, int]:
    before, now = index_of(ws, wanted), ws.index()
    desired = {entry.path: Entry(*entry[:5]) for entry in before.entries() if not entry.unwritten}
    for change in wanted.changes or ():
        if change.op == _DELETED:
            desired.pop(change.path, None)
        else:
            desired[change.path] = Entry(change.path, change.mode, BLOB, change.size, change.hash)
    present = _present(ws, now)
    gone = [path for path in present if path not in desired]
    due = [entry for path, entry in sorted(desired.items()) if present.get(path) != side_of(entry)]
    checkout = Checkout(ws)
    try:
        for path in sorted(gone):
            checkout.remove(path)
        checkout.plan(due)
        away = {path for path, _ in checkout.unwritten}
        due = [entry for entry in due if entry.path not in away]
        absent = []
        for entry in due:
            kept = content_path(ws, entry.hash)
            if is_kept(ws, entry.hash):
                checkout.write(entry, _pieces(kept))
            elif (data := content_cache().content(entry.hash)) is not None:
                checkout.write(entry, [data])
            else:
                absent.append(entry)
        if absent:
            # Of a landed tree, and not on this machine any more.
            with connect(ws.config.instance) as client:
                write_contents(client, address_of(ws, wanted.branch).ref, checkout, absent, out)
    finally:
        checkout.close()
    touched = {*gone, *(entry.path for entry in due)}
    return _index(before, now, touched), len(touched)


def _present(ws: Workspace, now: Index) -> dict[bytes, Side]:
    """What stands here, path by path."""
    found: dict[bytes, Side] = {entry.path: side_of(entry) for entry in now.entries() if not entry.unwritten}
    for change in working_status(ws).changes:
        if change.op == _DELETED:
            found.pop(change.path, None)
        else:
            found[change.path] = change.mode, hash_file(ws, change.path, change.mode)[0]
    return found


def _index(before: Index, now: Index, touched: set[bytes]) -> Index:
    """The index of the time, with what is known of files that stand as they stood; zeros make the next status read."""
    entries = []
    for entry in before.entries():
        known = now.get(entry.path)
        if entry.path not in touched and known is not None and known[:5] == entry[:5]:
            entries.append(known)
        else:
            entries.append(IndexEntry(*entry[:5], 0, 0, 0, 0, entry.unwritten))
    return Index.build(entries, now.columns.clock)


def _pieces(path: bytes) -> Iterator[bytes]:
    with open(path, "rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece
