"""Authorship logs: which lines of a commit an agent's session wrote, and which a person, as git-ai keeps it in notes.

Form: Git AI Standard 3.0.0 (github.com/git-ai-project/git-ai, specs/git_ai_standard_v3.0.0.md). A note is

    src/main.rs                                   a path, in double quotes when it has white space
      s_<14 hex>::t_<14 hex> 1-10,15-20           two blanks, a key, a blank, lines counted from 1
      h_<14 hex> 35-40
    ---
    {"schema_version": "authorship/3.0.0", "base_commit_sha": ..., "prompts": {}, "humans": {}, "sessions": {}}

Keys of 16 hexadecimal digits are those of versions before 1.4.0, and stand in `prompts`. Lines that no key names are
untracked: nobody says who wrote them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from mic.core.errors import InvalidInput, TooLarge

SCHEMA = "authorship/3.0.0"
# A note of a commit that changed 10,000 files has some 600 KB.
MAX_NOTE = 1 << 20
_MAX_RANGES = 200_000
_KEY = re.compile(r"s_[0-9A-Za-z]{1,64}::t_[0-9A-Za-z]{1,64}|h_[0-9A-Za-z]{1,64}|[0-9A-Za-z]{7,64}")
_RANGE = re.compile(r"([0-9]{1,10})(?:-([0-9]{1,10}))?")
_ENTRY = re.compile(r"  (\S+) (\S+)")

Range = tuple[int, int]


class Agent(NamedTuple):
    """A conversation with an agent. `directed_by` is who led it, `NAME <EMAIL>` or part of that, "" when not said."""

    tool: str
    id: str
    model: str
    directed_by: str = ""


class Attested(NamedTuple):
    """Lines of one file, by the key of who wrote them: (first, last) from 1."""

    key: str
    ranges: tuple[Range, ...]


class Authorship(NamedTuple):
    """A log. `agents` are by session id (`s_...`) or by key of the older form, `humans` by key: `NAME <EMAIL>`."""

    base: str
    files: Mapping[str, Sequence[Attested]]
    agents: Mapping[str, Agent]
    humans: Mapping[str, str]
    attributes: Mapping[str, Mapping[str, str]] = {}

    def agent_of(self, key: str) -> Agent | None:
        """The agent that a key of an attestation names, None for a person's and for one that nothing explains."""
        return None if key.startswith("h_") else self.agents.get(key.partition("::")[0])


class _AgentId(msgspec.Struct):
    tool: str
    id: str
    model: str


class _Told(msgspec.Struct):
    """A record of `sessions` or `prompts`; what else it holds is not looked at."""

    agent_id: _AgentId
    human_author: str | None = None
    custom_attributes: dict[str, str] | None = None


class _Human(msgspec.Struct):
    author: str


class _Metadata(msgspec.Struct):
    schema_version: str
    base_commit_sha: str
    prompts: dict[str, _Told]
    humans: dict[str, _Human] = {}
    sessions: dict[str, _Told] = {}


_decoder = msgspec.json.Decoder(_Metadata)


def session_key(tool: str, conversation: str) -> str:
    """The id of a conversation: the same in every commit that it wrote lines of."""
    return "s_" + hashlib.sha256(f"{tool}:{conversation}".encode()).hexdigest()[:14]


def human_key(author: str) -> str:
    """The key of a person, `NAME <EMAIL>`."""
    return "h_" + hashlib.sha256(author.encode()).hexdigest()[:14]


def trace_key(seed: str) -> str:
    """The part of a key that tells two edits of one conversation apart: random by the standard, a function here."""
    return "t_" + hashlib.sha256(seed.encode()).hexdigest()[:14]


