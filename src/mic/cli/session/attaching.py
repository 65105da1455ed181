"""An agent's transcript put into the conversation of a session of this working copy."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

import msgspec

from mic.cli.context.open_session import speaker
from mic.cli.session.agent_file import settings_here, wants
from mic.cli.session.transcripts_here import transcripts_here
from mic.cli.terminal.failure import from_system
from mic.cli.terminal.output import Output, plural
from mic.core.errors import InvalidInput, MicError, NotFound, TooLarge, Unavailable
from mic.core.paths import display
from mic.core.session import Message
from mic.core.transcript import MAX_BYTES, Transcript, messages, read_transcript
from mic.workspace import session as local
from mic.workspace.session import LocalSession
from mic.workspace.transcripts import keep_raw, name_of, take, taken_by_others
from mic.workspace.workspace import Workspace

_UNSEARCHABLE = "[redacted: not searchable]"


class Attached(NamedTuple):
    """What came of attaching one transcript."""

    transcript: Transcript
    kept: str
    new: int
    changed: int
    earlier: int
    redactions: int


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
