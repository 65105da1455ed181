"""`refs/notes/ai` as real git fetches it: a note for each landing whose author is known."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from compat.git.test_served import land
from git_server import GitClient, GitServer
from ledgers import LINK, request, traced
from mic.core.session import Author
from mic.git import kept_notes as notes_module
from mic.git.authorship import decode_authorship
from mic.git.kept import KeptObjects
from mic.git.served import ServedRepository
from mic.ledger.project import Project
from mic.store import MemoryStore

NOTES = "refs/notes/ai:refs/notes/ai"
ADA = Author("Ada", "ada@example.com")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def project(store: MemoryStore) -> Project:
    made, _ = traced(store)
    made.create()
    return made


class _Front:
    """A front end of its own: whoever asks gets a new look at the project."""

    def __init__(self, project: Project) -> None:
        self.kept = KeptObjects(project)
        self.server = GitServer({})
        self.server.repositories = self  # type: ignore[assignment]

    def get(self, name: str) -> ServedRepository | None:
        return ServedRepository(self.kept) if name == "o/p" else None


@pytest.fixture
def front(project: Project) -> Iterator[_Front]:
    front = _Front(project)
    yield front
    front.server.stop()


@pytest.fixture
def git(front: _Front, tmp_path: Path) -> GitClient:
    client = GitClient(tmp_path / "clone")
    client("init", "-q", "--bare", "-b", "main", ".")
    client("remote", "add", "origin", f"{front.server.url}/o/p")
    return client


def _note(git: GitClient, revision: str) -> str:
    return git("notes", "--ref=ai", "show", revision)


def _added_by_git(git: GitClient, revision: str) -> dict[str, set[int]]:
    """Which lines of which files git's own blame gives to a commit."""
    commit = git("rev-parse", revision)
    found: dict[str, set[int]] = {}
    for name in git("ls-tree", "-r", "--name-only", commit).splitlines():
        blamed = git("blame", "--porcelain", commit, "--", name).splitlines()
        heads = [line.split() for line in blamed if line[:40].isalnum() and len(line.split()[0]) == 40]
        lines = {int(head[2]) for head in heads if head[0] == commit}
        if lines:
            found[name] = lines
    return found


def _attested(note: str) -> dict[str, set[int]]:
    log = decode_authorship(note.encode())
    return {
        path: {number for item in items for first, last in item.ranges for number in range(first, last + 1)}
        for path, items in log.files.items()
    }


def test_a_landing_with_an_agent_and_one_by_hand(project: Project, git: GitClient) -> None:
    """The whole text of each note, and that no clone has it who does not ask."""
    land(
        project, {b"a.txt": b"one\ntwo\n", b"link": (LINK, b"a.txt"), b"b.bin": b"\0"}, agent="claude-code", author=ADA
    )
    land(project, {b"a.txt": b"one\n1.5\ntwo\nthree\n"}, author=ADA)
    git("fetch", "-q", "origin", "+refs/*:refs/*")
    assert git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/notes", "refs/imported") == "refs/heads/main"
    assert (
        git("ls-remote", "origin") == f"{git('rev-parse', 'main')}\tHEAD\n{git('rev-parse', 'main')}\trefs/heads/main"
    )
    git("fetch", "-q", "origin", NOTES)
    git("fsck", "--strict", "--full")
    first, second = git("rev-list", "--reverse", "main").split()
    session = project.landing(1).session
    text = git("log", "-1", "--format=%B", first)
    ulid = next(line.split(": ")[1] for line in text.splitlines() if line.startswith("Micelio-Session"))
    files, _, document = _note(git, first).partition("\n---\n")
    log = json.loads(document)
    (key,) = log["sessions"]
    assert files.startswith(f"a.txt\n  {key}::t_")
    assert files.endswith(" 1-2")
    assert log == {
        "schema_version": "authorship/3.0.0",
        "base_commit_sha": first,
        "prompts": {},
        "sessions": {
            key: {
                "agent_id": {"tool": "claude-code", "id": ulid, "model": "unknown"},
                "human_author": "Ada <ada@example.com>",
                "custom_attributes": {"micelio_session": ulid, "micelio_position": "1"},
            }
        },
    }
    assert session.agent == "claude-code"
    # printf 'Ada <ada@example.com>' | sha256sum
    assert _note(git, second).startswith("a.txt\n  h_4f76d9bb90f637 2,4\n---\n")
    assert _attested(_note(git, second)) == {"a.txt": {2, 4}}
    assert json.loads(_note(git, second).partition("---\n")[2]) == {
        "schema_version": "authorship/3.0.0",
        "base_commit_sha": second,
        "prompts": {},
        "humans": {"h_4f76d9bb90f637": {"author": "Ada <ada@example.com>"}},
    }


