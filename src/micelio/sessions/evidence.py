"""Which files a decision speaks of: only what its evidence names, letter for letter."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from mic.core.session import Decision

_LINE = re.compile(rb"(.+?):(\d{1,7})(?:-(\d{1,7}))?\Z", re.DOTALL)
_Named = tuple[bytes, int | None, int | None]
_AROUND = b"`'\"()[]<>,.;"


@dataclass(frozen=True)
class Mark:
    """A decision beside a file: its short name, what was decided, and the lines its evidence names, if any.

    `line` and `last` are the first and the last of them, counted from 1 in the file as the session landed it.
    """

    tag: str
    what: str
    line: int | None
    last: int | None = None

    @property
    def number(self) -> int:
        """The decision's, from 1."""
        return int(self.tag[1:])


def marks(decisions: Collection[Decision], paths: Collection[bytes]) -> dict[bytes, list[Mark]]:
    """Path -> decisions whose `evidence` names it, as `path`, `path:line` or `path:line-line`, among `paths`.

    The evidence may hold several, between spaces or commas; a path with spaces counts when it is the whole evidence.
    """
    known = set(paths)
    found: dict[bytes, list[Mark]] = {}
    for number, decision in enumerate(decisions, 1):
        for path, line, last in dict.fromkeys(_named(decision.evidence, known)):
            found.setdefault(path, []).append(Mark(f"D{number}", decision.what, line, last))
    return found


def _named(evidence: str, known: Collection[bytes]) -> list[_Named]:
    whole = evidence.strip().encode()
    one = _one(whole, known)
    if one is not None:
        return [one]
    words = [_one(word, known) for word in re.split(rb"[\s,]+", whole)]
    return [word for word in words if word is not None]


def _one(word: bytes, known: Collection[bytes]) -> _Named | None:
    for candidate in (word, word.strip(_AROUND)):
        if candidate in known:
            return candidate, None, None
        match = _LINE.match(candidate)
        if match is not None and match[1] in known:
            return match[1], int(match[2]), max(int(match[2]), int(match[3] or 0))
    return None
