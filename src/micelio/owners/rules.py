"""The list of owners: `.micelio/OWNERS`, one pattern a line and behind it who owns what it matches.

    # Comments and empty lines say nothing.
    *              @acme
    /docs/         @ada grace@example.org
    /docs/drafts/              nobody owns these
    !*.generated.py            nor these

The last line that matches a path decides. A list that does not parse is refused when it lands.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from mic.core.patterns import MAX_PATTERN, Patterns, translate

PATH = b".micelio/OWNERS"
MAX_BYTES = 256 << 10
MAX_RULES = 1_000
MAX_OWNERS = 50
# As many as are told; whoever has more mends these first.
MAX_PROBLEMS = 50
_HANDLE = re.compile(r"@[a-z0-9][a-z0-9-]{0,38}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_SPACE = b" \t"


class Rule(NamedTuple):
    """One line: its number from 1, the pattern as it stands there, and who owns what it matches; () for nobody."""

    line: int
    pattern: bytes
    owners: tuple[str, ...]


class Problem(NamedTuple):
    """What is wrong with a line; line 0 is the list as a whole."""

    line: int
    message: str


class Owners:
    """A list that was read. With problems it has no rules: half a list would let in whom the other half keeps out."""

    def __init__(self, rules: tuple[Rule, ...], problems: tuple[Problem, ...] = ()) -> None:
        self.rules = () if problems else rules
        self.problems = problems
        self._patterns = Patterns([rule.pattern.removeprefix(b"!") for rule in self.rules])

    def rule_for(self, path: bytes) -> Rule | None:
        """The rule that decides about a path; None when no line matches it."""
        at = self._patterns.last(path)
        return None if at is None else self.rules[at]


NONE = Owners(())


def parse_owners(data: bytes) -> Owners:
    """A list of owners. Never raises: what cannot be read is in `problems`, line by line."""
    if len(data) > MAX_BYTES:
        return Owners((), (Problem(0, f"The list has {len(data):,} bytes; the most are {MAX_BYTES:,}."),))
    rules: list[Rule] = []
    problems: list[Problem] = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        words = _words(line.removesuffix(b"\r"))
        if not words:
            continue
        problem = _problem(words)
        if not problem and len(rules) == MAX_RULES:
            problem = f"The list has more than {MAX_RULES:,} rules."
        if problem:
            problems.append(Problem(number, problem))
            if len(problems) == MAX_PROBLEMS:
                break
            continue
        rules.append(Rule(number, words[0], tuple(owner.decode("ascii").lower() for owner in words[1:])))
    try:
        return Owners(tuple(rules), tuple(problems))
    except ValueError as error:
        return Owners((), (Problem(0, str(error)),))


@lru_cache(maxsize=32)
def _known(content_hash: bytes) -> list[Owners]:
    return []


def remembered(content_hash: bytes) -> Owners | None:
    """The list with this content, if it was read lately in this process."""
    return next(iter(_known(content_hash)), None)


def read_owners(content_hash: bytes, data: bytes) -> Owners:
    """As `parse_owners`, once for each content."""
    known = _known(content_hash)
    if not known:
        known.append(parse_owners(data))
    return known[0]


def is_owner(word: str) -> bool:
    """Whether a word names an owner: `@handle`, `@organization`, or an e-mail address. In lower case."""
    return bool(_HANDLE.fullmatch(word) or (word.isascii() and word.isprintable() and _EMAIL.fullmatch(word)))


def _words(line: bytes) -> list[bytes]:
    """The words of a line. A blank behind a backslash belongs to its word; `#` where one begins ends the line."""
    words: list[bytes] = []
    at = 0
    while at < len(line):
        if line[at] in _SPACE:
            at += 1
            continue
        if line[at : at + 1] == b"#":
            break
        begin = at
        while at < len(line) and line[at] not in _SPACE:
            at += 2 if line[at : at + 1] == b"\\" else 1
        words.append(line[begin:at])
    return words


def _problem(words: list[bytes]) -> str:
    """What is wrong with a rule, "" when nothing is."""
    pattern, owners = words[0], words[1:]
    shown = _shown(pattern)
    if b"\x00" in pattern:
        return "The pattern holds a NUL byte, which no path does."
    if len(pattern) > MAX_PATTERN:
        return f"The pattern has {len(pattern):,} bytes; the most are {MAX_PATTERN:,}."
    if translate(pattern.removeprefix(b"!")) is None:
        return f"The pattern {shown} matches nothing."
    if pattern.startswith(b"!") and owners:
        return f"{shown} says that nobody owns what it matches, and names owners."
    if len(owners) > MAX_OWNERS:
        return f"The line names {len(owners)} owners; the most are {MAX_OWNERS}."
    for owner in owners:
        try:
            word = owner.decode("ascii").lower()
        except UnicodeDecodeError:
            word = ""
        if word.startswith("@") and "/" in word:
            return f"{_shown(owner)} names a team, and there are none: name an organization or a person."
        if not is_owner(word):
            return f"{_shown(owner)} is no owner: use @handle, @organization or an e-mail address."
    return ""


def _shown(word: bytes) -> str:
    text = word[:60].decode("utf-8", "replace") + ("…" if len(word) > 60 else "")
    return ascii(text) if not text.isprintable() else f"`{text}`"
