"""What is told of a commit: a record counts by the lines that it shares with what was added, and each line once."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest

from mic.core.attribution import LINES
from mic.git.agent_trace import read_traces
from mic.git.authorship import MAX_NOTE
from mic.git.notes import Notes
from mic.git.packentry import BLOB, COMMIT, TREE, object_id
from mic.git.packindex import PackIndex
from mic.git.packs import Pack, Packs
from mic.git.packwrite import PackWriter
from mic.git.told import Telling, Told

OLD = b"".join(b"old %d\n" % number for number in range(1, 5))
# The commit adds lines 3 and 4.
NEW = b"old 1\nold 2\nnew 3\nnew 4\nold 3\nold 4\n"
CONTENT = hashlib.sha256(NEW).digest()
FILE = b"a.py"


class _Repository:
    """Objects in one pack that is read after all of them are there."""

    def __init__(self) -> None:
        self._out = io.BytesIO()
        self._writer = PackWriter(self._out)

    def add(self, kind: int, data: bytes) -> bytes:
        oid = object_id(kind, data)
        self._writer.add(kind, oid, data)
        return oid

    def tree(self, name: bytes, data: bytes) -> bytes:
        return self.add(TREE, b"100644 " + name + b"\0" + self.add(BLOB, data))

    def commit(self, tree: bytes) -> bytes:
        who = b"A <a@example.org> 1700000000 +0000"
        return self.add(COMMIT, b"tree %b\nauthor %b\ncommitter %b\n\nx\n" % (tree.hex().encode(), who, who))

    def packs(self) -> Packs:
        written = self._writer.finish()
        raw = self._out.getvalue()
        index = PackIndex(written.index, "index")
        return Packs([Pack("pack", index, lambda offset, length: raw[offset : offset + length])], lambda name: iter(()))


def _told(ranges: list[tuple[int, int]] | None = None, note: bytes = b"") -> Told:
    """Of the commit that adds lines 3 and 4: by a record of these ranges, or by a note."""
    made = _Repository()
    before, tree = made.tree(FILE, OLD), made.tree(FILE, NEW)
    commit = made.commit(tree)
    tip = made.commit(made.tree(commit.hex().encode(), note)) if note else b""
    packs = made.packs()
    talk = {
        "contributor": {"type": "ai", "model_id": "anthropic/claude-x"},
        "ranges": [{"start_line": first, "end_line": last} for first, last in ranges or ()],
    }
    record: dict[str, Any] = {
        "version": "0.1", "id": "1", "timestamp": "2026-01-01T00:00:00Z", "tool": {"name": "cursor"},
        "vcs": {"type": "git", "revision": commit.hex()}, "files": [{"path": "a.py", "conversations": [talk]}],
    }  # fmt: skip
    traces = {commit.hex(): list(read_traces(json.dumps(record).encode()))} if ranges else {}
    telling = Telling(packs, Notes(packs, tip, MAX_NOTE), traces)
    return telling.of(commit, tree, before, lambda: {FILE: CONTENT})


@pytest.mark.parametrize(
    ("ranges", "counts"),
    [
        ([(3, 4)], True),
        ([(1, 6)], True),  # around what was added
        ([(1, 3)], True),  # one line of it, at its beginning
        ([(4, 6)], True),  # and at its end
        ([(3, 3), (4, 4)], True),
        ([(1, 2)], False),  # next to it
        ([(5, 6)], False),
        ([(3, 4), (5, 6)], False),  # every range has to have one
        ([(1, 2), (3, 4)], False),
    ],
)
def test_a_record_counts_when_each_of_its_ranges_shares_a_line_with_what_was_added(
    ranges: list[tuple[int, int]], counts: bool
) -> None:
    assert _told(ranges) == Told("cursor:claude-x" if counts else "", {})


A, B, C = (f"s_{number:014x}" for number in (1, 2, 3))


def _runs(*attested: tuple[str, str]) -> list[tuple[int, int, str]]:
    """(first, last, tool) of the lines of the file by a log that attests these."""
    sessions = {
        key: {"agent_id": {"tool": tool, "id": key, "model": ""}} for key, tool in ((A, "a"), (B, "b"), (C, "c"))
    }
    said = {"schema_version": "authorship/3.0.0", "base_commit_sha": "", "prompts": {}, "sessions": sessions}
    lines = [f"  {key}::t_00000000000001 {ranges}" for key, ranges in attested]
    found = _told(note="\n".join(["a.py", *lines, "---", json.dumps(said)]).encode()).attribution[LINES]
    (file,) = found["files"]
    writers = [writer["name"] for writer in found["writers"]]
    return [(first, first + count - 1, writers[number]) for first, count, number in file["lines"]]


@pytest.mark.parametrize(
    ("attested", "runs"),
    [
        ([(A, "1-3"), (B, "3-5")], [(1, 3, "a"), (4, 5, "b")]),  # one line in both
        ([(A, "1-3"), (B, "4-5")], [(1, 3, "a"), (4, 5, "b")]),  # none
        ([(A, "1-3"), (B, "5-6")], [(1, 3, "a"), (5, 6, "b")]),  # a line of nobody's between them
        ([(B, "2-5"), (A, "1-3")], [(1, 3, "a"), (4, 5, "b")]),  # by where they begin, not by who stands first
        ([(A, "1-6"), (B, "2-4"), (C, "5-8")], [(1, 6, "a"), (7, 8, "c")]),  # one inside of another has none left
        ([(A, "1-3"), (B, "1-5")], [(1, 3, "a"), (4, 5, "b")]),  # of one beginning: who stands first
        ([(B, "1-5"), (A, "1-3")], [(1, 5, "b")]),
        ([(A, "1-3"), (B, "2-3"), (C, "3-4")], [(1, 3, "a"), (4, 4, "c")]),
    ],
)
def test_lines_that_a_log_gives_to_several_are_theirs_whose_run_begins_first(
    attested: list[tuple[str, str]], runs: list[tuple[int, int, str]]
) -> None:
    assert _runs(*attested) == runs
