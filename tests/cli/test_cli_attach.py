"""An agent's transcript as part of a session: read, cleaned, attached, landed, and what an agent may not change."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import zstandard

from mic.core.scanning.plausible import base62_crc32
from transcript import Shell
from transcripts import GARDEN, ROLLOUT, claude, codex, lines, said

# One that GitHub could have made, with its checksum; nobody has it.
KEY = "ghp_" + (_BODY := "IqIMNOZH6z0wIEB4T9A2g4EHMy8Ji4") + base62_crc32(_BODY.encode()).decode()


@pytest.fixture
def garden(shell: Shell, name: str) -> Shell:
    """NAME/garden, cloned, at @1."""
    shell("project", "create", f"{name}/garden")
    shell("clone", f"{name}/garden")
    shell.cd("garden")
    shell.write("src/water.py", "AT = 12\n")
    assert shell("land", "Begin") == "Landed @1: Begin (1 file)\n"
    return shell


def keep(shell: Shell, path: str, data: bytes) -> Path:
    """A file in somebody's home."""
    target = shell.home / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target


def test_from_transcript_to_landing(garden: Shell, name: str) -> None:
    """Attached twice it is there once; notes stand where they were made; and it lands as part of the session."""
    file = keep(garden, "3f2a.jsonl", lines(*GARDEN[:-2]))
    refused = garden("session", "attach", str(file))
    assert refused == '! mic: No session is open here.\n!      `mic session start "GOAL"` starts one.\n[4]\n'
    garden("session", "start", "Water at dawn")
    garden("session", "note", "Said at the end")
    assert garden("session", "attach", str(file)) == (
        "Attached: 4 messages of claude-code (3 turns, 3 uses of tools).\n"
        "The file itself stays here: .mic/transcripts/SESSION/"
        "claude-code-3f2a9c1d-1111-2222-3333-444455556666.jsonl.zst\n"
    )
    kept = next((garden.cwd / ".mic/transcripts").rglob("*.zst")).read_bytes()
    assert zstandard.decompress(kept) == lines(*GARDEN[:-2])
    keep(garden, "3f2a.jsonl", lines(*GARDEN))
    assert garden("session", "attach", str(file)).splitlines()[0] == (
        "Attached: 2 messages of claude-code, and more of 1 message (5 turns, 3 uses of tools)."
    )
    assert garden("session", "attach", str(file)).splitlines()[0] == (
        "Attached: nothing new of claude-code (5 turns, 3 uses of tools)."
    )
    words = (
        "system (claude-code 3f2a9c1d): A transcript of Claude Code 2.1.230 with claude-fable-5: 5 turns, 3 uses of "
        "tools, 915 tokens read and 52 written.\n"
        f"human (u{name}): Water the roses at dawn, not at noon.\n"
        "agent (claude-fable-5): I look at the schedule first.\n\n"
        "Used: Read `src/water.py`; Edit `src/water.py`; Bash `make test make check` failed\n"
        "agent (claude-fable-5): The test of noon fails, as it should.\n"
        f"human (u{name}): Take it out then.\n"
        "agent (claude-fable-5): Taken out.\n"
        f"human (u{name}): Said at the end\n"
    )
    assert words in garden("session", "status")
    garden.write("src/water.py", "AT = 5\n")
    assert garden("land") == "Landed @2: Water at dawn (1 file)\n"
    assert words in garden("session", "show", "@2")
    session = garden.json("show", "@2")["session"]
    assert session["agent"] == "claude-code:claude-fable-5"
    # Counted once, however often it was attached.
    assert session["usage"] == [{"model": "claude-fable-5", "read": 915, "cached": 900, "written": 52}]
    assert "Tokens of claude-fable-5: 915 read (900 from a cache), 52 written\n" in garden("show", "@2")


