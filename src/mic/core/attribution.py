"""Who wrote which lines of the files of a session, as the session says; form: docs/formats.md, "Attribution".

What is said is said of a content, by its hash, and never of a number alone. Of a file of which something is said, a
line that is said to be nobody's is untracked. Of a file of which nothing is said, the session as a whole tells.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from mic.core.carried import followed
from mic.core.errors import InvalidInput
from mic.core.paths import display

VERSION = 1
# Where a session has it, beside what others keep there.
LINES = "lines"
MAX_WRITERS = 100
MAX_NAME = 200  # characters
# Runs of lines of one session: 3 MiB of its record at the most.
MAX_RUNS = 200_000
MAX_LINE = 1 << 31
_HASH_BYTES = 32

Kind = Literal["agent", "person"]
Run = tuple[int, int, int]


class Writer(msgspec.Struct, frozen=True):
    """An agent, with a name such as its model, or a person.

    Without a name it is the session's own. `message` is the turn of the conversation at which it wrote, counted from 1;
    0 when that is not known.
    """

    kind: Kind
    name: str = ""
    message: int = 0


NOBODY = Writer("person")  # in the place of one that is not named: no name, no message


class FileLines(msgspec.Struct, frozen=True):
    """What is said of the content of a path: runs of (first line, from 1; lines; number of the writer, from 0).

    Runs are in order and do not overlap. A line in none of them is untracked.
    """

    path: bytes
    content: bytes
    lines: tuple[Run, ...] = ()

    def writer(self, line: int) -> int | None:
        """The number of the writer of a line, from 1."""
        at = bisect_right(self.lines, line, key=lambda run: run[0]) - 1
        return self.lines[at][2] if at >= 0 and line < self.lines[at][0] + self.lines[at][1] else None

    def parts(self, first: int, lines: int) -> Iterator[Run]:
        """So many lines from `first` on, in runs with the number of their writer; -1 where they are untracked."""
        at = max(bisect_right(self.lines, first, key=lambda run: run[0]) - 1, 0)
        stop = first + lines
        while first < stop:
            while at < len(self.lines) and sum(self.lines[at][:2]) <= first:
                at += 1
            start, count, writer = self.lines[at] if at < len(self.lines) else (stop, 0, -1)
            end = min(stop, start if first < start else start + count)
            yield first, end - first, -1 if first < start else writer
            first = end


class Attribution(NamedTuple):
    """What a session says about the lines of its files, those by path."""

    writers: tuple[Writer, ...] = ()
    files: Mapping[bytes, FileLines] = {}


class _Stored(msgspec.Struct, frozen=True):
    """The form of version 1; unknown names are ignored."""

    version: int
    writers: tuple[Writer, ...] = ()
    files: tuple[FileLines, ...] = ()


NOTHING = Attribution()


def parse(attribution: Mapping[str, Any]) -> Attribution:
    """What a session says; raises InvalidInput for what breaks a rule, or is of a version that is newer than this."""
    raw = attribution.get(LINES)
    if raw is None:
        return NOTHING
    if not isinstance(raw, dict):
        raise InvalidInput("an attribution that cannot be read: it is no map")
    if raw.get("version") != VERSION:
        raise InvalidInput(
            f"an attribution of version {str(raw.get('version'))[:20]}; this program knows version {VERSION}",
            hint="use a newer version of Micelio",
        )
    try:
        stored = msgspec.convert(raw, _Stored, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise InvalidInput(f"an attribution that cannot be read: {error}") from error
    _check_writers(stored.writers)
    files: dict[bytes, FileLines] = {}
    runs = 0
    for each in stored.files:
        if each.path in files:
            raise InvalidInput(f"the lines of {display(each.path)[:200]} are attributed twice")
        _check_file(each, len(stored.writers))
        runs += len(each.lines)
        files[each.path] = each
    if runs > MAX_RUNS:
        raise InvalidInput(f"{runs} runs of lines are attributed in one session; the limit is {MAX_RUNS}")
    return Attribution(stored.writers, files)


def _check_writers(writers: Sequence[Writer]) -> None:
    if len(writers) > MAX_WRITERS:
        raise InvalidInput(f"{len(writers)} writers in one session; the limit is {MAX_WRITERS}")
    for each in writers:
        if len(each.name) > MAX_NAME:
            raise InvalidInput(f"a writer's name of {len(each.name)} characters; the limit is {MAX_NAME}")
        if each.message < 0:
            raise InvalidInput(f"{each.message} is not the number of a message", hint="count from 1; 0 is unknown")


def _check_file(file: FileLines, writers: int) -> None:
    name = display(file.path)[:200]
    if len(file.content) != _HASH_BYTES:
        raise InvalidInput(f"lines of {name} are attributed in no content", hint="name it by its 32-byte hash")
    end = 0
    for first, lines, writer in file.lines:
        if first <= end or lines < 1 or first + lines - 1 > MAX_LINE:
            raise InvalidInput(
                f"{lines} lines from {first} of {name} are attributed after line {end}",
                hint="count from 1, in order, each line once",
            )
        if not 0 <= writer < writers:
            raise InvalidInput(f"line {first} of {name} is attributed to writer {writer}, of {writers}")
        end = first + lines - 1


def stored(attribution: Attribution) -> dict[str, Any]:
    """As a session keeps it in its `attribution`; {} when nothing is said."""
    if not attribution.files:
        return {}
    files = tuple(attribution.files[path] for path in sorted(attribution.files))
    found: dict[str, Any] = msgspec.to_builtins(
        _Stored(VERSION, tuple(attribution.writers), files), builtin_types=(bytes,)
    )
    return {LINES: found}


def without_messages(said: Attribution) -> Attribution:
    """What is said of the lines, and at which message nobody: writers that only that told apart are one."""
    numbers: dict[Writer, int] = {}
    of = [numbers.setdefault(Writer(each.kind, each.name), len(numbers)) for each in said.writers]
    files = {path: FileLines(path, each.content, _joined(each.lines, of)) for path, each in said.files.items()}
    return Attribution(tuple(numbers), files)


def _joined(lines: Iterable[Run], of: Sequence[int]) -> tuple[Run, ...]:
    found: list[Run] = []
    for first, count, writer in lines:
        if found and sum(found[-1][:2]) == first and found[-1][2] == of[writer]:
            found[-1] = (found[-1][0], found[-1][1] + count, of[writer])
        else:
            found.append((first, count, of[writer]))
    return tuple(found)


def writer_names(raw: Mapping[str, Any]) -> list[str]:
    """The names that an attribution holds, whatever else is wrong with it."""
    return [str(each["name"]) for each in _named(raw)]


def with_names(raw: dict[str, Any], names: Iterator[str]) -> dict[str, Any]:
    """The attribution with other names, as many as `writer_names` gives."""
    named = [id(each) for each in _named(raw)]
    if not named:
        return raw
    lines = raw[LINES]
    writers = [{**each, "name": next(names)} if id(each) in named else each for each in lines["writers"]]
    return {**raw, LINES: {**lines, "writers": writers}}


def _named(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    lines = raw.get(LINES)
    writers = lines.get("writers") if isinstance(lines, dict) else None
    if not isinstance(writers, list | tuple):
        return []
    return [each for each in writers if isinstance(each, dict) and isinstance(each.get("name"), str)]


def runs(writers: Iterable[int]) -> tuple[Run, ...]:
    """Runs of lines from the number of each line's writer, -1 for none."""
    found: list[Run] = []
    first, before, line = 1, -1, 0
    for line, writer in enumerate(writers, 1):
        if writer != before:
            if before >= 0:
                found.append((first, line - first, before))
            first, before = line, writer
    if before >= 0:
        found.append((first, line + 1 - first, before))
    return tuple(found)


