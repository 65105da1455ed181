"""`mic session wrote`: who wrote what changed here, noted until the session lands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Literal, cast

import click

from mic.cli.context.open_session import require_open
from mic.cli.terminal.app import json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, path_fields
from mic.cli.transfer.sending import Sent
from mic.core.attribution import MAX_NAME, FileLines, Writer
from mic.core.blob import MAX_WHOLE
from mic.core.ids import content_hash
from mic.core.paths import display
from mic.core.session import Op
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.attributed import Noted, has_lines, noted, save
from mic.workspace.files import read_content
from mic.workspace.operations import record
from mic.workspace.paths import tree_path
from mic.workspace.session import LocalSession
from mic.workspace.status import status as working_status
from mic.workspace.told import in_order
from mic.workspace.workspace import Workspace

_WRITERS = ("agent", "person", "untracked")


@click.command("wrote", short_help="Note who wrote what changed in files here, line by line.")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "--as", "who", type=click.Choice(_WRITERS), help="Who wrote it; default: agent in an agent's session, else person."
)
@click.option("--name", default="", help="Which agent, such as its model, or which person.")
@json_option
def wrote(out: Output, paths: tuple[str, ...], who: str | None, name: str) -> None:
    """Note who wrote the lines that changed here since this was last noted, or since the base. Default: every file.

    An agent that works beside a person notes what the person did before it begins, and its own work when it is done.
    Lines carry over by what they are, so whatever is done to the files until they land, they stay whose they are. What
    changes after the last note lands as untracked; of a file that was never noted, the session as a whole tells.
    """
    ws = Workspace.find()
    name = name.strip()
    with ws.lock():
        session = require_open(ws)
        kind = who or ("agent" if session.agent else "person")
        if len(name) > MAX_NAME or (name and kind == "untracked"):
            raise WrongCommandLine(f"{name[:40]!r} is not a name.", hint=f"At most {MAX_NAME} characters, of somebody.")
        writer = None
        if kind != "untracked":
            writer = Writer(cast(Literal["agent", "person"], kind), name, len(session.conversation))
        inside = [tree_path(ws, path) for path in paths]
        folders = tuple(path + b"/" for path in inside)
        found, files = noted(ws, session), []
        for item in working_status(ws).changes:
            asked = not inside or b"" in inside or item.path in inside or item.path.startswith(folders)
            if not asked or item.op == Op.DELETED:
                continue
            text = read_content(ws, item.path, item.mode)
            if has_lines(item.mode, text):
                found.note(item.path, text, writer)
                files.append(item.path)
        record(ws, "mic session wrote", files=False)
        save(ws, found)
    for path in files:
        out.line(f"{kind}: what changed in {display(path)}")
    if not files:
        out.line("No text file has changed here.")
    out.document({"by": kind, "name": name or None, "files": list(map(path_fields, files))})


def say_who_wrote(message: pb.Session, ws: Workspace, session: LocalSession, sent: Sent) -> None:
    """Add to a session that goes to the forge who wrote which lines of its contents, as far as that was noted."""
    found = noted(ws, session)
    add_who_wrote(message, found, session, sent.changes, lambda each: read_content(ws, each.path, each.mode))


def add_who_wrote(
    message: pb.Session,
    found: Noted,
    session: LocalSession,
    changes: Iterable[pb.Change],
    read: Callable[[pb.Change], bytes],
) -> None:
    """The same of changes whose contents are read by `read`."""
    for change in changes:
        if change.path not in found.files or change.op == pb.Change.DELETED or change.size > MAX_WHOLE:
            continue
        text = read(change)
        lines = found.said_of(change.path, text) if has_lines(change.mode, text) else None
        if lines is not None and lines.content == change.hash:
            runs = [pb.LineRun(first=first, lines=count, writer=writer) for first, count, writer in lines.lines]
            message.attributed.append(pb.FileLines(path=change.path, content=change.hash, runs=runs))
    if message.attributed:
        numbers = dict(enumerate(in_order(session.conversation)[1], 1))
        message.writers.extend(
            pb.Writer(kind=each.kind, name=each.name, message=numbers.get(each.message, 0)) for each in found.writers
        )


def digest(message: pb.Session) -> bytes:
    """Of who wrote which lines, as a session says it; b"" when it says nothing."""
    if not message.attributed:
        return b""
    return hashlib.sha256(
        b"".join(each.SerializeToString(deterministic=True) for each in (*message.writers, *message.attributed))
    ).digest()


def bring_who_wrote(ws: Workspace, found: pb.Session) -> None:
    """Note here what a session says of its lines that was pushed elsewhere; its files and its words are here."""
    made = Noted(found.id, [Writer(_kind(each.kind), each.name, each.message) for each in found.writers])
    modes = {change.path: change.mode for change in found.changes if change.op != pb.Change.DELETED}
    for file in found.attributed:
        text = read_content(ws, file.path, modes.get(file.path, 0)) if file.path in modes else b""
        if content_hash(text) == file.content:
            runs = tuple((run.first, run.lines, run.writer) for run in file.runs)
            made.take_over(FileLines(file.path, file.content, runs), text)
    if made.files:
        save(ws, made)


def _kind(said: str) -> Literal["agent", "person"]:
    return "agent" if said == "agent" else "person"