def test_secrets_are_taken_out_before_anything_is_kept_to_be_sent(garden: Shell) -> None:
    """In words and in commands; the file itself stays as it was, on this machine."""
    bash = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": f"curl -H 'Authorization: {KEY}' x"}}
    file = keep(
        garden,
        "secret.jsonl",
        lines(
            claude("user", "12:00:00", f"Use {KEY} for it"),
            claude("assistant", "12:00:01", [said("No."), bash], model="m", id="1"),
        ),
    )
    garden("session", "start", "Keys")
    found = garden.json("session", "attach", str(file))
    assert (found["transcript"]["redactions"], found["transcript"]["new"]) == (2, 3)
    assert [turn["text"] for turn in found["session"]["conversation"][1:]] == [
        "Use [redacted: github-token] for it",
        "No.\n\nUsed: Bash `curl -H 'Authorization: [redacted: github-token]' x`",
    ]
    assert KEY.encode() not in (garden.cwd / ".mic/session").read_bytes()


def test_damaged_lines_and_what_is_none(garden: Shell) -> None:
    garden("session", "start", "Odd")
    file = keep(garden, "odd.jsonl", b"{broken\n" + lines(*ROLLOUT))
    assert garden("session", "attach", str(file)).splitlines()[-1] == (
        "! 1 line of it cannot be read, the first is line 1: JSON is malformed: object keys must be strings (byte 1)"
    )
    assert garden("session", "attach", str(keep(garden, "none", b"hello\n"))) == (
        "! mic: This is no transcript of Claude Code or Codex.\n"
        "!      Claude Code keeps them in ~/.claude/projects, Codex in ~/.codex/sessions, both as .jsonl files.\n[2]\n"
    )
    assert "No such file" in garden("session", "attach", "absent.jsonl")
    assert garden("session", "attach") == (
        "! mic: No transcript of Claude Code or Codex was written in this directory.\n"
        "!      Name the file: `mic session attach FILE`.\n[4]\n"
    )


def test_the_newest_of_this_directory(garden: Shell) -> None:
    """Found where Claude Code and Codex keep them; a second session has only what the first has not."""
    folder = str(garden.cwd.resolve())
    munged = "".join(char if char.isalnum() and char.isascii() else "-" for char in folder)
    mine = keep(garden, f".claude/projects/{munged}/3f2a.jsonl", lines(*GARDEN[:-2]))
    other = codex("session_meta", "08:00:00", id="x", cwd="/elsewhere")
    keep(garden, ".codex/sessions/2026/08/11/rollout-1-x.jsonl", lines(other, *ROLLOUT[1:]))
    garden("session", "start", "One")
    assert garden.json("session", "attach")["transcript"]["form"] == "claude-code"
    garden.write("src/water.py", "AT = 5\n")
    garden("land")
    mine.write_bytes(lines(*GARDEN))
    garden("session", "start", "Two")
    found = garden.json("session", "attach")["transcript"]
    assert (found["turns"], found["earlier"], found["new"]) == (2, 3, 3)
    assert "Water the roses" not in garden("session", "status")
    assert garden.json("session", "attach", "--whole")["transcript"]["turns"] == 5
    here = codex("session_meta", "08:00:00", id="y", cwd=folder + "/src")
    newest = keep(garden, ".codex/sessions/2026/08/12/rollout-2-y.jsonl", lines(here, *ROLLOUT[1:]))
    os.utime(newest, (4_000_000_000, 4_000_000_000))
    assert garden.json("session", "attach")["transcript"]["form"] == "codex"


def test_undone_like_everything_else(garden: Shell) -> None:
    garden("session", "start", "One")
    garden("session", "attach", str(keep(garden, "a.jsonl", lines(*GARDEN))))
    assert garden("undo") == "Undone: mic session attach; your base is @1.\n"
    assert "Water the roses" not in garden("session", "status")


def test_what_an_agent_may_not_change(garden: Shell, name: str) -> None:
    """Said before anything is sent, and by the forge to whoever did not ask; a person may."""
    garden.write(".micelio/agent.toml", '[agent]\nallowed_paths = ["src/"]\ndenied_paths = [".env"]\n')
    assert garden("land", "Rules") == "Landed @2: Rules (1 file)\n"
    garden.write("src/.env", "A=1\n")
    garden.write("README", "x\n")
    says = (
        "! mic: The agent robot may not change README (nothing allows it), src/.env (denied by `.env`), "
        "as .micelio/agent.toml says; nothing landed.\n"
        "!      Put these files back, or let a person land them in a session of their own.\n"
    )
    assert garden("land", "Try", "--agent", "robot") == says + "[5]\n"
    assert garden("session", "list") == "No session is open.\n"
    (garden.cwd / ".micelio/agent.toml").unlink()
    garden("session", "start", "Try", "--agent", "robot")
    found = garden.json("land")["error"]
    assert (found["code"], found["refused"][0]) == (
        "protected", {"path": ".micelio/agent.toml", "denied_by": "/.micelio/agent.toml"}
    )  # fmt: skip
    assert found["message"].startswith(
        "The agent robot may not change .micelio/agent.toml (denied by `/.micelio/agent.toml`), "
    )
    garden("session", "abandon")
    assert garden("land", "By hand") == "Landed @3: By hand (3 files)\n"
    garden.write("src/water.py", "AT = 6\n")
    assert garden("land", "Now", "--agent", "robot") == "Landed @4: Now (1 file)\n"


