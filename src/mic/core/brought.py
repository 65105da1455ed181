"""What a session said at another forge, as it comes along with the Git commit of its landing.

One JSON object, the note of that commit in `refs/notes/sessions` (docs/formats.md). It is what whoever pushes says, as
the author's name in a commit is; so what lands with it keeps where it came from.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from mic.core.errors import InvalidInput, TooLarge
from mic.core.session import Decision, Message, Session

# The ref that the notes are pushed to.
NOTES = b"refs/notes/sessions"
VERSION = 1
# Bytes of one note, and how much may be in it; a session that was made here may say more.
MAX_BYTES = 4 << 20
MAX_MESSAGES, MAX_DECISIONS, MAX_ALTERNATIVES = 20_000, 1_000, 100
MAX_GOAL = 64 << 10
_LONGEST = 300
_LATEST_MS = 253_402_300_799_000
_FORGE = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]{1,250}")
_PROJECT = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")
_SESSION = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_ROLES = ("human", "agent", "system")


class Brought(msgspec.Struct, frozen=True, omit_defaults=True):
    """A session of another forge. `project` is ORG/PROJECT there, `session` its id as text, `position` its landing."""

    forge: str
    project: str
    session: str
    position: int
    goal: str
    agent: str = ""
    conversation: tuple[Message, ...] = ()
    decisions: tuple[Decision, ...] = ()
    version: int = VERSION

    @property
    def origin(self) -> dict[str, Any]:
        """Where it came from, as a landing keeps it."""
        return {"forge": self.forge, "project": self.project, "session": self.session, "position": self.position}


def brought_from(session: Session) -> dict[str, Any]:
    """Where a landing was before: `forge`, `project`, `session`, `position`; empty for one that was made here."""
    found = session.metadata.get("brought")
    return found if isinstance(found, dict) else {}


_decoder = msgspec.json.Decoder(Brought)


def encode_brought(brought: Brought) -> bytes:
    """The note. What was said first is left out where it would be too long, and that it was is said."""
    raw = msgspec.json.encode(brought)
    turns = brought.conversation
    sizes = [len(msgspec.json.encode(turn)) + 1 for turn in turns]
    room = MAX_BYTES - _LONGEST - (len(raw) - sum(sizes))
    first = max(0, len(turns) - MAX_MESSAGES + 1)
    total = sum(sizes[first:])
    if len(raw) <= MAX_BYTES and len(turns) <= MAX_MESSAGES:
        return raw
    while first < len(turns) and total > room:
        total -= sizes[first]
        first += 1
    left = Message("system", "", f"{first:,} earlier turns stayed at {brought.forge}.", 0)
    # Message `first` + 1 comes behind the one that says so.
    decisions = tuple(
        msgspec.structs.replace(each, message=each.message - first + 1 if each.message > first else 0)
        for each in brought.decisions
    )
    cut = msgspec.structs.replace(brought, conversation=(left, *turns[first:]), decisions=decisions)
    return msgspec.json.encode(cut)


def decode_brought(raw: bytes) -> Brought:
    """A note, checked as what comes from anybody. Raises InvalidInput, TooLarge."""
    if len(raw) > MAX_BYTES:
        raise TooLarge(f"What a session said has {len(raw):,} bytes; the limit is {MAX_BYTES:,}.")
    try:
        found = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"What a session said cannot be read: {error}") from error
    good = (
        found.version == VERSION
        and _FORGE.fullmatch(found.forge)
        and _PROJECT.fullmatch(found.project)
        and _SESSION.fullmatch(found.session)
        and 0 < found.position < 1 << 63
        and found.goal.strip()
        and len(found.goal) <= MAX_GOAL
        and len(found.agent) <= _LONGEST
        and len(found.conversation) <= MAX_MESSAGES
        and len(found.decisions) <= MAX_DECISIONS
        and all(len(each.alternatives) <= MAX_ALTERNATIVES for each in found.decisions)
        and all(turn.role in _ROLES and 0 <= turn.at <= _LATEST_MS for turn in found.conversation)
        and all(0 <= each.at <= _LATEST_MS for each in found.decisions)
        and all(0 <= each.message <= len(found.conversation) for each in found.decisions)
    )
    if not good:
        raise InvalidInput("What a session said has not the form that it should have.")
    return found


def brought_words(brought: Brought) -> list[str]:
    """Everything in it that a person or an agent wrote, in the order of `with_words`."""
    words = [brought.goal, brought.agent]
    for turn in brought.conversation:
        words += [turn.author, turn.text]
    for each in brought.decisions:
        words += [each.what, each.why, each.by, each.evidence]
        for road in each.alternatives:
            words += [road.what, road.why_not]
    return words


def with_words(brought: Brought, words: list[str]) -> Brought:
    """The same with other words, as many as `brought_words` gives."""
    left = iter(words)
    replace = msgspec.structs.replace
    goal, agent = next(left), next(left)
    turns = tuple(replace(turn, author=next(left), text=next(left)) for turn in brought.conversation)
    decisions = []
    for each in brought.decisions:
        said = replace(each, what=next(left), why=next(left), by=next(left), evidence=next(left))
        roads = tuple(replace(road, what=next(left), why_not=next(left)) for road in each.alternatives)
        decisions.append(replace(said, alternatives=roads))
    return replace(brought, goal=goal, agent=agent, conversation=turns, decisions=tuple(decisions))