def test_the_lines_are_those_that_git_blames_on_the_commit(project: Project, git: GitClient) -> None:
    """Over a random history, also of files whose names hold blanks; other modes and what is binary are left out."""
    draw = random.Random(11)
    model: dict[bytes, list[bytes]] = {b"a": [], b"dir/b c": [], b"dir/sub/d": []}
    for number in range(25):
        path = draw.choice(list(model))
        lines = model[path]
        for _ in range(draw.randint(1, 4)):
            at = draw.randint(0, len(lines))
            # Lines that occur once: then there is one shortest difference, and one answer.
            lines[at : at + draw.randint(0, 2)] = [b"%d\n" % draw.getrandbits(40) for _ in range(draw.randint(1, 3))]
        land(project, {path: b"".join(lines)}, agent=f"agent:model-{number}")
    git("fetch", "-q", "origin", "main:main", NOTES)
    commits = git("rev-list", "--reverse", "main").split()
    assert len(commits) == 25
    for commit in commits:
        assert _attested(_note(git, commit)) == _added_by_git(git, commit)


def test_every_front_end_says_the_same(store: MemoryStore, project: Project, git: GitClient) -> None:
    """One that follows along, and one that makes all at once, after everything of Git was removed."""
    tips = []
    for number in range(9):
        land(project, {b"file-%d" % number: b"content %d\n" % number}, agent="a" if number % 2 else "")
        git("fetch", "-q", "origin", "main:main", NOTES)
        tips.append(git("rev-parse", "refs/notes/ai"))
    assert git("rev-list", "--reverse", "refs/notes/ai").split() == tips
    for listed in list(store.list("projects/p/git/")):
        store.delete(listed.key)
    other, _ = traced(store)
    repository = ServedRepository(KeptObjects(other))
    (ref,) = repository.hidden([b"refs/notes/ai"])
    assert ref.oid.hex() == tips[-1]


def test_a_second_fetch_brings_what_is_new(project: Project, git: GitClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """In small steps too; packs are merged when they have become many, and a clone without notes has none of them."""
    monkeypatch.setattr(notes_module, "_LANDINGS", 3)
    for number in range(20):
        land(project, {b"file": b"%d\n" % number}, agent="a")
        if number % 3 == 0:
            git("fetch", "-q", "origin", "main:main", NOTES)
    before = int(git("count-objects", "-v").splitlines()[0].split()[1])
    git("fetch", "-q", "origin", "main:main", NOTES)
    after = int(git("count-objects", "-v").splitlines()[0].split()[1])
    # Of one landing: commit, tree, content; and of its note: commit, two trees, text.
    assert after - before == 7
    git("fsck", "--strict", "--full")
    for commit in git("rev-list", "main").split():
        assert json.loads(_note(git, commit).partition("---\n")[2])["base_commit_sha"] == commit
    git("clone", "-q", "--mirror", git("remote", "get-url", "origin"), "../mirror")
    assert git("-C", "../mirror", "cat-file", "--batch-all-objects", "--batch-check").count(" commit ") == 20


def test_what_moved_is_not_written_anew(project: Project, git: GitClient) -> None:
    """A copy that the session tells of is compared with what it is a copy of."""
    land(project, {b"old": b"1\n2\n3\n"}, agent="a")
    wanted = request(project, 900, 1, {b"old": None, b"new": b"1\n2\nx\n3\n"})
    session = wanted.session
    changes = tuple(
        msgspec.structs.replace(change, copied_from=b"old" if change.path == b"new" else b"")
        for change in session.changes
    )
    project.land(wanted._replace(session=msgspec.structs.replace(session, changes=changes, agent="a")))
    git("fetch", "-q", "origin", "main:main", NOTES)
    assert _attested(_note(git, "main")) == {"new": {3}}


def test_a_project_without_a_landing_has_no_notes(git: GitClient) -> None:
    """As git says of any ref that is not there."""
    assert "couldn't find remote ref" in git.fails("fetch", "-q", "origin", NOTES)
