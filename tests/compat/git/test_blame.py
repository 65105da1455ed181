"""Blame of an imported history against `git blame` of the same commits. Each line is written once: diffs agree."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from compat.git.builder import ENVIRONMENT
from git_server import GitClient
from ledgers import REGULAR
from mic.core.blob import encode_blob
from mic.core.ids import content_hash
from mic.core.session import Author, Op
from mic.ledger.history import HistoryCommit
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import MemoryStore

COMMITS = 120


def _edited(rnd: random.Random, text: bytes, fresh: itertools.count[int]) -> bytes:
    lines = text.splitlines(keepends=True)
    for _ in range(rnd.randrange(1, 4)):
        at = rnd.randrange(len(lines) + 1)
        lines[at : at + rnd.randrange(3)] = [b"line %d\n" % next(fresh) for _ in range(rnd.randrange(4))]
    return b"".join(lines)


def _story(rnd: random.Random) -> list[dict[bytes, bytes | None]]:
    """What each commit makes of its files: edits of two, and now and then one of them moves as it is."""
    fresh = itertools.count()
    names = [b"a.txt", b"d/b.txt"]
    texts = [b"".join(b"line %d\n" % next(fresh) for _ in range(60)) for _ in names]
    story: list[dict[bytes, bytes | None]] = [dict(zip(names, texts, strict=True))]
    for number in range(1, COMMITS):
        which = rnd.randrange(2)
        if rnd.random() < 0.08:
            gone, names[which] = names[which], b"moved/%d.txt" % number
            story.append({gone: None, names[which]: texts[which]})
        else:
            before = texts[which]
            while texts[which] == before:
                texts[which] = _edited(rnd, before, fresh)
            story.append({names[which]: texts[which]})
    return story


def _to_git(git: GitClient, story: list[dict[bytes, bytes | None]]) -> list[str]:
    stream = b""
    for number, files in enumerate(story):
        stream += b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 1\nx\n" % (1_700_000_000 + number)
        for path, text in files.items():
            if text is None:
                stream += b"D %s\n" % path
            else:
                stream += b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(text), text)
    git("init", "-q", "--bare", ".")
    git("fast-import", "--quiet", data=stream)
    return git("rev-list", "--reverse", "main").split()


def _to_project(story: list[dict[bytes, bytes | None]], oids: list[str]) -> Project:
    project = Ledger(MemoryStore()).open("p")
    project.create()
    history, there = project.import_history("test", bytes(16)), set[bytes]()
    for number, (files, oid) in enumerate(zip(story, oids, strict=True)):
        changes = []
        for path, text in files.items():
            if text is None:
                changes.append((path, int(Op.DELETED), 0, b"", 0))
                continue
            history.add_content(content_hash(text), len(text), encode_blob(text))
            op = int(Op.MODIFIED if path in there else Op.ADDED)
            changes.append((path, op, REGULAR, content_hash(text), len(text)))
            there.add(path)
        project.run(history.add_commit(HistoryCommit(bytes.fromhex(oid), b"", Author("A"), number, "x", changes)))
    project.finish_import(history)
    return project


def _git_blame(git: GitClient, commit: str, path: bytes) -> list[tuple[str, str, int]]:
    """Commit, name of the file there and line there, of each line."""
    found, name = [], {}
    commit_here, line = "", 0
    for row in git("blame", "--line-porcelain", commit, "--", path.decode()).splitlines():
        words = row.split(" ")
        if row.startswith("\t"):
            found.append((commit_here, name[commit_here], line))
        elif words[0] == "filename":
            name[commit_here] = words[1]
        elif len(words[0]) == 40:
            commit_here, line = words[0], int(words[1])
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_same_lines_come_from_the_same_commits(seed: int, tmp_path: Path) -> None:
    story = _story(random.Random(seed))
    git = GitClient(tmp_path / "repo.git", **ENVIRONMENT)
    oids = _to_git(git, story)
    project = _to_project(story, oids)
    assert any(None in files.values() for files in story), "nothing moved"
    files: dict[bytes, bytes | None] = {}
    for position, changed in enumerate(story, 1):
        files.update(changed)
        if position % 13 and position != len(story):
            continue
        for path in (path for path, text in files.items() if text):
            found = project.blame(path, position).blame
            assert found.unsettled is None
            told = [
                (oids[found.origins[origin].position - 1], found.origins[origin].path.decode(), line + 1)
                for origin, line in zip(found.origin, found.line, strict=True)
            ]
            assert told == _git_blame(git, oids[position - 1], path), (path, position)
