"""Who wrote what, both ways: notes of git-ai and Agent Trace records come with a push or an import."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from git_import import imported
from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World

NOTES = "refs/notes/ai"
FETCH = f"{NOTES}:{NOTES}"


@pytest.fixture
def git(tmp_path: Path) -> GitClient:
    client = GitClient(tmp_path / "work")
    client("init", "-q", "-b", "main", ".")
    return client


def _url(world: World, project: pb.ProjectRef, handle: str = "max") -> str:
    base = world.forge.base_url.replace("://", f"://x:{world.forge.token(handle)}@")
    return f"{base}/{project.organization}/{project.handle}"


def _commit(git: GitClient, name: str, text: str, message: str = "a commit") -> str:
    (git.folder / name).parent.mkdir(parents=True, exist_ok=True)
    (git.folder / name).write_text(text)
    git("add", ".")
    git("commit", "-q", "-m", message)
    return git("rev-parse", "HEAD")


def _log(path: str, entries: str, commit: str = "", **more: object) -> str:
    """A note in git-ai's form, with the one conversation that these tests know."""
    said = {
        "schema_version": "authorship/3.0.0",
        "git_ai_version": "1.4.5",
        "base_commit_sha": commit,
        "prompts": {},
        "humans": {"h_31dce776f88375": {"author": "Alice Smith <alice@example.com>"}},
        "sessions": {
            "s_c9883b05a2487d": {"agent_id": {"tool": "cursor", "id": "session_123", "model": "claude-3-sonnet"}}
        },
        **more,
    }
    return f"{path}\n{entries}---\n{json.dumps(said, indent=2)}"


AI = "  s_c9883b05a2487d::t_9f8e7d6c5b4a32 1-2\n"
HUMAN = "  h_31dce776f88375 3\n"


def _annotate(git: GitClient, commit: str, note: str) -> None:
    git("notes", "--ref=ai", "add", "-f", "-F", "-", commit, data=note.encode())


def _agents(world: World, project: pb.ProjectRef) -> list[str]:
    found = world.max("SessionService.ListLandings", pb.ListLandingsRequest(project=project)).landings
    return [landing.agent for landing in reversed(found)]


def test_notes_that_are_pushed_with_their_commits(world: World, git: GitClient, tmp_path: Path) -> None:
    """An agent's commit is an agent's landing; the note is served byte for byte, and its ref as it was pushed."""
    project = world.project()
    url = _url(world, project)
    git("remote", "add", "origin", url)
    first = _commit(git, "a.txt", "1\n2\n")
    second = _commit(git, "a.txt", "1\n2\n3\n", "by hand")
    third = _commit(git, "b.txt", "1\n2\n3\n", "both")
    fourth = _commit(git, "c.txt", "1\n")
    fifth = _commit(git, "d.txt", "1\n")
    _annotate(git, first, _log("a.txt", AI, first))
    _annotate(git, third, _log("b.txt", AI + HUMAN, third))
    _annotate(git, fourth, "no log at all")
    _annotate(git, fifth, _log("elsewhere.txt", AI, fifth))
    git("push", "-q", "origin", "main", NOTES)
    assert _agents(world, project) == ["cursor:claude-3-sonnet", "", "", "", ""]
    there = GitClient(tmp_path / "there")
    there("clone", "-q", "--mirror", url, ".")
    assert there("for-each-ref", "--format=%(refname)") == "refs/heads/main\nrefs/imported/notes/ai"
    assert there("rev-parse", "refs/imported/notes/ai") == git("rev-parse", NOTES)
    there("fetch", "-q", "origin", FETCH)
    assert there("notes", "--ref=ai", "show", first) == git("notes", "--ref=ai", "show", first)
    assert there("notes", "--ref=ai", "show", third) == git("notes", "--ref=ai", "show", third)
    assert there("notes", "--ref=imported/notes/ai", "list") == ""
    assert "no note found" in there.fails("notes", "--ref=ai", "show", second)
    assert "no note found" in there.fails("notes", "--ref=ai", "show", fourth)
    assert "no log at all" in there("show", f"refs/imported/notes/ai:{fourth}")
    there("fsck", "--strict", "--full")
    # What was pushed is part of it: whoever pushed goes on from there.
    git("fetch", "-q", "origin", FETCH)
    git("fsck", "--strict", "--full")


