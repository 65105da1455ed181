"""The search: one pass of one expression over a content, then a close look at what it stopped at.

A content may come in pieces; the findings are the same however it is cut. Time and memory are bounded by
construction: RE2 searches in linear time, the close look reads at most `REACH` bytes, and at most `MAX_FINDINGS` are
kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from functools import cache
from typing import Any, TypeVar

import re2

from mic.core.scanning.borrowed import ANCHOR, ANCHOR_STARTS, borrowed
from mic.core.scanning.context import CONTEXTS, Context
from mic.core.scanning.finding import Finding, fingerprint, masked
from mic.core.scanning.plausible import is_random
from mic.core.scanning.rules import REACH, RULES, Rule

K = TypeVar("K", bound=Hashable)

# Of one content. Whoever sends more has to look at the file, not at a list.
MAX_FINDINGS = 100
# What is searched at a time, when a content comes in pieces.
PIECE = 1 << 20
# Kept before the place where a search goes on: a word may have begun there.
_BEHIND = 64
# Small contents are searched together, with so much between them that nothing is found across.
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_GAP = b"\n\n\n\n\n\x00\n\n\n\n\n"
_BATCH = 1 << 20
_TOGETHER = 64 << 10
# So much of a text in UTF-16 is NUL, about, if it is in a European language.
_SPARSE = 4
_PROBE = 4096
# A close look takes some 50 us. Of 38,894 files of Python packages none asked for more than 167 of them, or one for 176
# bytes. A content that asks for more than this was made to be slow, and is itself a finding.
_LOOKS = 5_000
_BYTES_A_LOOK = 128
LOOK_ALIKES = "too-many-look-alikes"

# RE2 turns to a slower automaton beyond this, never to a wrong answer.
_MEMORY = 64 << 20


def _compiled(pattern: bytes, *, captures: bool = True) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = _MEMORY
    options.never_capture = not captures
    return re2.compile(pattern, options)


# Compiled when something is first searched: that takes 0.13 s, and most processes that can search never do.
@cache
def _any() -> Any:
    """Where a closer look is worth it: every rule, every context and what is not ours, in one expression."""
    parts = [rule.pattern for rule in RULES] + [item.pattern for item in CONTEXTS] + [ANCHOR]
    return _joined(parts)


@cache
def _specific() -> Any:
    """What has a form of its own."""
    return _joined([rule.pattern for rule in RULES])


def _joined(parts: Iterable[bytes]) -> Any:
    return _compiled(b"|".join(b"(?:" + part + b")" for part in parts), captures=False)


@cache
def _anchor() -> Any:
    return _compiled(ANCHOR)


@cache
def _by_start() -> dict[bytes, list[tuple[Rule, Any, Any]]]:
    """Rules with their pattern and tail, by the first three bytes of what they find."""
    found: dict[bytes, list[tuple[Rule, Any, Any]]] = {}
    for rule in RULES:
        item = rule, _compiled(rule.pattern), _compiled(rule.tail)
        for start in rule.starts:
            found.setdefault(start, []).append(item)
    return found


@cache
def _contexts() -> dict[int, list[tuple[Context, Any]]]:
    """Contexts with their pattern, by their first byte."""
    found: dict[int, list[tuple[Context, Any]]] = {}
    for context in CONTEXTS:
        pattern = _compiled(context.pattern)
        for byte in context.starts:
            found.setdefault(byte, []).append((context, pattern))
    return found


Hit = tuple[str, bytes, int, int]  # rule, what may be shown, start, stop


def _look(data: bytes, at: int) -> list[Hit]:
    """What begins at an offset where the search stopped, or stands around it; empty when it only looks like something.

    Only detectors that are not ours have more than one answer.
    """
    hit = _named(data, at)
    if hit is not None:
        return [hit]
    for item, pattern in _contexts().get(data[at], ()):
        hit = _in_context(data, at, item, pattern)
        if hit is not None:
            return [hit]
    if data[at] not in ANCHOR_STARTS or _anchor().match(data, at) is None:
        return []
    return [(name, b"", start, stop) for name, start, stop in borrowed(data, at)]


def _named(data: bytes, at: int) -> Hit | None:
    for rule, pattern, tail in _by_start().get(data[at : at + 3], ()):
        match = pattern.match(data, at, at + rule.reach)
        if match is None:
            continue
        stop = match.end()
        if rule.bits and not is_random(data[at + rule.lead : stop], rule.bits):
            continue
        behind = tail.match(data, stop, at + rule.reach) if rule.tail else None
        if behind is not None:
            stop = behind.end()
        if rule.true is None or rule.true(data[at:stop]):
            return rule.name, data[at : at + rule.lead], at, stop
    return None


def _in_context(data: bytes, at: int, item: Context, pattern: Any) -> Hit | None:
    match = pattern.match(data, at, at + REACH)
    if match is None:
        return None
    start, stop = match.span(1)
    while item.before and start > max(0, at - item.before) and data[start - 1] in _WORD:
        start -= 1
    # Inside may stand what has a form of its own, which says more.
    inner = _specific().search(data, start, stop)
    named = _named(data, inner.start()) if inner is not None else None
    if named is not None:
        return named
    true = item.true(data[start:stop], *match.groups()[1:])
    return (item.name, item.lead, start, stop) if true else None


class _Stream:
    """One search through bytes that come in pieces."""

    def __init__(self, most: int = MAX_FINDINGS) -> None:
        self.findings: list[Finding] = []
        self._most = most
        self._looks = 0
        self._data = b""
        self._offset = 0  # of _data in the content
        self._next = 0  # where the search goes on, in _data
        self._lines = 0  # newlines before _data
        self._line_start = 0  # offset of the line that _data begins in
        self._recent: deque[tuple[int, int]] = deque(maxlen=16)  # where the last findings are

    def feed(self, data: bytes, final: bool) -> None:
        self._data = self._data + data if self._data else data
        if not final and len(self._data) < PIECE + REACH:
            return
        limit = len(self._data) if final else len(self._data) - REACH
        self._search(limit)
        self._drop(max(0, self._next - _BEHIND))

    def _search(self, limit: int) -> None:
        data, at, search = self._data, self._next, _any().search
        while len(self.findings) < self._most:
            match = search(data, at)
            if match is None or match.start() >= limit:
                break
            start = match.start()
            self._looks += 1
            if self._looks > _LOOKS + (self._offset + start) // _BYTES_A_LOOK:
                self._keep((LOOK_ALIKES, b"", start, match.end()), secret=b"")
                self._most = 0
                break
            at = start + 3
            for hit in _look(data, start):
                at = max(self._take(hit, start), at)
        self._next = max(at, limit)

    def _take(self, hit: Hit, at: int) -> int:
        """Keep a hit unless it overlaps one that is kept; where the search goes on.

        What a name points to stands behind the name, and something else may stand between the two.
        """
        begin, end = self._offset + hit[2], self._offset + hit[3]
        for start, stop in self._recent:
            if start < end and begin < stop:
                return stop - self._offset if start <= self._offset + at < stop else at
        self._keep(hit)
        self._recent.append((begin, end))
        return hit[3] if hit[2] <= at else at

    def _keep(self, hit: Hit, secret: bytes | None = None) -> None:
        rule, lead, start, stop = hit
        before = self._data.rfind(b"\n", 0, start)
        begin = self._offset + before + 1 if before >= 0 else self._line_start
        line = self._lines + self._data.count(b"\n", 0, start) + 1
        name = fingerprint(rule, self._data[start:stop] if secret is None else secret)
        offset = self._offset + start
        excerpt = masked(lead, stop - start)
        self.findings.append(Finding(rule, line, offset - begin + 1, excerpt, name, offset, self._offset + stop))

    def _drop(self, count: int) -> None:
        count = min(count, len(self._data))
        before = self._data.rfind(b"\n", 0, count)
        if before >= 0:
            self._line_start = self._offset + before + 1
        self._lines += self._data.count(b"\n", 0, count)
        self._data = self._data[count:]
        self._offset += count
        self._next -= count


class Scan:
    """The search through one content, piece by piece; `findings` are complete after `finish`."""

    def __init__(self) -> None:
        self._plain = _Stream()
        self._wide: _Stream | None = None
        self._probe: bytes | None = b""

    def feed(self, data: bytes) -> None:
        """The next bytes of the content."""
        self._feed(data, final=False)

    def finish(self, data: bytes = b"") -> list[Finding]:
        """The last bytes; the findings in the order of the content, at most MAX_FINDINGS."""
        self._feed(data, final=True)
        found = self._plain.findings
        if self._wide is not None:
            known = {item.fingerprint for item in found}
            found = found + [item for item in self._wide.findings if item.fingerprint not in known]
        return sorted(found[:MAX_FINDINGS], key=_place)

    def _feed(self, data: bytes, final: bool) -> None:
        self._plain.feed(data, final)
        if self._probe is not None:
            self._probe = self._probe + data if self._probe else data
            if len(self._probe) < _PROBE and not final:
                return
            data, probe = self._probe, self._probe[:_PROBE]
            self._probe = None
            # Texts in UTF-16 have a NUL for every letter. They are read once more without.
            if probe and probe.count(0) * _SPARSE >= len(probe):
                self._wide = _Stream()
        if self._wide is not None:
            self._wide.feed(data.replace(b"\x00", b""), final)


def scan(data: bytes) -> list[Finding]:
    """The secrets in a content."""
    return Scan().finish(data)


def scan_whole(data: bytes) -> list[Finding]:
    """Every secret in a text that is not in UTF-16, however many there are."""
    stream = _Stream(most=len(data) + 1)
    stream.feed(data, final=True)
    return sorted(stream.findings, key=_place)


def _place(item: Finding) -> int:
    return item.start


def scan_many(contents: Iterable[tuple[K, bytes]]) -> Iterator[tuple[K, list[Finding]]]:
    """The secrets in many contents: those that have some, by the key that came with them.

    Small ones are searched together, which takes a tenth of the time. A batch with a hit is searched one by one.
    """
    batch: list[tuple[K, bytes]] = []
    size = 0
    for key, data in contents:
        if len(data) > _TOGETHER or data.count(0, 0, _PROBE) * _SPARSE >= min(len(data), _PROBE) > 0:
            if found := scan(data):
                yield key, found
            continue
        batch.append((key, data))
        size += len(data) + len(_GAP)
        if size >= _BATCH:
            yield from _scan_batch(batch)
            batch, size = [], 0
    yield from _scan_batch(batch)


def _scan_batch(batch: list[tuple[K, bytes]]) -> Iterator[tuple[K, list[Finding]]]:
    joined = _GAP.join(data for _, data in batch)
    starts, at = [], 0
    for _, data in batch:
        starts.append(at)
        at += len(data) + len(_GAP)
    at = 0
    while (match := _any().search(joined, at)) is not None:
        number = bisect_right(starts, match.start()) - 1
        key, data = batch[number]
        if found := scan(data):
            yield key, found
        at = starts[number] + len(data) + len(_GAP)
        if number + 1 >= len(batch):
            break
