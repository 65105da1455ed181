"""Agent Trace records: the examples of the specification, what is written of a log, and lines that are no record."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from mic.git.agent_trace import Trace, TracedFile, TracedRange, encode_trace, read_traces
from mic.git.authorship import Agent, Attested, Authorship

# Section 6.2 of the specification, as one line.
EXAMPLE: dict[str, Any] = {
    "version": "0.1.0",
    "id": "550e8400-e29b-41d4-a716-446655440000",
    "timestamp": "2026-01-23T14:30:00Z",
    "vcs": {"type": "git", "revision": "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0"},
    "tool": {"name": "cursor", "version": "2.4.0"},
    "files": [
        {
            "path": "src/utils/parser.ts",
            "conversations": [
                {
                    "url": "https://api.cursor.com/v1/conversations/12345",
                    "contributor": {"type": "ai", "model_id": "anthropic/claude-opus-4-5-20251101"},
                    "ranges": [{"start_line": 42, "end_line": 67, "content_hash": "murmur3:9f2e8a1b"}],
                    "related": [{"type": "session", "url": "https://api.cursor.com/v1/sessions/67890"}],
                }
            ],
        },
        {
            "path": "src/utils/helpers.ts",
            "conversations": [
                {
                    "url": "https://api.cursor.com/v1/conversations/12345",
                    "contributor": {"type": "ai", "model_id": "openai/gpt-4o"},
                    "ranges": [{"start_line": 10, "end_line": 25}],
                }
            ],
        },
    ],
    "metadata": {"confidence": 0.95, "dev.cursor": {"workspace_id": "ws-abc123"}},
}
# Appendix A, "Minimal Valid Trace Record".
MINIMAL = {
    "version": "0.1.0",
    "id": "550e8400-e29b-41d4-a716-446655440000",
    "timestamp": "2026-01-25T10:00:00Z",
    "files": [
        {
            "path": "src/app.ts",
            "conversations": [{"contributor": {"type": "ai"}, "ranges": [{"start_line": 1, "end_line": 50}]}],
        }
    ],
}


def _lines(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def test_the_examples_of_the_specification() -> None:
    """Commit, tool, model, files and lines of each."""
    assert list(read_traces(_lines(EXAMPLE, MINIMAL))) == [
        Trace(
            "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0", "cursor", "claude-opus-4-5-20251101",
            (
                TracedFile("src/utils/parser.ts", (TracedRange(42, 67, "ai"),)),
                TracedFile("src/utils/helpers.ts", (TracedRange(10, 25, "ai"),)),
            ),
        ),
        Trace("", "unknown", "", (TracedFile("src/app.ts", (TracedRange(1, 50, "ai"),)),)),
    ]  # fmt: skip


def test_a_range_of_another_contributor() -> None:
    """What a range says of itself counts before what its conversation says; what nobody says is unknown."""
    record = json.loads(json.dumps(MINIMAL))
    talk = record["files"][0]["conversations"][0]
    talk["ranges"].append({"start_line": 60, "end_line": 61, "contributor": {"type": "human"}})
    record["files"][0]["conversations"].append({"ranges": [{"start_line": 70, "end_line": 70}]})
    (trace,) = read_traces(_lines(record))
    assert [item.contributor for item in trace.files[0].ranges] == ["ai", "human", "unknown"]


def test_lines_that_are_no_record_are_passed_over() -> None:
    """The records around them are read; a commit of another system, or no full id, is none of ours."""
    other = {**MINIMAL, "vcs": {"type": "jj", "revision": "kkmpptxz"}}
    short = {**MINIMAL, "vcs": {"type": "git", "revision": "a1b2c3d"}}
    nested = b"[" * 100_000 + b"\n"
    raw = b"\n{}\n\xff\n" + nested + _lines(other, {**MINIMAL, "files": 1}, short) + b"x" * ((1 << 20) + 1) + b"\nend"
    assert [trace.commit for trace in read_traces(raw)] == ["", ""]


def test_what_is_written() -> None:
    """A session has its page, a person none; the schema's patterns fit (schemas/trace-record.json)."""
    log = Authorship(
        "ab" * 20,
        {
            "a.py": [
                Attested("s_1::t_1", ((1, 2),)), Attested("s_1::t_2", ((5, 5),)), Attested("h_1", ((3, 4),)),
                Attested("h_2", ((9, 9),)),
            ]
        },
        {"s_1": Agent("claude-code", "01J0", "claude-opus-4-5", "Ada <a@example.com>")},
        {"h_1": "Ada <a@example.com>"},
        {"s_1": {"micelio_session": "01J0", "micelio_position": "7"}},
    )  # fmt: skip
    text = encode_trace(log, "ab" * 20, 1_793_491_200, "https://forge.example/o/p")
    record = json.loads(text)
    assert "\n" not in text
    assert re.fullmatch(r"[0-9]+\.[0-9]+", record.pop("version"))
    assert uuid.UUID(record.pop("id")).version == 5
    assert record == {
        "timestamp": "2026-11-01T00:00:00Z",
        "vcs": {"type": "git", "revision": "ab" * 20},
        "files": [
            {
                "path": "a.py",
                "conversations": [
                    {
                        "contributor": {"type": "ai", "model_id": "anthropic/claude-opus-4-5"},
                        "ranges": [{"start_line": 1, "end_line": 2}, {"start_line": 5, "end_line": 5}],
                        "url": "https://forge.example/o/p/-/sessions/01J0",
                    },
                    {"contributor": {"type": "human"}, "ranges": [{"start_line": 3, "end_line": 4}]},
                    {"contributor": {"type": "unknown"}, "ranges": [{"start_line": 9, "end_line": 9}]},
                ],
            }
        ],
        "metadata": {
            "dev.micelio": {
                "sessions": {
                    "s_1": {
                        "tool": "claude-code", "conversation": "01J0", "directed_by": "Ada <a@example.com>",
                        "micelio_session": "01J0", "micelio_position": "7",
                    }
                },
                "humans": {"h_1": "Ada <a@example.com>"},
            }
        },
    }  # fmt: skip
    assert encode_trace(log, "ab" * 20, 1_793_491_200, "https://forge.example/o/p") == text
