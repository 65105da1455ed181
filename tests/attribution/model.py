"""Who wrote which line, by its content alone: no record, no hash, no line number and no difference is looked at."""

from __future__ import annotations

from typing import NamedTuple


class Wrong(Exception):
    """What is told is not what happened."""


class Line(NamedTuple):
    """A line: a number that no other line ever has, and how far it is indented, which does not make it another."""

    token: int
    indent: int = 0

    def text(self) -> bytes:
        return b"  " * self.indent + b"w%d end\n" % self.token


Lines = tuple[Line, ...]


class Wrote(NamedTuple):
    """Who wrote a line, in which landing; whether that was said of the line, and by which name."""

    position: int
    kind: str
    of_line: bool
    name: str


class File(NamedTuple):
    """A file as it is, and who wrote each of its lines."""

    lines: Lines
    wrote: dict[int, Wrote]


def read(text: bytes) -> Lines:
    """The lines of a text, each known by its number."""
    found = []
    for row in text.splitlines():
        number = row.strip().removeprefix(b"w").removesuffix(b" end")
        if not number.isdigit():
            raise Wrong(f"a line that nobody wrote: {row!r}")
        found.append(Line(int(number), (len(row) - len(row.lstrip())) // 2))
    return tuple(found)


def text_of(lines: Lines) -> bytes:
    return b"".join(line.text() for line in lines)


def landed(
    path: bytes, before: File | None, lines: Lines, wrote: dict[int, Wrote], position: int
) -> tuple[File, list[int]]:
    """A file after a landing and the lines that it added: what the file before lacked is what the session wrote."""
    known = before.wrote if before is not None else {}
    authors: dict[int, Wrote] = {}
    added = []
    for line in lines:
        if line.token in authors:
            raise Wrong(f"line {line.token} stands twice in {path!r} @{position}")
        if line.token in known:
            authors[line.token] = known[line.token]
        elif line.token in wrote:
            authors[line.token] = wrote[line.token]
            added.append(line.token)
        else:
            raise Wrong(f"line {line.token} of {path!r} @{position} was written by nobody")
    return File(lines, authors), added