def test_rules_that_cannot_be_read_let_no_agent_land(garden: Shell) -> None:
    garden.write(".micelio/agent.toml", "[agent\n")
    assert garden("land", "Slip") == "Landed @2: Slip (1 file)\n"
    garden.write("src/water.py", "AT = 6\n")
    here = garden("land", "Now", "--agent", "robot")
    assert here.startswith("! mic: .micelio/agent.toml is not TOML: ")
    (garden.cwd / ".micelio/agent.toml").unlink()
    assert ".micelio/agent.toml cannot be read, so no agent's session lands" in garden(
        "land", "Now", "--agent", "robot"
    )


def test_by_itself_only_where_a_person_lets_it(garden: Shell) -> None:
    """A project asks to start, attach and land by itself; whoever works there decides whether it may."""
    garden.write(
        ".micelio/agent.toml",
        '[agent]\nname = "robot"\nmodel = "r1"\n[session]\nauto_start = true\nauto_note = true\nauto_land = true\n',
    )
    garden("land", "Rules")
    file = keep(garden, "a.jsonl", lines(*GARDEN))
    garden.write("src/water.py", "AT = 6\n")
    said_so = garden("session", "attach", str(file))
    assert said_so.startswith(
        "! This project asks for auto_start in .micelio/agent.toml; `mic config set agent.automatic true` lets projects"
    )
    assert "No session is open here." in said_so
    garden("config", "set", "agent.automatic", "true")
    found = garden.json("session", "attach", str(file))
    assert (found["started"], found["session"]["goal"], found["session"]["agent"]) == (
        True, "Water at dawn", "robot:r1"
    )  # fmt: skip
    assert (found["landing"]["position"], found["landing"]["files"]) == (3, 1)
    assert [turn["role"] for turn in garden.json("show", "@3")["session"]["conversation"]][:2] == ["system", "human"]
    # What was written here since the session began comes along by itself.
    munged = "".join(char if char.isalnum() and char.isascii() else "-" for char in str(garden.cwd.resolve()))
    garden("session", "start", "Again", "--agent", "robot:r1")
    path = keep(garden, f".claude/projects/{munged}/b.jsonl", lines(*(each | {"sessionId": "b"} for each in GARDEN)))
    old = keep(garden, f".claude/projects/{munged}/c.jsonl", lines(*(each | {"sessionId": "c"} for each in GARDEN)))
    os.utime(old, (1_700_000_000, 1_700_000_000))
    garden.write("src/water.py", "AT = 7\n")
    assert garden("session", "push").splitlines()[0] == "Attached: 6 messages of claude-code."
    path.write_bytes(
        path.read_bytes() + json.dumps(claude("user", "12:02:00", "Thanks.") | {"sessionId": "b"}).encode()
    )
    assert garden("land") == "Attached: 1 message of claude-code.\nLanded @4: Again (1 file)\n"
    assert garden.json("show", "@4")["session"]["conversation"][-1]["text"] == "Thanks."


def test_quiet_where_it_lands_by_itself(garden: Shell) -> None:
    """Nothing is said of the landing either."""
    garden.write(".micelio/agent.toml", "[session]\nauto_start = true\nauto_land = true\n")
    garden("land", "Rules")
    garden("config", "set", "agent.automatic", "true")
    garden.write("src/water.py", "AT = 6\n")
    file = keep(garden, "a.jsonl", lines(*GARDEN))
    assert garden("session", "attach", str(file), "--quiet") == ""
    assert garden.json("log", "-n", "1")["landings"][0]["goal"] == "Water at dawn"