def moved_to(file: FileLines, content: bytes, lines: Iterable[int]) -> FileLines:
    """What is said of a file, said of another content.

    `lines` are the lines of the old content, from 0, that those of the new one are; -1 for one that is none of them.
    """
    of = (file.writer(line + 1) if line >= 0 else None for line in lines)
    return FileLines(file.path, content, runs(-1 if writer is None else writer for writer in of))


class Author(NamedTuple):
    """Who wrote a line. `of_line`: the session says so of the line; else it is what is known of the session as a whole.

    `writer` is whom the session names for the line, None for untracked ones and where it says nothing of the file.
    """

    kind: Literal["agent", "person", "untracked"]
    of_line: bool = False
    writer: Writer | None = None


def authors(said: Attribution, whole: Author, path: bytes, first: int, lines: int) -> Iterator[tuple[int, int, Author]]:
    """(first line, lines, author) of so many lines, from 1, that a landing brought to the content it made of a path."""
    file = said.files.get(path)
    if file is None:
        yield first, lines, whole
        return
    for start, count, number in file.parts(first, lines):
        writer = said.writers[number] if number >= 0 else None
        yield start, count, Author(writer.kind if writer is not None else "untracked", True, writer)


def wrote(before: FileLines | None, old: bytes, new: bytes, content: bytes, writer: int) -> FileLines:
    """A content whose lines that an older one lacked are by a writer; -1: by nobody who says so.

    `before` is what was said of the older one. Lines carry over by what they are, however they are numbered now.
    """
    path = before.path if before is not None else b""
    of = []
    for line in followed(old, new):
        known = before.writer(line + 1) if before is not None and line >= 0 else None
        of.append(writer if line < 0 else -1 if known is None else known)
    return FileLines(path, content, runs(of))