def _writers(world: World, project: pb.ProjectRef, path: bytes) -> list[tuple[int, int, str, str, bool]]:
    """First line, lines, author, name and whether the session says so of the lines, by blame."""
    found = world.max("SessionService.BlameFile", pb.BlameFileRequest(project=project, path=path, head=True))
    return [(hunk.first_line, hunk.lines, hunk.written_by, hunk.writer, hunk.of_line) for hunk in found.hunks]


def test_blame_reads_the_log_that_came_with_a_commit(world: World, git: GitClient, tmp_path: Path) -> None:
    """Line by line, pushed and imported alike: what a key stands for that nothing explains is nobody's."""
    project = world.project()
    git("remote", "add", "origin", _url(world, project))
    first = _commit(git, "a b.txt", "1\n2\n3\n4\n5\n")
    _annotate(
        git, first, _log('"a b.txt"', AI + HUMAN + "  h_0123456789abcd 4\n  s_c9883b05a2487d::t_1 3,9999999999\n")
    )
    _commit(git, "a b.txt", "0\n1\n2\n3\n4\n5\n", "by hand")
    third = _commit(git, "more.txt", "1\n2\n3\n")
    _annotate(git, third, _log("more.txt", AI))
    git("push", "-q", "origin", "main", NOTES)
    expected = [
        (1, 1, "untracked", "", False),
        (2, 2, "agent", "cursor:claude-3-sonnet", True),
        (4, 1, "person", "Alice Smith", True),
        (5, 2, "untracked", "", True),
    ]
    assert _writers(world, project, b"a b.txt") == expected
    more = [(1, 2, "agent", "cursor:claude-3-sonnet", True), (3, 1, "untracked", "", True)]
    assert _writers(world, project, b"more.txt") == more
    again = world.project()
    bare = GitClient(tmp_path / "bare")
    bare("clone", "-q", "--mirror", str(git.folder), ".")
    assert imported(world.max, again, bare).state == "done"
    assert _writers(world, again, b"a b.txt") == expected
    assert world.forge.run("verify", f"{again.organization}/{again.handle}").startswith(
        f"{again.organization}/{again.handle}: sound"
    )


@pytest.mark.parametrize("together", [True, False])
def test_a_rebased_commit_takes_its_log_along(world: World, git: GitClient, tmp_path: Path, together: bool) -> None:
    """Line for line: what somebody else put above it has moved the lines, and what was merged in is not its own."""
    project = world.project()
    url = _url(world, project)
    git("remote", "add", "origin", url)
    _commit(git, "a.txt", "1\n2\n3\n4\n")
    git("push", "-q", "origin", "main")
    other = GitClient(tmp_path / "other")
    other("clone", "-q", url, ".")
    _commit(other, "a.txt", "0\n1\n2\n3\n4\n", "above")
    other("push", "-q", "origin", "main")
    mine = _commit(git, "a.txt", "1\n2\n3\n4\n5\n6\n7\n", "below")
    _annotate(git, mine, _log("a.txt", AI.replace("1-2", "5-6") + HUMAN.replace(" 3", " 7"), mine))
    if together:
        git("push", "-q", "origin", "HEAD:refs/for/main", NOTES)
    else:
        git("push", "-q", "origin", NOTES)
        git("push", "-q", "origin", "HEAD:refs/for/main")
    assert _writers(world, project, b"a.txt") == [
        (1, 1, "untracked", "", False),
        (2, 4, "untracked", "", False),
        (6, 2, "agent", "cursor:claude-3-sonnet", True),
        (8, 1, "person", "Alice Smith", True),
    ]
    there = GitClient(tmp_path / "there")
    there("clone", "-q", url, ".")
    there("fetch", "-q", "origin", FETCH)
    note = there("notes", "--ref=ai", "show", "HEAD")
    assert [line.split()[-1] for line in note.partition("---")[0].splitlines()] == ["a.txt", "6-7", "8"]
    assert mine not in note


