"""Claude Code's transcripts: a line for each message in the form of Anthropic's Messages API, and lines of its own.

The form is not documented and changes (https://code.claude.com/docs/en/sessions says so); it was described from what
versions 0.144 to 2.1.230 wrote. What is not known is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mic.core.transcript.fold import tool_name, used_on
from mic.core.transcript.turns import Call, Spent, Tokens, Transcript, Turn, fail

_KINDS = frozenset({"user", "assistant", "summary", "custom-title", "ai-title", "file-history-snapshot"})
# Lines of the program about a command of its own, in the place of what somebody said.
_OWN = re.compile(r"\s*<(command-[a-z]+|local-command-[a-z]+|bash-[a-z]+)>")
_COMMAND = re.compile(r"<command-name>\s*(/?[\w:.-]{1,100})\s*</command-name>")
_ARGUMENTS = re.compile(r"<command-args>(.{1,10000}?)</command-args>", re.DOTALL)
_PICTURE = "[picture]"
_MAX_TYPED = 20_000  # characters of a command with what stands behind it


class ClaudeCode:
    """One transcript while it is read."""

    def __init__(self) -> None:
        self.transcript = Transcript("claude-code")
        self._uses: dict[str, tuple[Turn, int] | None] = {}
        self._spent: dict[str, Spent] = {}
        self._message = ""  # the id of the model's message that the last turn is of

    @staticmethod
    def knows(value: dict[str, Any]) -> bool:
        """Whether a line is one of these."""
        kind = value.get("type")
        if not isinstance(kind, str) or kind not in _KINDS:
            return False
        return any(isinstance(value.get(name), str) for name in ("sessionId", "leafUuid", "messageId"))

    def line(self, value: dict[str, Any], at: int) -> None:
        """The next line."""
        found, kind = self.transcript, value.get("type")
        for mine, theirs in (("id", "sessionId"), ("cwd", "cwd"), ("version", "version")):
            text = value.get(theirs)
            if not getattr(found, mine) and isinstance(text, str) and len(text) <= 1000:
                setattr(found, mine, text)
        title = value.get("customTitle") or value.get("aiTitle") or value.get("summary")
        if kind in ("summary", "custom-title", "ai-title") and isinstance(title, str):
            found.title = title[:1000]
        message = value.get("message")
        if kind not in ("user", "assistant") or not isinstance(message, dict):
            found.count_other(kind)
            return
        found.saw(at)
        if value.get("isSidechain") is True:
            # Of an agent that this one started: its own transcript, and not said to anybody here.
            found.count_other("of agents below it")
        elif kind == "user":
            self._person(value, message, at)
        else:
            self._agent(value, message, at)

    def end(self) -> None:
        """After the last line."""
        found = self.transcript
        found.spent = list(self._spent.values())
        found.tokens = Tokens(sum(each.read for each in found.spent), sum(each.written for each in found.spent))

    def _person(self, value: dict[str, Any], message: dict[str, Any], at: int) -> None:
        texts = []
        for block in _blocks(message):
            kind = block.get("type")
            if kind == "tool_result":
                if block.get("is_error") is True:
                    fail(self._uses.get(str(block.get("tool_use_id"))))
            elif kind == "text" and isinstance(block.get("text"), str):
                texts.append(block["text"])
            elif kind in ("image", "document"):
                texts.append(_PICTURE)
        text = "\n\n".join(part for part in texts if part.strip()).strip()
        if _OWN.match(text):
            text = _typed(text)
        if not text or value.get("isMeta") is True or value.get("isCompactSummary") is True:
            if not any(block.get("type") == "tool_result" for block in _blocks(message)):
                self.transcript.count_other("of the program itself")
            return
        self._message = ""
        self.transcript.say(Turn("human", text, at))

    def _agent(self, value: dict[str, Any], message: dict[str, Any], at: int) -> None:
        found = self.transcript
        model = found.worked_with(message.get("model"))
        name = message.get("id")
        name = name if isinstance(name, str) and name else str(value.get("uuid") or found.lines)
        usage = message.get("usage")
        if isinstance(usage, dict):
            # Each block of a message is a line of its own, with what was spent until then.
            cached = _count(usage.get("cache_read_input_tokens"))
            read = cached + sum(_count(usage.get(part)) for part in ("input_tokens", "cache_creation_input_tokens"))
            before = self._spent.get(name, Spent(at, model, 0, 0, 0))
            self._spent[name] = Spent(
                at,
                before.model or model,
                max(before.read, read),
                max(before.written, _count(usage.get("output_tokens"))),
                max(before.cached, cached),
            )
        for block in _blocks(message):
            kind, text = block.get("type"), block.get("text")
            if kind == "text" and isinstance(text, str) and text.strip():
                self._says(text.strip(), at, model, name, own=value.get("isApiErrorMessage") is True)
            elif kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
                call = Call(tool_name(block.get("name")), used_on(block.get("input"), found.cwd))
                self._uses[str(block.get("id"))] = found.uses(call, at, model)
                self._message = name

    def _says(self, text: str, at: int, model: str, name: str, *, own: bool) -> None:
        if own:
            self.transcript.say(Turn("system", text, at))
            self._message = ""
            return
        turns = self.transcript.turns
        if name == self._message and turns and turns[-1].role == "agent" and not turns[-1].calls:
            turns[-1].add(text)
        else:
            self.transcript.say(Turn("agent", text, at, model))
        self._message = name


def _blocks(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    content = message.get("content")
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    elif isinstance(content, list):
        yield from (block for block in content if isinstance(block, dict))


def _typed(text: str) -> str:
    """The command that somebody typed, with what stood behind it; empty for what the program said of it."""
    text = text[:_MAX_TYPED]
    name = _COMMAND.search(text)
    if name is None:
        return ""
    behind = _ARGUMENTS.search(text)
    return f"{name[1]} {behind[1].strip()}".strip() if behind else name[1]


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else 0
