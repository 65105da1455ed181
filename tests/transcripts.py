"""Transcripts as Claude Code and Codex write them, made up: what their forms are is in mic.core.transcript."""

from __future__ import annotations

import json
from typing import Any


def lines(*values: object) -> bytes:
    """JSON Lines."""
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def claude(kind: str, at: str, content: object, **more: Any) -> dict[str, Any]:
    """A line of Claude Code's: `at` is a time of one day."""
    message: dict[str, Any] = {"role": kind, "content": content}
    for name in ("id", "model", "usage"):
        if name in more:
            message[name] = more.pop(name)
    return {
        "type": kind, "uuid": f"u-{at}", "parentUuid": None, "sessionId": "3f2a9c1d-1111-2222-3333-444455556666",
        "timestamp": f"2026-08-10T{at}.000Z", "cwd": "/home/ada/garden", "version": "2.1.230",
        "message": message, **more,
    }  # fmt: skip


def use(name: str, ident: str, **given: object) -> dict[str, Any]:
    """A use of a tool."""
    return {"type": "tool_use", "id": ident, "name": name, "input": given}


def result(ident: str, text: str, *, error: bool = False) -> dict[str, Any]:
    """What a tool answered."""
    return {"type": "tool_result", "tool_use_id": ident, "content": text, "is_error": error}


def said(text: str) -> dict[str, Any]:
    """A block of text."""
    return {"type": "text", "text": text}


GARDEN = (
    {"type": "summary", "summary": "Water at dawn", "leafUuid": "x"},
    claude("user", "12:00:00", "Water the roses at dawn, not at noon."),
    claude("assistant", "12:00:05", [{"type": "thinking", "thinking": "hm", "signature": "s"}], id="m1",
           model="claude-fable-5", usage={"input_tokens": 10, "cache_read_input_tokens": 900, "output_tokens": 2}),
    claude("assistant", "12:00:06", [said("I look at the schedule first.")], id="m1", model="claude-fable-5",
           usage={"input_tokens": 10, "cache_read_input_tokens": 900, "output_tokens": 20}),
    claude("assistant", "12:00:07", [use("Read", "t1", file_path="/home/ada/garden/src/water.py")], id="m1",
           model="claude-fable-5", usage={"input_tokens": 10, "cache_read_input_tokens": 900, "output_tokens": 45}),
    claude("user", "12:00:08", [result("t1", "AT = 12")]),
    claude("assistant", "12:00:09", [use("Edit", "t2", file_path="/home/ada/garden/src/water.py")], id="m2",
           model="claude-fable-5", usage={"input_tokens": 5, "output_tokens": 7}),
    claude("user", "12:00:10", [result("t2", "done")]),
    claude("assistant", "12:00:11", [use("Bash", "t3", command="make test\nmake check", description="Test")], id="m3",
           model="claude-fable-5"),
    claude("user", "12:00:20", [result("t3", "1 failed", error=True)]),
    claude("assistant", "12:00:30", [said("The test of noon fails, as it should.")], id="m4", model="claude-fable-5"),
    {"type": "file-history-snapshot", "messageId": "x", "snapshot": {}},
    claude("user", "12:01:00", "Take it out then."),
    claude("assistant", "12:01:05", [said("Taken out.")], id="m5", model="claude-fable-5"),
)  # fmt: skip


def codex(kind: str, at: str, **payload: Any) -> dict[str, Any]:
    """A line of Codex's."""
    return {"timestamp": f"2026-08-11T{at}.500Z", "type": kind, "payload": payload}


ROLLOUT = (
    codex("session_meta", "08:00:00", id="019a2d7a-41c4-78b1-b7cc-a45d62a89cd5", cwd="/home/ada/garden",
          cli_version="0.146.0", instructions=None),
    codex("turn_context", "08:00:00", cwd="/home/ada/garden", model="gpt-5-codex"),
    codex("response_item", "08:00:00", type="message", role="user",
          content=[{"type": "input_text", "text": "<environment_context>\n<cwd>/home</cwd>\n</environment_context>"}]),
    codex("response_item", "08:00:01", type="message", role="user",
          content=[{"type": "input_text", "text": "Count the roses."},
                   {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]),
    codex("event_msg", "08:00:01", type="user_message", message="Count the roses."),
    codex("response_item", "08:00:02", type="reasoning", summary=[], encrypted_content="zzz"),
    codex("response_item", "08:00:03", type="function_call", name="exec_command", call_id="c1",
          arguments='{"cmd":["bash","-lc","grep -c rose /home/ada/garden/beds.txt"]}'),
    codex("event_msg", "08:00:04", type="exec_command_end", call_id="c1", exit_code=2, aggregated_output="no file"),
    codex("response_item", "08:00:04", type="function_call_output", call_id="c1", output="no file"),
    codex("response_item", "08:00:05", type="custom_tool_call", name="apply_patch", call_id="c2",
          input="*** Begin Patch\n*** Add File: beds.txt\n+rose\n*** End Patch"),
    codex("response_item", "08:00:06", type="custom_tool_call_output", call_id="c2",
          output='{"output":"ok","metadata":{"exit_code":0}}'),
    codex("response_item", "08:00:07", type="message", role="assistant",
          content=[{"type": "output_text", "text": "There is one."}]),
    codex("event_msg", "08:00:08", type="token_count",
          info={"total_token_usage": {"input_tokens": 4000, "cached_input_tokens": 100, "output_tokens": 60}}),
)  # fmt: skip
