"""What comes with commits and says who wrote them: their trailers, authorship logs in notes, Agent Trace records.

A log or a record counts where it is about this very commit and names files that it changed. Everything else stays what
it is: a note where it came, a file in its tree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from mic.core.attribution import (
    MAX_LINE,
    MAX_NAME,
    MAX_RUNS,
    MAX_WRITERS,
    Attribution,
    FileLines,
    Run,
    Writer,
    moved_to,
    stored,
)
from mic.core.brought import Brought, decode_brought
from mic.core.carried import followed
from mic.core.errors import Corrupt, InvalidInput, NotFound, TooLarge
from mic.git.added import Texts, added_lines
from mic.git.agent_trace import TRACE_FILE, Trace, read_traces
from mic.git.authorship import Attested, Authorship, decode_authorship, sayable
from mic.git.landed_note import ATTRIBUTION
from mic.git.notes import Notes
from mic.git.objects import commit_line
from mic.git.packentry import COMMIT
from mic.git.packs import Packs

# What a session holds of a log; a larger one is read, and stays a note.
MAX_HELD = 64 << 10
_LINE = re.compile(r"[\x00-\x1f\x7f]+")
_LONGEST = 200


class Told(NamedTuple):
    """Who wrote a commit: an agent's name, "" when it is not known to be one's, and what its session is to hold.

    `brought` is what a session said whose landing it was at another forge.
    """

    agent: str
    attribution: dict[str, Any]
    brought: Brought | None = None


NOTHING = Told("", {})


class Rebased(NamedTuple):
    """Commits that the forge has made of others: new -> old, and where the old ones can be read."""

    old: Mapping[bytes, bytes]
    packs: Packs


class Telling:
    """Looks up what is told of commits, for one thread. `notes` and `traces` are those that came with them.

    What a log says of a commit that was rebased counts for what became of it, line for line.
    """

    def __init__(
        self,
        packs: Packs,
        notes: Notes,
        traces: Mapping[str, list[Trace]],
        rebased: Rebased | None = None,
        words: Notes | None = None,
    ) -> None:
        self._words = words
        self._notes, self._traces, self._texts = notes, traces, Texts(packs)
        self._old = rebased.old if rebased is not None else {}
        self._old_packs = rebased.packs if rebased is not None else packs

    def of(self, oid: bytes, tree: bytes, before: bytes, changed: Callable[[], Mapping[bytes, bytes]]) -> Told:
        """What is told of a commit with this tree, on the tree `before`, b"" for none.

        `changed` gives the content that it made of each path, by hash; b"" of one that it took away.
        """
        return self._wrote(oid, tree, before, changed)._replace(brought=self._said(self._old.get(oid, oid)))

    def _said(self, oid: bytes) -> Brought | None:
        raw = self._words.of(oid) if self._words is not None else b""
        try:
            return decode_brought(raw) if raw else None
        except (InvalidInput, TooLarge):
            return None  # what cannot be read is no reason to refuse the commit

    def _wrote(self, oid: bytes, tree: bytes, before: bytes, changed: Callable[[], Mapping[bytes, bytes]]) -> Told:
        old = self._old.get(oid, oid)
        raw = self._notes.of(old)
        if raw:
            try:
                log = decode_authorship(raw)
            except (InvalidInput, TooLarge):
                return NOTHING
            made = changed()
            paths = {name: path for path in made if (name := sayable(path)) is not None}
            if not paths.keys().isdisjoint(log.files):
                contents = {name: (path, made[path]) for name, path in paths.items()}
                said = _lines(log, contents)
                if old != oid:
                    return Told(_agent(log, paths), stored(self._carried(said, old, tree)))
                held = {ATTRIBUTION: raw} if len(raw) <= MAX_HELD else {}
                return Told(_agent(log, paths), {**held, **stored(said)})
        for trace in self._traces.get(oid.hex(), ()):
            agent = self._traced(trace, tree, before, changed())
            if agent:
                return Told(agent, {})
        return NOTHING

    def _carried(self, said: Attribution, old: bytes, tree: bytes) -> Attribution:
        """What is said of the files of a commit, said of those in the tree that it became."""
        before = Texts(self._old_packs)
        was = commit_line(old, self._old_packs.read(old, COMMIT)[1]).tree
        files = {}
        for path, file in said.files.items():
            text, new = before.text(was, path), self._texts.text(tree, path)
            lines = followed(text, new) if text is not None and new is not None else ()
            files[path] = moved_to(file, file.content, lines)
        return Attribution(said.writers, files)

    def _traced(self, trace: Trace, tree: bytes, before: bytes, changed: Collection[bytes]) -> str:
        """The agent of a record whose every range has a line that the commit added, "" for one that has another."""
        for file in trace.files:
            path = file.path.encode(errors="replace")
            new = self._texts.text(tree, path) if path in changed else None
            if new is None:
                return ""
            added = added_lines((self._texts.text(before, path) if before else None) or b"", new)
            for range_ in file.ranges:
                if range_.contributor != "ai" or not any(
                    first <= range_.last and range_.first <= last for first, last in added
                ):
                    return ""
        return _name(trace.tool, trace.model) if trace.files else ""


def _agent(log: Authorship, paths: Collection[str]) -> str:
    """The agent that wrote most of the lines which a log attests; "" where a person wrote some of them."""
    lines: Counter[str] = Counter()
    for path, attested in log.files.items():
        for item in attested if path in paths else ():
            agent = log.agent_of(item.key)
            if agent is None:
                return ""
            lines[_name(agent.tool, agent.model)] += sum(last - first + 1 for first, last in item.ranges)
    return min(lines, key=lambda name: (-lines[name], name)) if lines else ""


def _lines(log: Authorship, contents: Mapping[str, tuple[bytes, bytes]]) -> Attribution:
    """What a log says of the lines of contents, given as path and hash by the name that it has for them.

    Lines that it gives to several are theirs whose run begins first. Nothing, where it names more than a session may.
    """
    numbers: dict[Writer, int] = {}
    files, runs = {}, 0
    for name, attested in log.files.items():
        path, content = contents.get(name, (b"", b""))
        if content:
            found = _runs(log, attested, numbers)
            files[path] = FileLines(path, content, found)
            runs += len(found)
    return Attribution(tuple(numbers), files) if len(numbers) <= MAX_WRITERS and runs <= MAX_RUNS else Attribution()


def _runs(log: Authorship, attested: Sequence[Attested], numbers: dict[Writer, int]) -> tuple[Run, ...]:
    """Runs of lines in order, none twice. What a key stands for that nothing explains is nobody's."""
    told: list[tuple[int, int, int]] = []
    for item in attested:
        writer = _writer(log, item.key)
        if writer is not None:
            number = numbers.setdefault(writer, len(numbers))
            told += ((first, last, number) for first, last in item.ranges if last <= MAX_LINE)
    found, end = [], 0
    for first, last, number in sorted(told, key=lambda each: each[0]):
        first = max(first, end + 1)
        if first <= last:
            found.append((first, last + 1 - first, number))
            end = last
    return tuple(found)


def _writer(log: Authorship, key: str) -> Writer | None:
    agent = log.agent_of(key)
    if agent is not None:
        return Writer("agent", _name(agent.tool, agent.model)[:MAX_NAME])
    if key.startswith("h_") and key in log.humans:
        return Writer("person", _LINE.sub(" ", log.humans[key].partition(" <")[0]).strip()[:MAX_NAME])
    return None


def _name(tool: str, model: str) -> str:
    """As `Assisted-by` has it."""
    tool, model = (_LINE.sub(" ", text).strip() for text in (tool, model))
    return (f"{tool}:{model}" if model and model != "unknown" else tool)[:_LONGEST]


def traces_in(packs: Packs, tree: bytes) -> dict[str, list[Trace]]:
    """The Agent Trace records of the file that the reference implementation keeps, by the commit they are about."""
    try:
        raw = Texts(packs).text(tree, TRACE_FILE) or b""
    except (Corrupt, NotFound):
        return {}
    found: dict[str, list[Trace]] = {}
    for trace in read_traces(raw):
        if trace.commit:
            found.setdefault(trace.commit, []).append(trace)
    return found
