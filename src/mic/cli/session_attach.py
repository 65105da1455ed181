"""`mic session attach`: an agent's transcript becomes part of the open session's conversation."""

from __future__ import annotations

import os
import sys
from typing import Any, NamedTuple

import click
import msgspec

from mic.cli.agent_file import settings_here, wants
from mic.cli.app import json_option
from mic.cli.failure import from_system
from mic.cli.open_session import require_complete, require_open, speaker
from mic.cli.output import Output, iso, plural
from mic.cli.session_start import open_session
from mic.cli.transcripts_here import transcripts_here
from mic.cli.words import local_fields
from mic.core.errors import InvalidInput, MicError, NotFound, TooLarge, Unavailable
from mic.core.paths import display
from mic.core.session import Message
from mic.core.transcript import MAX_BYTES, Transcript, messages, read_transcript
from mic.workspace import session as local
from mic.workspace.operations import record
from mic.workspace.session import LocalSession
from mic.workspace.transcripts import keep_raw, name_of, take, taken_by_others
from mic.workspace.workspace import Workspace

_MAX_GOAL = 200  # characters of a goal that is taken from what was asked
_UNSEARCHABLE = "[redacted: not searchable]"


class Attached(NamedTuple):
    """What came of attaching one transcript."""

    transcript: Transcript
    kept: str
    new: int
    changed: int
    earlier: int
    redactions: int


@click.command("attach", short_help="Make an agent's transcript part of the conversation.")
@click.argument("file", metavar="[FILE]", required=False, default="")
@click.option("--whole", is_flag=True, help="Also what an earlier session has of the same transcript.")
@json_option
def attach(out: Output, file: str, whole: bool) -> int:
    """Read a transcript of Claude Code or Codex into the open session's conversation.

    FILE is a .jsonl file; `-` reads it from standard input. Without one, the newest that was written in this directory.
    What was said is taken over, with the tools that were used in a line below it; what looks like a secret is taken out
    first. The file itself is kept under .mic/transcripts, and never leaves this machine. Attached again, only what is
    new of it is added.
    """
    ws = Workspace.find()
    data = read_bounded(ws, file)
    found = read_transcript(data)
    started = False
    if local.current(ws) is None and wants(ws, "auto_start", out):
        open_session(ws, goal_of(found), label(ws, found), out)
        started = True
    with ws.lock():
        require_complete(ws)
        session = require_open(ws)
        record(ws, "mic session attach", files=False)
        done = attach_to(ws, session, data, found, whole=whole)
    tell(out, done)
    document: dict[str, Any] = {"session": local_fields(session), "started": started, "transcript": fields(done)}
    if wants(ws, "auto_land", out):
        from mic.cli.land import run_land

        landing = _Held(out)
        run_land(landing, "")
        document["landing"] = landing.held
    out.document(document)
    return 0


class _Held(Output):
    """For a command within another: its document becomes a part of that of the other."""

    def __init__(self, outer: Output) -> None:
        super().__init__(as_json=outer.as_json)
        self.held: dict[str, Any] = {}

    def document(self, value: dict[str, Any]) -> None:
        """Keeps it."""
        self.held = value


def attach_by_itself(ws: Workspace, session: LocalSession, out: Output) -> None:
    """Attach what an agent wrote down here since its session began, where project and person let that happen by itself.

    The caller holds the lock. What cannot be attached is said, and stops nothing.
    """
    if not session.agent or not wants(ws, "auto_note", out):
        return
    for path in transcripts_here(ws):
        try:
            if os.stat(path).st_mtime * 1000 < session.started_ms:
                continue
            data = read_bounded(ws, path)
            done = attach_to(ws, session, data, read_transcript(data))
        except (MicError, OSError) as error:
            out.note(f"{display(os.fsencode(path))} was not attached: {error}")
            continue
        if done.new or done.changed:
            out.line(f"Attached: {plural(done.new, 'message')} of {done.transcript.form}.")


def attach_to(ws: Workspace, session: LocalSession, data: bytes, found: Transcript, *, whole: bool = False) -> Attached:
    """Add what a transcript has to a session and save it; the caller holds the lock. Done again, it adds nothing.

    Raises Unavailable when the search for secrets fails: then nothing is added.
    """
    name = name_of(found, data)
    since = 0 if whole else taken_by_others(ws, session, name)
    turns = len(found.turns)
    found.turns = [turn for turn in found.turns if not since or turn.at > since]
    said, redactions = without_secrets(messages(found, speaker(ws, session, "human")))
    if not found.turns:
        said = []
    kept = keep_raw(ws, session, name, data)
    session.conversation, new, changed = merged(session.conversation, said)
    session.usage = [each for each in session.usage if each.source != name] + found.usage(name, since)
    if not session.agent and said:
        session.agent = label(ws, found)
    # First how far it went: a session that has it twice is better than a turn that none has.
    local.save(ws, session)
    take(ws, session, name, found.last_ms)
    return Attached(found, kept, new, changed, turns - len(found.turns), redactions)


