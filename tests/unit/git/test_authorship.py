"""Authorship logs: the examples of the Git AI Standard 3.0.0 as they stand there, our own bytes, and what is no log."""

from __future__ import annotations

import json

import pytest

from mic.core.errors import InvalidInput, TooLarge
from mic.git.authorship import (
    MAX_NOTE,
    Agent,
    Attested,
    Authorship,
    decode_authorship,
    encode_authorship,
    human_key,
    sayable,
    session_key,
    trace_key,
)

# Section 1.2.5 of the standard, "Complete Example (Sessions Format)".
SESSIONS = b"""\
src/main.rs
  s_c9883b05a2487d::t_9f8e7d6c5b4a32 1-10,15-20
  s_c9883b05a2487d::t_a1b2c3d4e5f678 25,30-35
  h_31dce776f88375 42-50
src/lib.rs
  s_e7f2a90b31cc48::t_deadbeef012345 1-50
---
{
  "schema_version": "authorship/3.0.0",
  "git_ai_version": "1.4.5",
  "base_commit_sha": "7734793b756b3921c88db5375a8c156e9532447b",
  "prompts": {},
  "humans": {
    "h_31dce776f88375": {
      "author": "Developer <dev@example.com>"
    }
  },
  "sessions": {
    "s_c9883b05a2487d": {
      "agent_id": {
        "tool": "cursor",
        "id": "6ef2299e-a67f-432b-aa80-3d2fb4d28999",
        "model": "claude-sonnet-4-5-20250514"
      },
      "human_author": "dev@example.com"
    },
    "s_e7f2a90b31cc48": {
      "agent_id": {
        "tool": "claude",
        "id": "conv_abc123def456",
        "model": "claude-sonnet-4-5-20250514"
      },
      "human_author": "dev@example.com",
      "custom_attributes": {
        "team": "backend"
      }
    }
  }
}
"""
# A test of git-ai's own serializer (snapshot `file_names_with_spaces`), in the form before sessions.
LEGACY = (
    b'"src/my file.rs"\n  c9883b05a2487d6d 1-10\n"docs/README (copy).md"\n  c9883b05a2487d6d 5\n'
    b"test/file-with-dashes.js\n  c9883b05a2487d6d 20-25\n---\n"
    b'{\n  "schema_version": "authorship/3.0.0",\n  "git_ai_version": "development",\n  "base_commit_sha": "",\n'
    b'  "prompts": {\n    "c9883b05a2487d6d": {\n      "agent_id": {\n        "tool": "cursor",\n'
    b'        "id": "session_123",\n        "model": "claude-3-sonnet"\n      },\n      "human_author": null,\n'
    b'      "total_additions": 0,\n      "total_deletions": 0,\n      "accepted_lines": 0,\n'
    b'      "overriden_lines": 0\n'
    b"    }\n  }\n}"
)


def test_the_example_of_the_standard() -> None:
    """Files, keys, ranges and who stands behind them."""
    log = decode_authorship(SESSIONS)
    assert log.base == "7734793b756b3921c88db5375a8c156e9532447b"
    assert log.files == {
        "src/main.rs": [
            Attested("s_c9883b05a2487d::t_9f8e7d6c5b4a32", ((1, 10), (15, 20))),
            Attested("s_c9883b05a2487d::t_a1b2c3d4e5f678", ((25, 25), (30, 35))),
            Attested("h_31dce776f88375", ((42, 50),)),
        ],
        "src/lib.rs": [Attested("s_e7f2a90b31cc48::t_deadbeef012345", ((1, 50),))],
    }
    assert log.humans == {"h_31dce776f88375": "Developer <dev@example.com>"}
    claude = Agent("claude", "conv_abc123def456", "claude-sonnet-4-5-20250514", "dev@example.com")
    assert log.agent_of("s_e7f2a90b31cc48::t_deadbeef012345") == claude
    assert log.agent_of("h_31dce776f88375") is None
    assert log.attributes == {"s_e7f2a90b31cc48": {"team": "backend"}}