def sayable(path: bytes) -> str | None:
    """A path as a note can name it; None for one that it has no way to, which is then untracked."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return None
    return None if text == "---" or any(sign in text for sign in '"\r\n\0') else text


def encode_authorship(log: Authorship) -> bytes:
    """The note, its files in the order given. Equal logs give equal bytes."""
    lines = []
    for path, attested in log.files.items():
        lines.append(f'"{path}"' if any(map(str.isspace, path)) else path)
        lines += [f"  {item.key} {_ranges_text(item.ranges)}" for item in attested]
    document: dict[str, Any] = {"schema_version": SCHEMA, "base_commit_sha": log.base, "prompts": {}}
    if log.humans:
        document["humans"] = {key: {"author": author} for key, author in sorted(log.humans.items())}
    if log.agents:
        document["sessions"] = {
            key: _session(agent, log.attributes.get(key)) for key, agent in sorted(log.agents.items())
        }
    lines += ["---", json.dumps(document, indent=2, ensure_ascii=False), ""]
    return "\n".join(lines).encode(errors="replace")


def _session(agent: Agent, attributes: Mapping[str, str] | None) -> dict[str, Any]:
    record: dict[str, Any] = {"agent_id": {"tool": agent.tool, "id": agent.id, "model": agent.model}}
    record["human_author"] = agent.directed_by or None
    if attributes:
        record["custom_attributes"] = dict(attributes)
    return record


def _ranges_text(ranges: Iterable[Range]) -> str:
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def decode_authorship(raw: bytes) -> Authorship:
    """A log from a note. Raises InvalidInput for what is none, TooLarge for one that is read no further."""
    if len(raw) > MAX_NOTE:
        raise TooLarge(f"An authorship log of {len(raw):,} bytes; the limit is {MAX_NOTE:,}.")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise InvalidInput("The authorship log is not UTF-8.") from None
    lines = text.split("\n")
    try:
        divider = next(number for number, line in enumerate(lines) if line.removesuffix("\r") == "---")
    except StopIteration:
        raise InvalidInput("The authorship log has no line `---`.") from None
    files = _attestations(lines[:divider])
    try:
        said = _decoder.decode("\n".join(lines[divider + 1 :]))
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise InvalidInput(f"The metadata of the authorship log cannot be read: {error}") from error
    if said.schema_version != SCHEMA:
        raise InvalidInput(f"The authorship log is of version {said.schema_version[:40]!r}; {SCHEMA} is read here.")
    told = {**said.prompts, **said.sessions}
    return Authorship(
        said.base_commit_sha,
        files,
        {key: Agent(*_words(item.agent_id), item.human_author or "") for key, item in told.items()},
        {key: item.author for key, item in said.humans.items()},
        {key: item.custom_attributes for key, item in told.items() if item.custom_attributes},
    )


def _words(agent: _AgentId) -> tuple[str, str, str]:
    return agent.tool, agent.id, agent.model


def _attestations(lines: Sequence[str]) -> dict[str, list[Attested]]:
    files: dict[str, list[Attested]] = {}
    entries: list[Attested] | None = None
    count = 0
    for line in lines:
        line = line.rstrip()
        if not line:
            continue
        if not line.startswith("  "):
            quoted = len(line) > 1 and line[0] == line[-1] == '"'
            entries = files.setdefault(line[1:-1] if quoted else line, [])
            continue
        found = _ENTRY.fullmatch(line)
        if found is None or entries is None or not _KEY.fullmatch(found[1]):
            raise InvalidInput(f"The line {line[:80]!r} of the authorship log names no lines of a file.")
        ranges = _ranges(found[2])
        count += len(ranges)
        if count > _MAX_RANGES:
            raise TooLarge(f"An authorship log of more than {_MAX_RANGES:,} ranges of lines.")
        entries.append(Attested(found[1], ranges))
    return {path: attested for path, attested in files.items() if attested}


def _ranges(text: str) -> tuple[Range, ...]:
    found = []
    for part in text.split(","):
        if not part:
            continue
        match = _RANGE.fullmatch(part)
        if match is None:
            raise InvalidInput(f"The authorship log names lines as {part[:40]!r}.")
        first = int(match[1])
        last = int(match[2] or first)
        if not 0 < first <= last:
            raise InvalidInput(f"The authorship log names lines {part[:40]!r}, which are none.")
        found.append((first, last))
    return tuple(found)
