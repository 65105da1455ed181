"""`mic session attach`: an agent's transcript becomes part of the open session's conversation."""

from __future__ import annotations

from typing import Any

import click

from mic.cli.context.open_session import require_complete, require_open
from mic.cli.session.agent_file import wants
from mic.cli.session.attaching import Attached, attach_to, label, read_bounded, without_secrets
from mic.cli.session.start import open_session
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output, iso, plural
from mic.cli.terminal.words import local_fields
from mic.core.errors import InvalidInput
from mic.core.session import Message
from mic.core.transcript import Transcript, read_transcript
from mic.workspace import session as local
from mic.workspace.operations import record
from mic.workspace.workspace import Workspace

_MAX_GOAL = 200  # characters of a goal that is taken from what was asked


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
        from mic.cli.landing.land import run_land

        landing = _Held(out)
        run_land(landing, "")
        document["landing"] = landing.held
    out.document(document)
    return 0


class _Held(Output):
    """For a command within another: its document becomes a part of that of the other."""

    def __init__(self, outer: Output) -> None:
        super().__init__(as_json=outer.as_json, quiet=outer.quiet)
        self.held: dict[str, Any] = {}

    def document(self, value: dict[str, Any]) -> None:
        """Keeps it."""
        self.held = value


def goal_of(found: Transcript) -> str:
    """A goal for a session that begins with a transcript: its title, else the first thing that was asked."""
    asked = next((turn.text for turn in found.turns if turn.role == "human"), "")
    line = (found.title or asked).strip().partition("\n")[0].strip()
    if not line:
        raise InvalidInput("Nothing was asked in this transcript.", hint='Start a session: `mic session start "GOAL"`.')
    clean, _ = without_secrets([Message("human", "", line)])
    text = clean[0].text
    return text if len(text) <= _MAX_GOAL else text[: _MAX_GOAL - 1].rstrip() + "…"


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
