"""Codex's rollouts: what the model saw (`response_item`) and what its terminal showed (`event_msg`), interleaved.

Source: `RolloutLine` of github.com/openai/codex, `codex-rs/protocol` and `codex-rs/rollout`, August 2026; before
autumn 2025 the items stood on their lines without the envelope. What is said is read from the items, which are in
every version; how commands ended also from the events.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from mic.core.transcript.fold import tool_name, used_on
from mic.core.transcript.turns import Call, Spent, Tokens, Transcript, Turn, fail

_ENVELOPES = frozenset({"session_meta", "response_item", "event_msg", "turn_context", "compacted"})
_ITEMS = frozenset(
    {
        "message", "reasoning", "function_call", "function_call_output", "local_shell_call", "custom_tool_call",
        "custom_tool_call_output", "web_search_call",
    }
)  # fmt: skip
# What the program says to the model in the person's place.
_OWN = re.compile(
    r"\s*(<(environment_context|user_instructions|permissions|skill|turn_aborted|INSTRUCTIONS)\b|# AGENTS\.md )"
)
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.{1,1000})$", re.MULTILINE)
_EXIT = re.compile(r"(?:Process exited with code|Exit code:|exited with code) (\d{1,5})")
_MAX_ARGUMENTS = 1 << 20


class Codex:
    """One rollout while it is read."""

    def __init__(self) -> None:
        self.transcript = Transcript("codex")
        self._model = ""
        self._cached = 0
        self._uses: dict[str, tuple[Turn, int] | None] = {}

    @staticmethod
    def knows(value: dict[str, Any]) -> bool:
        """Whether a line is one of these."""
        kind = value.get("type")
        if not isinstance(kind, str | None):
            return False
        if kind in _ENVELOPES:
            return isinstance(value.get("payload"), dict)
        if kind is None and isinstance(value.get("id"), str) and "instructions" in value and "timestamp" in value:
            return True
        return kind in _ITEMS and "role" in value and isinstance(value.get("content"), list)

    def line(self, value: dict[str, Any], at: int) -> None:
        """The next line."""
        found, kind, payload = self.transcript, value.get("type"), value.get("payload")
        found.saw(at)
        if not isinstance(payload, dict):
            if kind in _ITEMS:
                self._item(value, at)
            elif kind is None and isinstance(value.get("id"), str):
                self._meta(value)
            else:
                found.count_other(kind)
        elif kind == "session_meta":
            self._meta(payload)
        elif kind == "turn_context":
            self._model = found.worked_with(payload.get("model")) or self._model
            if not found.cwd and isinstance(payload.get("cwd"), str):
                found.cwd = payload["cwd"][:1000]
        elif kind == "response_item":
            self._item(payload, at)
        elif kind == "event_msg":
            self._event(payload, at)
        else:
            found.count_other(kind)

    def end(self) -> None:
        """After the last line."""

    def _meta(self, payload: dict[str, Any]) -> None:
        for mine, theirs in (("id", "id"), ("cwd", "cwd"), ("version", "cli_version")):
            text = payload.get(theirs)
            if not getattr(self.transcript, mine) and isinstance(text, str) and len(text) <= 1000:
                setattr(self.transcript, mine, text)

    def _item(self, item: dict[str, Any], at: int) -> None:
        found, kind = self.transcript, item.get("type")
        if kind == "message":
            self._message(item, at)
        elif kind in ("function_call", "custom_tool_call", "local_shell_call", "web_search_call"):
            name = tool_name(item.get("name")) if "name" in item else str(kind).removesuffix("_call")
            self._uses[str(item.get("call_id"))] = found.uses(Call(name, self._on(item)), at, self._model)
        elif kind in ("function_call_output", "custom_tool_call_output"):
            if _failed(item.get("output")):
                fail(self._uses.get(str(item.get("call_id"))))
        else:
            found.count_other(kind)

    def _message(self, item: dict[str, Any], at: int) -> None:
        found, role = self.transcript, item.get("role")
        content = item.get("content")
        texts = []
        for block in content if isinstance(content, list) else []:
            if not isinstance(block, dict):
                continue
            if isinstance(block.get("text"), str):
                texts.append(block["text"])
            elif block.get("type") == "input_image":
                texts.append("[picture]")
        if isinstance(content, str):
            texts.append(content)
        text = "\n\n".join(part for part in texts if part.strip() and not (role == "user" and _OWN.match(part))).strip()
        if role == "user" and text:
            found.say(Turn("human", text, at))
        elif role == "assistant" and text:
            found.say(Turn("agent", text, at, self._model))
        else:
            found.count_other("of the program itself")

    def _event(self, payload: dict[str, Any], at: int) -> None:
        kind = payload.get("type")
        if kind == "token_count":
            info = payload.get("info")
            total = info.get("total_token_usage") if isinstance(info, dict) else None
            if isinstance(total, dict):
                self._counted(total, at)
        elif kind == "exec_command_end" and _count(payload.get("exit_code")):
            fail(self._uses.get(str(payload.get("call_id"))))
        self.transcript.count_other(f"event {kind}" if isinstance(kind, str) else kind)

    def _counted(self, total: dict[str, Any], at: int) -> None:
        """The program says what was spent so far, often twice: what is more than it said before was spent since."""
        found, before = self.transcript, self.transcript.tokens
        read = max(before.read, _count(total.get("input_tokens")))
        written = max(before.written, _count(total.get("output_tokens")))
        cached = max(self._cached, min(read, _count(total.get("cached_input_tokens"))))
        found.spent.append(Spent(at, self._model, read - before.read, written - before.written, cached - self._cached))
        found.tokens, self._cached = Tokens(read, written), cached

    def _on(self, item: dict[str, Any]) -> str:
        cwd = self.transcript.cwd
        if item.get("type") in ("local_shell_call", "web_search_call"):
            return used_on(item.get("action"), cwd)
        given = item.get("arguments") if "arguments" in item else item.get("input")
        if isinstance(given, str):
            if "*** Begin Patch" in given[:10_000]:
                return used_on({"path": ", ".join(_PATCHED.findall(given[:_MAX_ARGUMENTS])[:5])}, cwd)
            if given.lstrip().startswith("{") and len(given) <= _MAX_ARGUMENTS:
                try:
                    given = msgspec.json.decode(given.encode("utf-8", "replace"))
                except (msgspec.DecodeError, RecursionError):
                    return ""
        return used_on(given, cwd)


def _failed(output: object) -> bool:
    """Whether the output of a tool says that it failed."""
    if isinstance(output, dict):
        return output.get("success") is False
    if not isinstance(output, str):
        return False
    if output.startswith("{") and len(output) <= _MAX_ARGUMENTS:
        try:
            told = msgspec.json.decode(output.encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            return False
        metadata = told.get("metadata") if isinstance(told, dict) else None
        return isinstance(metadata, dict) and _count(metadata.get("exit_code")) > 0
    found = _EXIT.search(output[:500])
    return found is not None and int(found[1]) > 0


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else 0