def test_notes_that_come_later(world: World, git: GitClient, tmp_path: Path) -> None:
    """They take the place of the forge's own; two people who push each for themselves lose nothing."""
    project = world.project()
    url = _url(world, project)
    git("remote", "add", "origin", url)
    first = _commit(git, "a.txt", "1\n2\n", "one\n\nAssisted-by: agent:model")
    git("push", "-q", "origin", "main")
    assert _agents(world, project) == ["agent:model"]
    other = GitClient(tmp_path / "other")
    other("clone", "-q", url, ".")
    other("fetch", "-q", "origin", FETCH)
    own = other("notes", "--ref=ai", "show", first)
    assert own.startswith("a.txt\n  s_")
    assert '"tool": "agent"' in own
    assert '"model": "model"' in own
    _annotate(git, first, _log("a.txt", AI, first))
    git("push", "-q", "origin", NOTES)
    second = _commit(other, "b.txt", "1\n2\n")
    other("notes", "--ref=other", "add", "-m", "x", second)
    other("update-ref", "-d", NOTES)
    _annotate(other, second, _log("b.txt", AI, second))
    refused = other.fails("push", "-q", "origin", "main", NOTES)
    assert "fetch first" in refused
    other("fetch", "-q", "origin", "refs/notes/ai:refs/notes/ai-remote/origin")
    other("notes", "--ref=ai", "merge", "-q", "-s", "ours", "refs/notes/ai-remote/origin")
    other("push", "-q", "origin", "main", NOTES)
    git("fetch", "-q", "origin", FETCH)
    for commit in (first, second):
        assert git("notes", "--ref=ai", "show", commit) == other("notes", "--ref=ai", "show", commit)
    assert git("notes", "--ref=ai", "show", first) != own
    assert _agents(world, project) == ["agent:model", "cursor:claude-3-sonnet"]
    # A note that is there before its commit stays, whatever the commit says of itself.
    third = _commit(other, "c.txt", "1\n", "three\n\nAssisted-by: agent:model")
    _annotate(other, third, _log("elsewhere.txt", AI, third))
    other("push", "-q", "origin", NOTES)
    other("fetch", "-q", "origin", f"+{NOTES}:refs/notes/seen")
    other("push", "-q", "origin", "main")
    # All at once: what was pushed holds what had been made here.
    whole = GitClient(tmp_path / "whole")
    whole("init", "-q", "--bare", ".")
    whole("config", "fetch.unpackLimit", "1")
    whole("fetch", "-q", url, "main:main", "refs/imported/notes/ai:refs/imported/notes/ai", FETCH)
    whole("fsck", "--strict", "--full")
    counted = dict(line.split(": ") for line in whole("count-objects", "-v").splitlines())
    here = whole("cat-file", "--batch-all-objects", "--batch-check").splitlines()
    assert int(counted["count"]) + int(counted["in-pack"]) == len(here)
    for commit in (first, second, third):
        assert whole("notes", "--ref=ai", "show", commit) == other("notes", "--ref=ai", "show", commit)
    assert _agents(world, project)[2] == "agent:model"


def test_what_is_refused(world: World, git: GitClient) -> None:
    """The ref is the forge's: nobody deletes it, puts files there, or a name below it; nothing else is harmed."""
    project = world.project()
    git("remote", "add", "origin", _url(world, project))
    first = _commit(git, "a.txt", "1\n2\n")
    _annotate(git, first, _log("a.txt", AI, first))
    git("push", "-q", "origin", "main", NOTES)
    assert "the forge's own" in git.fails("push", "-q", "origin", f":{NOTES}")
    assert "takes a commit of notes" in git.fails("push", "-q", "origin", f"+main:{NOTES}")
    assert "takes a commit of notes" in git.fails("push", "-q", "origin", f"+main^{{tree}}:{NOTES}")
    assert "the forge's own" in git.fails("push", "-q", "origin", f"main:{NOTES}/below")
    git("push", "-q", "origin", f"+main:{'refs/imported/notes/ai'}")  # theirs to spoil
    git("fetch", "-q", "origin", "refs/notes/ai:refs/notes/again")
    assert git("notes", "--ref=again", "show", first) == git("notes", "--ref=ai", "show", first)


def test_who_may_not_see_the_project_sees_no_notes(world: World, git: GitClient, tmp_path: Path) -> None:
    """By name and by id, as everything of it."""
    project = world.project(visibility="private")
    url = _url(world, project)
    git("remote", "add", "origin", url)
    first = _commit(git, "a.txt", "1\n2\n")
    _annotate(git, first, _log("a.txt", AI, first))
    git("push", "-q", "origin", "main", NOTES)
    git("fetch", "-q", "origin", f"{NOTES}:refs/notes/again")
    tip = git("rev-parse", "refs/notes/again")
    stranger = GitClient(tmp_path / "stranger")
    stranger("init", "-q", "--bare", ".")
    for what in (NOTES, tip):
        assert "could not read Username" in stranger.fails("fetch", "-q", _nobodys(url), what)
    stranger("fetch", "-q", url, tip)


