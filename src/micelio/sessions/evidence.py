"""Which files a decision speaks of: only what its evidence names, letter for letter."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from mic.core.session import Decision

_LINE = re.compile(rb"(.+?):(\d{1,7})(?:-\d{1,7})?\Z", re.DOTALL)
_AROUND = b"`'\"()[]<>,.;"


@dataclass(frozen=True)
class Mark:
    """A decision beside a file: its short name, what was decided, and the line its evidence names, if one."""

    tag: str
    what: str
    line: int | None

    @property
    def number(self) -> int:
        """The decision's, from 1."""
        return int(self.tag[1:])


def marks(decisions: Collection[Decision], paths: Collection[bytes]) -> dict[bytes, list[Mark]]:
    """Path -> decisions whose `evidence` names it, as `path` or `path:line`, among `paths`.

    The evidence may hold several, between spaces or commas; a path with spaces counts when it is the whole evidence.
    """
    known = set(paths)
    found: dict[bytes, list[Mark]] = {}
    for number, decision in enumerate(decisions, 1):
        seen: set[tuple[bytes, int | None]] = set()
        for path, line in _named(decision.evidence, known):
            if (path, line) not in seen:
                seen.add((path, line))
                found.setdefault(path, []).append(Mark(f"D{number}", decision.what, line))
    return found


def _named(evidence: str, known: Collection[bytes]) -> list[tuple[bytes, int | None]]:
    whole = evidence.strip().encode()
    one = _one(whole, known)
    if one is not None:
        return [one]
    words = [_one(word, known) for word in re.split(rb"[\s,]+", whole)]
    return [word for word in words if word is not None]


def _one(word: bytes, known: Collection[bytes]) -> tuple[bytes, int | None] | None:
    for candidate in (word, word.strip(_AROUND)):
        if candidate in known:
            return candidate, None
        match = _LINE.match(candidate)
        if match is not None and match[1] in known:
            return match[1], int(match[2])
    return None
