"""Blame of random histories in which every line is written once, so that a line is known by its content."""

from __future__ import annotations

import itertools
import random
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from ledgers import land, request, traced
from mic.ledger.blame import Bounds, blame
from mic.ledger.blame_cache import BlameCache
from mic.ledger.path_history import view_of
from mic.ledger.project import Project
from mic.store import MemoryStore

LANDINGS = 40
PATHS = [b"a", b"b", b"c", b"d/e", b"d/f", b"g", b"h"]


class Line(NamedTuple):
    """A line of the model: its text, the landing that wrote it, the path and the line it was there, from 1."""

    text: bytes
    landing: int
    path: bytes
    number: int


class Model:
    """Files as lists of lines that know who wrote them. It never sees a record, a difference or a hash."""

    def __init__(self, rnd: random.Random) -> None:
        self.rnd = rnd
        self.files: dict[bytes, list[Line]] = {}
        self.trees: list[dict[bytes, list[Line]]] = [{}]
        self._texts = map(b"%d\n".__mod__, itertools.count())

    def edit(self, lines: list[Line], path: bytes, landing: int) -> list[Line]:
        """Some lines taken away, some written between the others."""
        made = [] if lines else [Line(next(self._texts), landing, path, number) for number in range(1, 21)]
        for line in [*lines, None]:
            while self.rnd.random() < 0.15:
                made.append(Line(next(self._texts), landing, path, len(made) + 1))
            if line is not None and self.rnd.random() > 0.1:
                made.append(line)
        return made

    def landed(self) -> None:
        self.trees.append(dict(self.files))


def _text(lines: list[Line]) -> bytes:
    return b"".join(line.text for line in lines)


def _live(project: Project, model: Model) -> None:
    """One landing: a file is written, edited, deleted, moved as it is, or copied with the client saying so."""
    rnd, landing = model.rnd, len(model.trees)
    path = rnd.choice(PATHS)
    act = rnd.choice(["edit", "edit", "edit", "move", "copy", "delete"])
    there = path in model.files
    others = sorted(set(model.files) - {path})
    if act == "delete" and there:
        del model.files[path]
        land(project, landing, landing - 1, {path: None})
    elif act == "move" and not there and others and model.files[source := rnd.choice(others)]:
        # Two files of one content could each be it, which is a case of its own.
        content = model.files.pop(source)
        if any(_text(lines) == _text(content) for lines in model.files.values()):
            model.files[source] = content
            return _live(project, model)
        model.files[path] = content
        land(project, landing, landing - 1, {source: None, path: _text(content)})
    elif act == "copy" and not there and others:
        source, base = rnd.choice(others), rnd.randrange(max(1, landing - 8), landing)
        seen = model.trees[base]
        if source not in seen or path in seen or path in model.files:
            return _live(project, model)
        model.files[path] = model.edit(seen[source], path, landing)
        wanted = request(project, landing, base, {path: _text(model.files[path])})
        changes = tuple(replace(change, copied_from=source) for change in wanted.session.changes)
        project.land(wanted._replace(session=replace(wanted.session, changes=changes)))
    else:
        before = model.files.get(path, [])
        after = model.edit(before, path, landing)
        if there and _text(after) == _text(before):
            return _live(project, model)
        model.files[path] = after
        land(project, landing, landing - 1, {path: _text(after)})
    model.landed()
    return None


def _check(project: Project, model: Model, cache: BlameCache, at: int, bounds: Bounds) -> None:
    for path, lines in model.trees[at].items():
        for _ in range(LANDINGS):
            found = project.run(blame(view_of(project.line), cache, path, at, bounds))
            told = [
                (text, *found.blame.origins[origin][:2], number + 1)
                for text, origin, number in zip(
                    found.data.splitlines(keepends=True), found.blame.origin, found.blame.line, strict=True
                )
                if found.blame.origins[origin].settled
            ]
            if found.blame.unsettled is None:
                assert told == [tuple(line) for line in lines], (path, at)
                break
            # What is told before the end is reached is true as well.
            assert set(told) <= {tuple(line) for line in lines}
        else:
            raise AssertionError("it never came to an end")


@pytest.mark.parametrize("seed", range(12))
def test_each_line_is_told_who_wrote_it(seed: int) -> None:
    rnd = random.Random(seed)
    project, _ = traced(MemoryStore())
    project.create()
    model = Model(rnd)
    for _ in range(LANDINGS):
        _live(project, model)
    assert project.head().position == LANDINGS
    cache = BlameCache()
    for at in (LANDINGS, 10, 20, *range(LANDINGS - 5, LANDINGS)):
        _check(project, model, BlameCache(), at, Bounds())
        _check(project, model, cache, at, Bounds())
        _check(project, model, BlameCache(), at, Bounds(versions=2))
