"""Agent Trace records: which lines of files at a commit came out of which conversation, as JSON.

Form: Agent Trace 0.1 (github.com/cursor/agent-trace, README.md and schemas/trace-record.json). The specification leaves
open where records are kept; its reference implementation has one a line in `.agent-trace/traces.jsonl`.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from mic.git.authorship import Authorship

# The schema takes two numbers; the examples of the text have three.
VERSION = "0.1"
TRACE_FILE = b".agent-trace/traces.jsonl"
MIME = "application/vnd.agent-trace.record+json"
_LONGEST = 1 << 20
_MOST = 100_000
_LONGEST_MODEL = 250
_COMMIT = re.compile(r"[0-9a-f]{40}")
# What models.dev, whose names a record has, puts before the model; as the reference implementation knows it.
_PROVIDERS = {"claude-": "anthropic", "gpt-": "openai", "o1": "openai", "o3": "openai", "gemini-": "google"}
# Ids of records that are made of notes: the same note makes the same record.
_SPACE = uuid.UUID("c0a5e6a8-5a1f-5b0e-9d43-3f1f0f0b7a52")


class TracedRange(NamedTuple):
    """Lines from 1, and what wrote them: human, ai, mixed or unknown."""

    first: int
    last: int
    contributor: str


class TracedFile(NamedTuple):
    path: str
    ranges: tuple[TracedRange, ...]


class Trace(NamedTuple):
    """A record that was read. `commit` is "" for one about no Git commit; `model` is the first that it names."""

    commit: str
    tool: str
    model: str
    files: tuple[TracedFile, ...]


class _Vcs(msgspec.Struct):
    type: str
    revision: str


class _Tool(msgspec.Struct):
    name: str = ""


class _Contributor(msgspec.Struct):
    type: str
    model_id: str = ""


class _Range(msgspec.Struct):
    start_line: int
    end_line: int
    contributor: _Contributor | None = None


class _Conversation(msgspec.Struct):
    ranges: list[_Range]
    contributor: _Contributor | None = None


class _File(msgspec.Struct):
    path: str
    conversations: list[_Conversation]


class _Record(msgspec.Struct):
    version: str
    id: str
    timestamp: str
    files: list[_File]
    vcs: _Vcs | None = None
    tool: _Tool | None = None


_decoder = msgspec.json.Decoder(_Record)


def read_traces(raw: bytes) -> Iterator[Trace]:
    """The records of a file that has one a line; what is none is passed over. At most 100,000 lines are looked at."""
    for line in raw.split(b"\n", _MOST)[:_MOST]:
        if not line.strip() or len(line) > _LONGEST:
            continue
        try:
            record = _decoder.decode(line)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            continue
        yield _trace(record)


def _trace(record: _Record) -> Trace:
    talks = [talk for file in record.files for talk in file.conversations]
    said = [by for talk in talks for by in (talk.contributor, *(item.contributor for item in talk.ranges))]
    model = next((by.model_id for by in said if by is not None and by.model_id), "")
    vcs = record.vcs
    commit = vcs.revision if vcs is not None and vcs.type == "git" and _COMMIT.fullmatch(vcs.revision) else ""
    tool = record.tool.name if record.tool is not None and record.tool.name else "unknown"
    return Trace(commit, tool, model.partition("/")[2] or model, tuple(map(_file, record.files)))


def _file(file: _File) -> TracedFile:
    ranges = []
    for talk in file.conversations:
        for item in talk.ranges:
            by = item.contributor or talk.contributor
            ranges.append(TracedRange(item.start_line, item.end_line, by.type if by is not None else "unknown"))
    return TracedFile(file.path, tuple(ranges))


def encode_trace(log: Authorship, commit: str, seconds: int, project: str) -> str:
    """The record, in one line, of the authorship log of a Git commit whose committer's date is `seconds` (Unix).

    `project` is the address of the project, under which sessions of this forge have their pages.
    """
    files = []
    for path, attested in log.files.items():
        talks: dict[str, dict[str, Any]] = {}
        for item in attested:
            key = item.key.partition("::")[0]
            talk = talks.get(key) or talks.setdefault(key, _talk(log, key, project))
            talk["ranges"] += [{"start_line": first, "end_line": last} for first, last in item.ranges]
        files.append({"path": path, "conversations": list(talks.values())})
    record = {
        "version": VERSION,
        "id": str(uuid.uuid5(_SPACE, commit)),
        "timestamp": _time(seconds),
        "vcs": {"type": "git", "revision": commit},
        "files": files,
    }
    if metadata := _metadata(log):
        record["metadata"] = metadata
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _talk(log: Authorship, key: str, project: str) -> dict[str, Any]:
    agent = log.agent_of(key)
    if agent is None:
        return {"contributor": {"type": "human" if key in log.humans else "unknown"}, "ranges": []}
    talk: dict[str, Any] = {"contributor": {"type": "ai"}, "ranges": []}
    if agent.model and agent.model != "unknown":
        talk["contributor"]["model_id"] = _model_id(agent.model)[:_LONGEST_MODEL]
    session = log.attributes.get(key, {}).get("micelio_session")
    if session:
        talk["url"] = f"{project}/-/sessions/{session}"
    return talk


def _model_id(model: str) -> str:
    provider = next((name for prefix, name in _PROVIDERS.items() if model.startswith(prefix)), "")
    return f"{provider}/{model}" if provider and "/" not in model else model


def _metadata(log: Authorship) -> dict[str, Any]:
    """What the forge knows besides, under its own name; tools and people, which a record has no place for."""
    sessions = {}
    for key, agent in log.agents.items():
        said = {"tool": agent.tool, "conversation": agent.id, "directed_by": agent.directed_by}
        said |= log.attributes.get(key, {})
        sessions[key] = {name: text for name, text in said.items() if text}
    found = {"sessions": sessions, "humans": dict(log.humans)}
    return {"dev.micelio": {name: value for name, value in found.items() if value}} if any(found.values()) else {}


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "1970-01-01T00:00:00Z"
