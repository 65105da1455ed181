"""The turns of a transcript, and what they are gathered in."""

from __future__ import annotations

from typing import Literal, NamedTuple

from msgspec import structs

from mic.core.session import Usage, by_model

Role = Literal["human", "agent", "system"]

# Characters of one turn. Longer ones are pasted files; what is left out is said.
MAX_TEXT = 100_000
# Turns of one transcript: half of what a session may hold.
MAX_TURNS = 10_000
# Uses of tools that are kept of one turn; the others are counted.
MAX_CALLS = 200
# Kinds of lines that are told apart when they are counted, and characters of such a name.
MAX_KINDS = 50
_MAX_KIND = 40
# Lines that are named one by one.
MAX_DAMAGED = 100


class Call(NamedTuple):
    """One use of a tool: its name, what it was used on (a path, a command), and whether it said that it failed."""

    tool: str
    what: str
    failed: bool = False


class Tokens(NamedTuple):
    """What the model read, new and from its cache, and wrote."""

    read: int = 0
    written: int = 0


class Spent(NamedTuple):
    """What one answer cost in tokens, at `at` (Unix ms, 0 unknown); `cached` of those read came from a cache."""

    at: int
    model: str
    read: int
    written: int
    cached: int


class Damage(NamedTuple):
    """A line, from 1, that is no JSON, and why; it stays in the file as it is."""

    line: int
    why: str


class Turn:
    """What somebody said at one time, and the tools that were used after it. `at` is Unix milliseconds, 0 unknown.

    `left_out` counts the characters beyond the limit.
    """

    __slots__ = ("_parts", "_size", "at", "calls", "left_out", "model", "more_calls", "role")

    def __init__(self, role: Role, text: str, at: int, model: str = "") -> None:
        self.role = role
        self.at = at
        self.model = model
        self.calls: list[Call] = []
        self.more_calls = 0
        self.left_out = 0
        self._parts: list[str] = []
        self._size = 0
        self.add(text)

    @property
    def text(self) -> str:
        """What was said."""
        return "\n\n".join(self._parts)

    def add(self, text: str) -> None:
        """More that was said, as a paragraph of its own."""
        kept = text[: max(0, MAX_TEXT - self._size)]
        self.left_out += len(text) - len(kept)
        if kept:
            self._parts.append(kept)
            # What joins it to the next counts as well: many short ones are no way around the limit.
            self._size += len(kept) + 2


class Transcript:
    """A transcript, whole: `form` is claude-code or codex, `id` what the program calls it, `cwd` where it worked."""

    def __init__(self, form: str) -> None:
        self.form = form
        self.id = ""
        self.version = ""
        self.title = ""
        self.cwd = ""
        self.models: list[str] = []
        self.turns: list[Turn] = []
        self.tokens = Tokens()
        self.spent: list[Spent] = []
        self.first_ms = 0
        self.last_ms = 0
        self.lines = 0
        self.other: dict[str, int] = {}
        self.damaged: list[Damage] = []
        self.damaged_count = 0

    @property
    def calls(self) -> int:
        """How often a tool was used."""
        return sum(len(turn.calls) + turn.more_calls for turn in self.turns)

    def usage(self, source: str, since: int = 0) -> list[Usage]:
        """What its models read and wrote after `since` (Unix ms, 0: all of it), as far as it says so."""
        told = [each for each in self.spent if (not since or each.at > since) and (each.read or each.written)]
        sums = by_model(Usage(each.model, each.read, each.written, each.cached) for each in told)
        return [structs.replace(each, source=source) for each in sums]

    def saw(self, at: int) -> None:
        """A line bears this time."""
        if at:
            self.first_ms = min(self.first_ms or at, at)
            self.last_ms = max(self.last_ms, at)

    def count_other(self, kind: object) -> None:
        """A line that is no turn: known and not said by anybody, or not known."""
        name = kind[:_MAX_KIND] if isinstance(kind, str) and kind.isprintable() else "without a kind"
        if name not in self.other and len(self.other) >= MAX_KINDS:
            name = "others"
        self.other[name] = self.other.get(name, 0) + 1

    def say(self, turn: Turn) -> Turn:
        """Add a turn."""
        self.turns.append(turn)
        return turn

    def uses(self, call: Call, at: int, model: str) -> tuple[Turn, int] | None:
        """A tool was used: by the turn before, when it is the agent's. Where it is kept, to be marked as failed."""
        if not self.turns or self.turns[-1].role != "agent":
            self.say(Turn("agent", "", at, model))
        turn = self.turns[-1]
        if len(turn.calls) >= MAX_CALLS:
            turn.more_calls += 1
            return None
        turn.calls.append(call)
        return turn, len(turn.calls) - 1

    def worked_with(self, model: object) -> str:
        """A model that took part; its name, or the empty one for what is none."""
        if not isinstance(model, str) or not model or model.startswith("<") or not model.isprintable():
            return ""
        model = model[:100]
        if model not in self.models and len(self.models) < MAX_KINDS:
            self.models.append(model)
        return model


def fail(kept: tuple[Turn, int] | None) -> None:
    """Mark a use of a tool as failed."""
    if kept is not None:
        turn, at = kept
        turn.calls[at] = turn.calls[at]._replace(failed=True)