def merged(conversation: list[Message], said: list[Message]) -> tuple[list[Message], int, int]:
    """The conversation with these turns; how many are new, and how many have more in them than before."""
    made = list(conversation)
    places = {_key(turn): at for at, turn in enumerate(made)}
    new = changed = 0
    for turn in said:
        at = places.get(_key(turn))
        if at is None:
            places[_key(turn)] = len(made)
            made.append(turn)
            new += 1
        elif made[at] != turn:
            made[at] = turn
            changed += 1
    return made, new, changed


def _key(turn: Message) -> tuple[str, str, int, str]:
    """What makes a turn the same when it is read again: who and when; the words where no time is known."""
    return turn.role, turn.author, turn.at, "" if turn.at else turn.text


def without_secrets(said: list[Message]) -> tuple[list[Message], int]:
    """The turns without what looks like a secret, and how many were taken out. Raises Unavailable."""
    from mic.core.scanning import redact  # what no other command of a session needs

    texts = [text for turn in said for text in (turn.author, turn.text)]
    try:
        changed = redact(texts)
    except InvalidInput:
        changed = {}
        for number, text in enumerate(texts):
            try:
                changed.update((number, each) for each in redact([text]).values())
            except InvalidInput:
                changed[number] = (_UNSEARCHABLE, 1)
    except MicError:
        raise
    except Exception as error:
        raise Unavailable(
            "The transcript could not be searched for secrets, so nothing of it was attached.", hint=str(error)[:200]
        ) from error
    clean = []
    for at, turn in enumerate(said):
        author, in_author = changed.get(2 * at, (turn.author, 0))
        text, in_text = changed.get(2 * at + 1, (turn.text, 0))
        clean.append(msgspec.structs.replace(turn, author=author, text=text, redactions=in_author + in_text))
    return clean, sum(count for _, count in changed.values())


def label(ws: Workspace, found: Transcript) -> str:
    """The agent as the session names it: what `.micelio/agent.toml` says, else the program and its last model."""
    settings = settings_here(ws)
    name, model = (settings.name, settings.model) if settings is not None else ("", "")
    return ":".join(filter(None, [name or found.form, model or (found.models[-1] if found.models else "")]))


def goal_of(found: Transcript) -> str:
    """A goal for a session that begins with a transcript: its title, else the first thing that was asked."""
    asked = next((turn.text for turn in found.turns if turn.role == "human"), "")
    line = (found.title or asked).strip().partition("\n")[0].strip()
    if not line:
        raise InvalidInput("Nothing was asked in this transcript.", hint='Start a session: `mic session start "GOAL"`.')
    clean, _ = without_secrets([Message("human", "", line)])
    text = clean[0].text
    return text if len(text) <= _MAX_GOAL else text[: _MAX_GOAL - 1].rstrip() + "…"


def read_bounded(ws: Workspace, file: str) -> bytes:
    """The bytes of a transcript. Raises NotFound without any, TooLarge."""
    if file == "-":
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        path = file or next(iter(transcripts_here(ws)), "")
        if not path:
            raise NotFound(
                "No transcript of Claude Code or Codex was written in this directory.",
                hint="Name the file: `mic session attach FILE`.",
            )
        try:
            with open(path, "rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise from_system(error) from error
    if len(data) > MAX_BYTES:
        raise TooLarge(f"The transcript has more than {MAX_BYTES:,} bytes.", hint="Attach it in parts.")
    return data


def tell(out: Output, done: Attached) -> None:
    """What was attached, for people."""
    found = done.transcript
    what = f"{plural(done.new, 'message')} of {found.form}" if done.new else f"nothing new of {found.form}"
    more = f", and more of {plural(done.changed, 'message')}" if done.changed else ""
    out.line(f"Attached: {what}{more} ({plural(len(found.turns), 'turn')}, {plural(found.calls, 'use')} of tools).")
    if done.earlier:
        out.line(f"An earlier session has {plural(done.earlier, 'turn')} of it; --whole takes these too.")
    if done.redactions:
        out.line(f"{plural(done.redactions, 'secret')} taken out.")
    if found.damaged_count:
        first = found.damaged[0]
        out.note(
            f"{plural(found.damaged_count, 'line')} of it cannot be read, the first is line {first.line}: {first.why}"
        )
    out.line(f"The file itself stays here: {done.kept}")


def fields(done: Attached) -> dict[str, Any]:
    """The same in JSON."""
    found = done.transcript
    return {
        "form": found.form,
        "id": found.id or None,
        "version": found.version or None,
        "models": found.models,
        "turns": len(found.turns),
        "tools": found.calls,
        "tokens_read": found.tokens.read,
        "tokens_written": found.tokens.written,
        "first_at": iso(found.first_ms) if found.first_ms else None,
        "last_at": iso(found.last_ms) if found.last_ms else None,
        "lines": found.lines,
        "other_lines": found.other,
        "damaged": [{"line": each.line, "why": each.why} for each in found.damaged],
        "damaged_count": found.damaged_count,
        "new": done.new,
        "changed": done.changed,
        "earlier": done.earlier,
        "redactions": done.redactions,
        "kept": done.kept,
    }
