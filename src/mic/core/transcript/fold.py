"""What a tool was used on, in a few words: the path, the command, the question; never what was written or read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_WHAT = 120
_MAX_TOOL = 60
# What says it, in the tools that agents have. The first that is there counts.
_NAMES = (
    "file_path", "notebook_path", "path", "command", "cmd", "pattern", "query", "url", "description", "skill", "name",
)  # fmt: skip


def tool_name(name: object) -> str:
    """A tool's name on one line; `tool` for what has none."""
    return one_line(name, _MAX_TOOL) if isinstance(name, str) and name.strip() else "tool"


def used_on(arguments: object, cwd: str) -> str:
    """What a tool was used on, by its arguments; paths below `cwd` from there."""
    if isinstance(arguments, str):
        return one_line(arguments, MAX_WHAT)
    if not isinstance(arguments, Mapping):
        return ""
    for name in _NAMES:
        value: Any = arguments.get(name)
        if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
            value = _command(value)
        if isinstance(value, str) and value.strip():
            return one_line(below(value, cwd), MAX_WHAT)
    return ""


def below(text: str, cwd: str) -> str:
    """A path or a command without the folder of the work in it, which is nobody else's business."""
    return text.replace(cwd.rstrip("/") + "/", "") if len(cwd) > 1 else text


def one_line(text: str, limit: int) -> str:
    """Text on one line, cut where it is longer than the limit."""
    text = " ".join(text[: limit * 4].split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _command(words: list[str]) -> str:
    """A command given as words; `bash -lc COMMAND` is the command."""
    if len(words) == 3 and words[0].rpartition("/")[2] in ("bash", "sh", "zsh") and words[1] in ("-c", "-lc"):
        return words[2]
    return " ".join(words)
