"""Patterns of paths as gitignore(5) has them, as expressions for RE2: linear in the path, whatever the pattern.

A pattern without a slash inside matches a name at any depth, every other one from the root. Whatever is below a folder
that matches, matches. Paths are bytes: `?` and `[...]` match one byte, as in Git (wildmatch.c).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import re2

MAX_PATTERN = 500
# Of all patterns that are asked at once, in bytes: what RE2 compiles of them stays below its memory.
MAX_TOGETHER = 64 << 10
# RE2 turns to a slower automaton beyond this, never to a wrong answer; a set gives up, which `Patterns` notices.
_MEMORY = 32 << 20
_ALL = frozenset(range(256))
_SLASH = ord("/")
_SIGNS = b"*?[\\"
_NAMED = {
    b"alpha": b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    b"digit": b"0123456789",
    b"alnum": b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    b"upper": b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    b"lower": b"abcdefghijklmnopqrstuvwxyz",
    b"space": b" \t\n\v\f\r",
    b"blank": b" \t",
    b"cntrl": bytes([*range(32), 127]),
    b"print": bytes(range(32, 127)),
    b"graph": bytes(range(33, 127)),
    b"punct": bytes(byte for byte in range(33, 127) if not chr(byte).isalnum()),
    b"xdigit": b"0123456789abcdefABCDEF",
}


def translate(pattern: bytes) -> bytes | None:
    """An expression that matches the whole of the paths that a pattern is for; None when it can match none."""
    if not pattern or len(pattern) > MAX_PATTERN or b"\x00" in pattern:
        return None
    folder = pattern.endswith(b"/") and not pattern.endswith(b"\\/")
    body = pattern[:-1] if folder else pattern
    rooted = b"/" in body
    body = body.removeprefix(b"/")
    if not body:
        return None
    # Git compares what stands before the first sign by itself, and begins to match behind it: `a**/b` is for `ab` too.
    begin_at = next((at for at, byte in enumerate(body) if byte in _SIGNS), len(body)) if rooted else 0
    source = _body(body, begin_at)
    if source is None:
        return None
    begin = b"" if rooted else b"(?:.*/)?"
    return b"(?s:" + begin + source + (b"/.*" if folder else b"(?:/.*)?") + b")"


def _body(pattern: bytes, begin_at: int) -> bytes | None:
    out: list[bytes] = []
    at = 0
    while at < len(pattern):
        char = pattern[at : at + 1]
        if char == b"*":
            source, at = _stars(pattern, at, begin_at)
            out.append(source)
        elif char == b"?":
            out.append(b"[^/]")
            at += 1
        elif char == b"[":
            found = _class(pattern, at + 1)
            if found is None:
                return None
            chosen, at = found
            out.append(_one_of(chosen))
        else:
            if char == b"\\":
                at += 1
                char = pattern[at : at + 1]
                if not char:
                    return None
            out.append(_one_of({char[0]}))
            at += 1
    return b"".join(out)


def _stars(pattern: bytes, at: int, begin_at: int) -> tuple[bytes, int]:
    end = at
    while pattern[end : end + 1] == b"*":
        end += 1
    begins = at in (0, begin_at) or pattern[at - 1 : at] == b"/"
    if end - at >= 2 and begins:
        if pattern[end : end + 1] == b"/":
            return b"(?:.*/)?", end + 1
        if end == len(pattern):
            return b".*", end
    return b"[^/]*", end


def _class(pattern: bytes, at: int) -> tuple[set[int], int] | None:
    """The bytes of `[...]` whose inside begins at `at`, and the place behind it; None when it is not closed."""
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    chosen: set[int] = set()
    first = at
    while pattern[at : at + 1] != b"]" or at == first:
        if pattern.startswith(b"[:", at) and (end := pattern.find(b":]", at + 2)) >= 0:
            name = pattern[at + 2 : end]
            if name not in _NAMED:
                return None
            chosen.update(_NAMED[name])
            at = end + 2
            continue
        low, at = _member(pattern, at)
        if low is None:
            return None
        if pattern[at : at + 1] == b"-" and pattern[at + 1 : at + 2] not in (b"", b"]"):
            high, at = _member(pattern, at + 1)
            if high is None:
                return None
            # Git has met the first by itself before it sees a range: of `b-a` that is all.
            chosen.update((low, *range(low, high + 1)))
        else:
            chosen.add(low)
    return (set(_ALL - chosen) if negated else chosen) - {_SLASH}, at + 1


def _member(pattern: bytes, at: int) -> tuple[int | None, int]:
    if pattern[at : at + 1] == b"\\":
        at += 1
    return (pattern[at], at + 1) if at < len(pattern) else (None, at)


def _one_of(chosen: Iterable[int]) -> bytes:
    """A class of bytes. Of none: an expression that matches nothing."""
    members = b"".join(b"\\x%02x" % byte for byte in sorted(chosen))
    return b"[" + members + b"]" if members else b"[^\\x00-\\xff]"


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = _MEMORY
    return options


class Patterns:
    """Several patterns, asked at once. Thread-safe. Each must be one that `translate` knows.

    Raises ValueError when they are too many and too intricate to be asked together.
    """

    def __init__(self, patterns: Sequence[bytes]) -> None:
        if sum(map(len, patterns)) > MAX_TOGETHER:
            raise ValueError(f"The patterns have more than {MAX_TOGETHER:,} bytes together.")
        self._sources = [source for pattern in patterns if (source := translate(pattern)) is not None]
        assert len(self._sources) == len(patterns), "a pattern that matches nothing"
        self._set = re2.Set.FullMatchSet(_options())
        # Matches everything: when not even this does, the set has run out of memory and says nothing.
        self._set.Add(b"(?s:.*)")
        for source in self._sources:
            self._set.Add(source)
        try:
            self._set.Compile()
        except re2.error as error:
            raise ValueError("The patterns are too intricate to be asked together; use fewer `*`.") from error

    def last(self, path: bytes) -> int | None:
        """The number of the last pattern that a path matches, from 0; None when there is none."""
        found = self._set.Match(path)
        if not found:
            return self._last_by_hand(path)
        last = max(found)
        return last - 1 if last else None

    def _last_by_hand(self, path: bytes) -> int | None:
        options = _options()
        for at in range(len(self._sources) - 1, -1, -1):
            if re2.compile(self._sources[at], options).fullmatch(path) is not None:
                return at
        return None
