"""`.micelio/agent.toml`: which agent works in a project, what it may change, and what happens by itself.

[agent]
name = "claude-code"
model = "claude-opus-4"
allowed_paths = ["src/", "tests/"]
denied_paths = [".env", "secrets/"]

[session]
auto_start = true
auto_note = true
auto_land = false
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any, NamedTuple

from mic.core.errors import InvalidInput, Protected
from mic.core.paths import display
from mic.core.patterns import MAX_PATTERN, Patterns, translate

PATH = b".micelio/agent.toml"
MAX_BYTES = 256 << 10
MAX_NAME = 200  # characters
MAX_PATTERNS = 1_000
# Paths that are named in an error.
_NAMED = 5
_HINT = "docs/agents/agent-toml.md says what it may hold."
_TABLES: dict[str, dict[str, type]] = {
    "agent": {"name": str, "model": str, "allowed_paths": list, "denied_paths": list},
    "session": {"auto_start": bool, "auto_note": bool, "auto_land": bool},
}


class AgentSettings(NamedTuple):
    """What the file says. Patterns are gitignore's; without `allowed` every path is allowed that is not denied."""

    name: str = ""
    model: str = ""
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    auto_start: bool = False
    auto_note: bool = False
    auto_land: bool = False

    @property
    def rules(self) -> bool:
        """Whether it says anything of paths."""
        return bool(self.allowed or self.denied)


class Refused(NamedTuple):
    """A path that an agent may not change; `pattern` is what denies it, empty when nothing allows it."""

    path: bytes
    pattern: str


def parse_agent_settings(data: bytes) -> AgentSettings:
    """What a file says; raises InvalidInput."""
    name = display(PATH)
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"{name} has {len(data):,} bytes; the limit is {MAX_BYTES:,}.")
    try:
        document = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise InvalidInput(f"{name} is not TOML: {str(error)[:200]}.", hint=_HINT) from error
    agent, session = (_table(document.pop(table, {}), table) for table in _TABLES)
    if document:
        raise InvalidInput(f"{name} has no part {min(document)[:100]!r}.", hint="It has [agent] and [session].")
    for key in ("name", "model"):
        text = agent.get(key, "")
        if len(text) > MAX_NAME or (text and not text.isprintable()):
            raise InvalidInput(f"agent.{key} in {name} is no name.", hint=f"At most {MAX_NAME} characters, one line.")
    return AgentSettings(
        agent.get("name", "").strip(),
        agent.get("model", "").strip(),
        _patterns(agent.get("allowed_paths", []), "allowed_paths"),
        _patterns(agent.get("denied_paths", []), "denied_paths"),
        **session,
    )


def refused(settings: AgentSettings, paths: Iterable[bytes]) -> list[Refused]:
    """Which of the paths an agent may not change, in their order.

    What is denied counts before what is allowed. Where there are rules, the file that they are in is denied too, for
    else an agent could allow itself anything.
    """
    if not settings.rules:
        return []
    denied = [f"/{display(PATH)}", *settings.denied]
    allows = Patterns([each.encode() for each in settings.allowed]) if settings.allowed else None
    denies = Patterns([each.encode() for each in denied])
    found = []
    for path in paths:
        by = denies.last(path)
        if by is not None:
            found.append(Refused(path, denied[by]))
        elif allows is not None and allows.last(path) is None:
            found.append(Refused(path, ""))
    return found


def require_allowed(settings: AgentSettings, agent: str, paths: Iterable[bytes]) -> None:
    """Raises Protected, naming each path and the rule, when an agent changed what it may not."""
    found = refused(settings, paths)
    if not found:
        return
    lines = [f"{display(each.path)[:200]} ({_why(each)})" for each in found[:_NAMED]]
    who = f"The agent {agent[:MAX_NAME]}" if agent else "An agent"
    more = f", and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
    raise Protected(
        f"{who} may not change {', '.join(lines)}{more}, as {display(PATH)} says; nothing landed.",
        hint="Put these files back, or let a person land them in a session of their own.",
        document={
            "refused": [
                {"path": display(each.path)[:200], "denied_by": each.pattern or None} for each in found[: _NAMED * 4]
            ],
            "count": len(found),
        },
    )


def _why(each: Refused) -> str:
    return f"denied by `{each.pattern[:100]}`" if each.pattern else "nothing allows it"


def _table(given: Any, table: str) -> dict[str, Any]:
    name, known = display(PATH), _TABLES[table]
    if not isinstance(given, dict):
        raise InvalidInput(f"`{table}` in {name} is not a table.", hint=f"Write [{table}] on a line of its own.")
    for key, value in given.items():
        if key not in known:
            raise InvalidInput(f"[{table}] in {name} has no {key[:100]!r}.", hint=f"It has {', '.join(known)}.")
        if not isinstance(value, known[key]):
            kind = {str: "a text", bool: "true or false", list: "a list of patterns"}[known[key]]
            raise InvalidInput(f"{table}.{key} in {name} is not {kind}.", hint=_HINT)
    return given


def _patterns(given: list[Any], key: str) -> tuple[str, ...]:
    name = display(PATH)
    for each in given:
        if not isinstance(each, str) or _matches_nothing(each):
            raise InvalidInput(
                f"agent.{key} in {name} has {str(each)[:100]!r}, which is no pattern of paths.",
                hint=f"Patterns are those of .gitignore, without `!`, at most {MAX_PATTERN} bytes each.",
            )
    if len(given) > MAX_PATTERNS:
        raise InvalidInput(f"agent.{key} in {name} has {len(given):,} patterns; the limit is {MAX_PATTERNS:,}.")
    try:
        Patterns([each.encode() for each in given])
    except ValueError as error:
        raise InvalidInput(f"agent.{key} in {name} cannot be used: {error}", hint="Use wider patterns.") from error
    return tuple(given)


def _matches_nothing(pattern: str) -> bool:
    if pattern.startswith(("!", "#")) or not pattern.strip():
        return True
    try:
        return translate(pattern.encode()) is None
    except UnicodeEncodeError:
        return True
