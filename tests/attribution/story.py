"""Sessions that edit, indent, move, rename, copy, delete and bring back; alone, side by side, and merged.

Each event has a random source of its own, so a story can be told again with some of them left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from attribution.model import File, Line, Lines, text_of
from mic.core.attribution import Attribution, FileLines, Run, Writer, stored, wrote
from mic.core.ids import content_hash

PATHS = (b"a", b"b", b"c.py", b"d/e", b"d/f", b"g/h/i")
WRITERS = (Writer("agent", "claude"), Writer("agent"), Writer("person"), Writer("person", "Ada"))
UNTRACKED = -1
# How a session says who wrote the lines of a file: not at all, line by line, or at each step of the work.
SAID = ("whole", "lines", "steps")
Tree = dict[bytes, File]


@dataclass
class Edit:
    """What a session makes of a path: its lines (None: it goes), who wrote those that are its own, what it says."""

    lines: Lines | None
    own: dict[int, int] = field(default_factory=dict)  # token -> number of the writer, UNTRACKED
    said: FileLines | None = None
    copied_from: bytes = b""
    follows: bytes = b""  # the path at the base that it goes on from; itself, another one, or none


@dataclass
class Work:
    """A session. `whole` is what is known of it as a whole: agent, person, untracked."""

    number: int
    base: int
    whole: str
    edits: dict[bytes, Edit]

    @property
    def attribution(self) -> dict[str, object]:
        files = {path: edit.said for path, edit in self.edits.items() if edit.said is not None}
        return stored(Attribution(WRITERS, files))


class Teller:
    """Makes sessions of random numbers. Tokens that went may come back, but not in two sessions at once."""

    def __init__(self) -> None:
        self._fresh = itertools.count(1)
        self.gone: set[int] = set()

    def work(self, rnd: Random, number: int, base: int, tree: Tree, alone: bool) -> Work:
        """A session on a tree. One that is not `alone` lands later: it moves nothing, so that none moves twice."""
        whole = rnd.choice(("agent", "agent", "person", "untracked"))
        work = Work(number, base, whole, {})
        if alone and tree and rnd.random() < 0.25:
            self._file_act(rnd, work, tree)
        for path in rnd.sample(PATHS, rnd.choice((1, 1, 2, 3) if alone else (1, 1, 2))):
            if path not in work.edits and path not in {edit.follows for edit in work.edits.values()}:
                self._edit(rnd, work, path, tree.get(path), path if path in tree else b"", alone)
        return work

    def again(self, rnd: Random, work: Work, number: int, base: int, tree: Tree) -> Work:
        """A session that clashed, made anew on what landed: its own lines, somewhere among those that are there now."""
        made = Work(number, base, work.whole, {})
        for path, old in work.edits.items():
            before = tree.get(path)
            there = {line.token for line in before.lines} if before else set()
            own = [line for line in old.lines or () if line.token in old.own and line.token not in there]
            if not own:
                continue
            lines = list(before.lines) if before else []
            for line in own:
                lines.insert(rnd.randrange(len(lines) + 1), line)
            edit = Edit(tuple(lines), {line.token: old.own[line.token] for line in own})
            edit.follows = path if before else b""
            edit.said = _said_by_line(path, edit) if old.said is not None else None
            made.edits[path] = edit
        return made

    def _file_act(self, rnd: Random, work: Work, tree: Tree) -> None:
        source = rnd.choice(sorted(tree))
        free = [path for path in PATHS if path not in tree]
        act = rnd.choice(("delete", "move", "rename", "copy"))
        if act == "delete" or not free or not tree[source].lines:
            work.edits[source] = Edit(None)
            return
        path = rnd.choice(free)
        if act == "move":  # as it is, with nothing said: it goes on from the one that went
            work.edits[path] = Edit(tree[source].lines, follows=source)
        else:
            self._edit(rnd, work, path, tree[source], source, True)
            if path not in work.edits:
                return
            work.edits[path].copied_from = source
        if act != "copy":
            work.edits[source] = Edit(None)

    def _edit(self, rnd: Random, work: Work, path: bytes, before: File | None, follows: bytes, alone: bool) -> None:
        lines = before.lines if before else ()
        said = rnd.choice(SAID)
        edit = Edit(lines, follows=follows)
        claim: FileLines | None = FileLines(path, b"")
        for _ in range(rnd.choice((1, 1, 2, 3) if alone else (1, 1, 2))):
            writer = rnd.choice((UNTRACKED, *range(len(WRITERS))))
            old = lines
            lines = self._step(rnd, lines, edit.own, writer, alone)
            if said == "steps":
                # What the client does: it notes what differs since it looked last. Of what is untracked nobody tells.
                text = text_of(lines)
                claim = wrote(claim, text_of(old), text, content_hash(text), writer)
        if before and lines == before.lines and follows == path:
            return
        edit.lines = lines
        edit.own = {line.token: edit.own[line.token] for line in lines if line.token in edit.own}
        if said == "steps":
            edit.said = claim
        elif said == "lines":
            edit.said = _said_by_line(path, edit, rnd)
        work.edits[path] = edit

    def _step(self, rnd: Random, lines: Lines, own: dict[int, int], writer: int, alone: bool) -> Lines:
        made = list(lines)
        act = rnd.choice(("write", "write", "write", "take", "indent", "shift", "back"))
        if act == "indent" and made:
            at = rnd.randrange(len(made))
            deep = rnd.choice((0, 1, 2, 3))
            for number in range(at, min(len(made), at + rnd.choice((1, 2, 5, 40) if alone else (1, 3)))):
                made[number] = made[number]._replace(indent=deep)
        elif act == "shift" and alone and len(made) > 2:
            at = rnd.randrange(len(made))
            block = made[at : at + rnd.choice((1, 2, 4))]
            del made[at : at + len(block)]
            to = rnd.randrange(len(made) + 1)
            made[to:to] = [line._replace(indent=(line.indent + rnd.choice((0, 0, 1))) % 4) for line in block]
        elif act == "take" and made:
            at = rnd.randrange(len(made))
            del made[at : at + rnd.choice((1, 1, 3, 8))]
        if act == "write" or not made:
            at = rnd.randrange(len(made) + 1)
            fresh = [
                Line(next(self._fresh), rnd.randrange(3))
                for _ in range(rnd.choice((1, 1, 2, 5, 12) if made else (20, 60)))
            ]
            made[at : at + rnd.choice((0, 0, 1, 2))] = fresh
            own.update((line.token, writer) for line in fresh)
        if act == "back" and self.gone:
            token = rnd.choice(sorted(self.gone))
            if all(line.token != token for line in made) and token not in own:
                self.gone.discard(token)
                made.insert(rnd.randrange(len(made) + 1), Line(token, rnd.randrange(3)))
                own[token] = writer
        return tuple(made)


def _said_by_line(path: bytes, edit: Edit, rnd: Random | None = None) -> FileLines:
    """Said exactly, or, which must not matter, of lines that are not the session's own as well."""
    assert edit.lines is not None
    runs: list[Run] = []
    for number, line in enumerate(edit.lines, 1):
        writer = edit.own.get(line.token)
        if writer is None and rnd is not None and rnd.random() < 0.1:
            writer = rnd.randrange(len(WRITERS))
        if writer is not None and writer != UNTRACKED:
            runs.append((number, 1, writer))
    return FileLines(path, content_hash(text_of(edit.lines)), tuple(runs))


def events(seed: int, count: int) -> Iterator[tuple[int, Random]]:
    """The events of a story, each with its own random numbers."""
    for number in range(1, count + 1):
        yield number, Random(f"{seed}:{number}")