def test_after_something_was_erased(world: World, git: GitClient, tmp_path: Path) -> None:
    """The commits that took the place of others have the notes, and what was brought is there for those that stay."""
    project = world.project()
    url = _url(world, project)
    git("remote", "add", "origin", url)
    first = _commit(git, "a.txt", "1\n2\n", "one\n\nAssisted-by: agent:model")
    _commit(git, "letter", "nobody's business\n", "two\n\nAssisted-by: agent:model")
    _commit(git, "b.txt", "1\n2\n", "three\n\nAssisted-by: agent:model")
    _annotate(git, first, _log("a.txt", AI, first))
    git("push", "-q", "origin", "main", NOTES)
    git("fetch", "-q", "origin", "refs/notes/ai:refs/notes/before")
    done = world.forge.command(
        "admin", "purge", f"{project.organization}/{project.handle}", "--content",
        hashlib.sha256(b"nobody's business\n").hexdigest(), "--reason", "ticket 7", "--do",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    there = GitClient(tmp_path / "there")
    there("init", "-q", "--bare", ".")
    there("fetch", "-q", url, "main:main", FETCH)
    there("fsck", "--strict", "--full")
    three, _, one = there("rev-list", "--skip=1", "main").split()
    assert one == first
    assert there("notes", "--ref=ai", "show", one) == git("notes", "--ref=ai", "show", first)
    assert there("notes", "--ref=ai", "show", three).startswith("b.txt\n  s_")
    git("fetch", "-q", "origin", "+refs/notes/ai:refs/notes/before")
    assert git("rev-parse", "refs/notes/before") == there("rev-parse", NOTES)


def _nobodys(url: str) -> str:
    return "http://" + url.partition("@")[2]


TRACE = {"version": "0.1.0", "id": "550e8400-e29b-41d4-a716-446655440000", "timestamp": "2026-01-23T14:30:00Z"}


def _traced(commit: str, path: str, first: int, last: int, by: str = "ai") -> str:
    contributor = {"type": by, "model_id": "anthropic/claude-opus-4-5-20251101"}
    talk = {"contributor": contributor, "ranges": [{"start_line": first, "end_line": last}]}
    files = [{"path": path, "conversations": [talk]}]
    tool = {"name": "cursor", "version": "2.4.0"}
    return json.dumps({**TRACE, "vcs": {"type": "git", "revision": commit}, "tool": tool, "files": files}) + "\n"


def test_an_import_brings_notes_and_traces(world: World, git: GitClient, tmp_path: Path) -> None:
    """Both name the agent; what is about other commits, other lines or nobody counts for nothing, and all is kept."""
    ours = [_commit(git, f"{name}.txt", "1\n2\n3\n", name) for name in "abcdef"]
    a, b, c, d, e, f = ours
    _annotate(git, a, _log("a.txt", AI, a))
    _annotate(git, b, "\0 rubbish")
    traces = [
        "rubbish\n", _traced(c, "c.txt", 1, 3), _traced(d, "d.txt", 7, 9), _traced(e, "a.txt", 1, 3),
        _traced(f, "f.txt", 1, 3, "human"), _traced("0" * 40, "a.txt", 1, 3),
    ]  # fmt: skip
    _commit(git, ".agent-trace/traces.jsonl", "".join(traces))
    project = world.project()
    run = imported(world.max, project, git)
    assert run.state == "done", run
    assert dict(run.aside) == {NOTES: "refs/imported/notes/ai"}
    assert _agents(world, project) == [
        "cursor:claude-3-sonnet", "", "cursor:claude-opus-4-5-20251101", "", "", "", "",
    ]  # fmt: skip
    there = GitClient(tmp_path / "there")
    there("clone", "-q", "--mirror", _url(world, project), ".")
    assert there("rev-parse", "refs/imported/notes/ai") == git("rev-parse", NOTES)
    there("fetch", "-q", "origin", FETCH)
    assert there("notes", "--ref=ai", "show", a) == git("notes", "--ref=ai", "show", a)
    assert there("notes", "--ref=ai", "show", c).startswith("c.txt\n  s_")
    assert "no note found" in there.fails("notes", "--ref=ai", "show", b)
    # Again, with one more: it goes on from what was brought before.
    g = _commit(git, "g.txt", "1\n2\n")
    _annotate(git, g, _log("g.txt", AI, g))
    run = imported(world.max, project, git)
    assert run.state == "done", run
    there("fetch", "-q", "origin", FETCH)
    assert there("notes", "--ref=ai", "show", g) == git("notes", "--ref=ai", "show", g)
