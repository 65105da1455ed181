"""Turns as messages of a session: what was said, and in a line below it what was used."""

from __future__ import annotations

from itertools import groupby

from mic.core.session import Message
from mic.core.transcript.turns import Call, Transcript, Turn

# Different uses that are written out below a turn.
_SHOWN = 12
_PROGRAMS = {"claude-code": "Claude Code", "codex": "Codex"}


def messages(found: Transcript, human: str) -> list[Message]:
    """The conversation, in order: first what it is a transcript of, then each turn.

    A person's turns are by `human`, the agent's by its model. Each time is there once for a role and an author, so that
    a turn that is read again, when there is more of it, is known.
    """
    made = [Message("system", source(found), summary(found), found.first_ms)]
    taken: set[tuple[str, str, int]] = set()
    for turn in found.turns:
        author = {"human": human, "agent": turn.model or found.form, "system": source(found)}[turn.role]
        at = turn.at
        while at and (turn.role, author, at) in taken:
            at += 1
        taken.add((turn.role, author, at))
        made.append(Message(turn.role, author, turn_text(turn), at))
    return made


def source(found: Transcript) -> str:
    """What a transcript is called among others: its form and the beginning of its id."""
    name = "".join(char for char in found.id if char.isalnum())[:8]
    return f"{found.form} {name}".rstrip()


def summary(found: Transcript) -> str:
    """One sentence: which program, which models, how much of everything."""
    program = f"{_PROGRAMS[found.form]} {found.version}".rstrip()
    models = f" with {', '.join(found.models[:5])}" if found.models else ""
    parts = [_plural(len(found.turns), "turn"), f"{_plural(found.calls, 'use')} of tools"]
    if found.tokens.read or found.tokens.written:
        parts.append(f"{found.tokens.read:,} tokens read and {found.tokens.written:,} written")
    if found.damaged_count:
        parts.append(f"{_plural(found.damaged_count, 'line')} that cannot be read")
    return f"A transcript of {program}{models}: {', '.join(parts)}."


def turn_text(turn: Turn) -> str:
    """What was said, with what was used below it."""
    text = turn.text
    if turn.left_out:
        text += f" … ({turn.left_out:,} characters more)"
    used = _used(turn)
    return "\n\n".join(part for part in (text, used) if part)


def _used(turn: Turn) -> str:
    if not turn.calls:
        return ""
    runs = [(call, len(list(group))) for call, group in groupby(turn.calls)]
    words = "; ".join(_call(call, times) for call, times in runs[:_SHOWN])
    more = sum(times for _, times in runs[_SHOWN:]) + turn.more_calls
    return f"Used: {words}" + (f"; and {more:,} more" if more else "")


def _call(call: Call, times: int) -> str:
    # Backticks keep the page from reading marks into a command.
    what = f" `{call.what.replace('`', chr(39))}`" if call.what else ""
    often = f" ({times} times)" if times > 1 else ""
    return f"{call.tool}{what}{often}" + (" failed" if call.failed else "")


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
