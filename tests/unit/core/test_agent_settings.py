"""`.micelio/agent.toml`: what it may say, and what it denies."""

from __future__ import annotations

import pytest

from mic.core.agent_settings import AgentSettings, Refused, parse_agent_settings, refused, require_allowed
from mic.core.errors import InvalidInput, Protected

WHOLE = b"""
[agent]
name = "claude-code"
model = "claude-fable-5"
allowed_paths = ["src/", "/docs/**/*.md"]
denied_paths = [".env", "/src/secrets/"]

[session]
auto_start = true
auto_note = true
auto_land = false
"""


def test_all_of_it() -> None:
    assert parse_agent_settings(WHOLE) == AgentSettings(
        "claude-code", "claude-fable-5", ("src/", "/docs/**/*.md"), (".env", "/src/secrets/"), True, True, False
    )
    assert parse_agent_settings(b"") == AgentSettings()


def test_what_is_denied_counts_before_what_is_allowed() -> None:
    paths = [
        b"src/a.py", b"src/deep/.env", b"src/secrets/key", b"docs/a/b.md", b"docs/a.txt", b"README",
        b".micelio/agent.toml", b"src\xff",
    ]  # fmt: skip
    assert refused(parse_agent_settings(WHOLE), paths) == [
        Refused(b"src/deep/.env", ".env"),
        Refused(b"src/secrets/key", "/src/secrets/"),
        Refused(b"docs/a.txt", ""),
        Refused(b"README", ""),
        Refused(b".micelio/agent.toml", "/.micelio/agent.toml"),
        Refused(b"src\xff", ""),
    ]
    assert refused(AgentSettings(name="x"), [b".micelio/agent.toml", b"a"]) == []
    assert refused(AgentSettings(denied=("b",)), [b"a", b"b"]) == [Refused(b"b", "b")]


def test_the_error_names_paths_and_rules() -> None:
    with pytest.raises(Protected) as caught:
        require_allowed(parse_agent_settings(WHOLE), "claude", [b"src/ok", b".env", b"other"])
    assert caught.value.message == (
        "The agent claude may not change .env (denied by `.env`), other (nothing allows it), "
        "as .micelio/agent.toml says; nothing landed."
    )
    assert caught.value.details["document"]["refused"] == [
        {"path": ".env", "denied_by": ".env"}, {"path": "other", "denied_by": None},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[agent", "is not TOML"),
        (b"\xff", "is not TOML"),
        (b"[person]\n", "has no part 'person'"),
        (b"agent = 1\n", "is not a table"),
        (b"[agent]\ncolour = 1\n", "has no 'colour'"),
        (b"[agent]\nname = 1\n", "agent.name in .micelio/agent.toml is not a text"),
        (b'[agent]\nname = "a\\nb"\n', "is no name"),
        (b"[agent]\nallowed_paths = 'src'\n", "is not a list of patterns"),
        (b"[agent]\nallowed_paths = ['']\n", "is no pattern of paths"),
        (b"[agent]\ndenied_paths = ['!a']\n", "is no pattern of paths"),
        (b"[agent]\ndenied_paths = [3]\n", "is no pattern of paths"),
        (b"[agent]\ndenied_paths = ['[a']\n", "is no pattern of paths"),
        (b"[session]\nauto_land = 'yes'\n", "is not true or false"),
        (b"[session]\nauto_land = 1\n", "is not true or false"),
    ],
)
def test_what_it_cannot_say(text: bytes, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_agent_settings(text)
    assert says in caught.value.message