def test_the_older_form() -> None:
    """Keys without a prefix stand in `prompts`; quotes are taken from around a path with blanks."""
    log = decode_authorship(LEGACY)
    assert list(log.files) == ["src/my file.rs", "docs/README (copy).md", "test/file-with-dashes.js"]
    assert log.agent_of("c9883b05a2487d6d") == Agent("cursor", "session_123", "claude-3-sonnet")


def test_keys() -> None:
    """The standard names its person Alice Smith and her key; the conversation is that of the snapshot above."""
    assert session_key("cursor", "session_123") == "s_c9883b05a2487d"
    assert human_key("Alice Smith <alice@example.com>") == "h_31dce776f88375"
    assert trace_key("x") == "t_2d711642b726b0"  # printf x | sha256sum


def test_what_is_written() -> None:
    """Byte for byte: the order of git-ai's own serializer, and its quotes."""
    agent = Agent("claude-code", "01J0", "opus", "Ada <ada@example.com>")
    key = "s_00000000000000::t_00000000000000"
    log = Authorship(
        "ab" * 20,
        {"src/a b.py": [Attested(key, ((1, 1), (3, 9)))], "ä.py": [Attested("h_1", ((2, 2),))]},
        {"s_00000000000000": agent},
        {"h_1": "Ada <ada@example.com>"},
        {"s_00000000000000": {"micelio_session": "01J0"}},
    )
    expected = """\
"src/a b.py"
  s_00000000000000::t_00000000000000 1,3-9
ä.py
  h_1 2
---
{
  "schema_version": "authorship/3.0.0",
  "base_commit_sha": "abababababababababababababababababababab",
  "prompts": {},
  "humans": {
    "h_1": {
      "author": "Ada <ada@example.com>"
    }
  },
  "sessions": {
    "s_00000000000000": {
      "agent_id": {
        "tool": "claude-code",
        "id": "01J0",
        "model": "opus"
      },
      "human_author": "Ada <ada@example.com>",
      "custom_attributes": {
        "micelio_session": "01J0"
      }
    }
  }
}
"""
    assert encode_authorship(log) == expected.encode()
    assert decode_authorship(encode_authorship(log)) == log


@pytest.mark.parametrize("path", [b"a\nb", b"a\rb", b'say "x"', b"\xff", b"---", b"nul\0"])
def test_paths_that_no_log_can_name(path: bytes) -> None:
    """They are left out: another program would take them for something else."""
    assert sayable(path) is None


META = b'{"schema_version":"authorship/3.0.0","base_commit_sha":"","prompts":{}}'


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "no line `---`"),
        (b"a\n  k 1\n", "no line `---`"),
        (b"\xff\n---\n" + META, "not UTF-8"),
        (b"---\n{", "cannot be read"),
        (b"---\n[]", "cannot be read"),
        (b"---\n" + b"[" * 100_000, "cannot be read"),
        (b'---\n{"schema_version":"authorship/2.0.0","base_commit_sha":"","prompts":{}}', "version"),
        (b"  abcdef0 1\n---\n" + META, "names no lines"),
        (b"a\n  abcdef0\n---\n" + META, "names no lines"),
        (b"a\n  abcdef0 1 2\n---\n" + META, "names no lines"),
        (b"a\n  abcdef0 0\n---\n" + META, "are none"),
        (b"a\n  abcdef0 9-3\n---\n" + META, "are none"),
        (b"a\n  abcdef0 1-\n---\n" + META, "names lines"),
        (b"a\n  abcdef0 99999999999\n---\n" + META, "names lines"),
    ],
)
def test_what_is_no_log(raw: bytes, words: str) -> None:
    """It is refused with what is wrong."""
    with pytest.raises(InvalidInput, match=words):
        decode_authorship(raw)


def test_bounds() -> None:
    """A long note and one of very many ranges are not read."""
    with pytest.raises(TooLarge):
        decode_authorship(b"x" * (MAX_NOTE + 1))
    many = b"a\n  abcdef0 " + b"1," * 200_001 + b"\n---\n" + json.dumps({}).encode()
    with pytest.raises(TooLarge):
        decode_authorship(many)
