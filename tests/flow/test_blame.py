"""Who wrote each line and why, at every door: agents, people and commits told apart, decisions where they belong."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from api_client import Api
from browser import Browser
from compat.git.builder import ENVIRONMENT
from git_import import imported
from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Refused, World

PATH = b"src/caf\xe9.py"
ONE, TWO, THREE = b"a\nb\nc\n", b"a\nB\nc\n", b"a\nB\nc\nd\n"
AGENT = {"agent": "claude", "goal": "Say B\n\nLoudly.", "base_position": 1}
DECISIONS = [
    pb.Decision(what="Capitals", why="They carry", alternatives=[pb.Alternative(what="Bold", why_not="No markup")]),
    pb.Decision(what="About another file", evidence="readme"),
]
# First line, lines, landing, first line there.
HUNKS = [(1, 1, 1, 1), (2, 1, 2, 2), (3, 1, 1, 3), (4, 1, 3, 4)]
AUTHORS = {1: "person", 2: "agent", 3: "person"}


def _modified(old: bytes, new: bytes) -> dict[str, Any]:
    names = {"hash": hashlib.sha256(new).digest(), "base_hash": hashlib.sha256(old).digest()}
    return {"op": pb.Change.MODIFIED, "path": PATH, "mode": 0o100644, "base_mode": 0o100644, "size": len(new)} | names


@pytest.fixture(scope="module")
def lived(world: World) -> pb.ProjectRef:
    """A private project: a person's file, an agent's change of a line, a person's line that a decision is about."""
    project = world.project("", "private")
    said = [pb.Message(role="human", text="Please")]
    world.land(world.rita, project, {PATH: ONE}, goal="Begin", conversation=said)
    files = {b"x": TWO}
    world.land(world.rita, project, files, changes=[pb.Change(**_modified(ONE, TWO))], decisions=DECISIONS, **AGENT)
    about = [
        pb.Decision(what="Elsewhere"),
        pb.Decision(what="End with d", why="It is last", evidence="a.txt, src/d.py:4"),
    ]
    change = pb.Change(**_modified(TWO, THREE))
    world.land(world.rita, project, {b"x": THREE}, changes=[change], goal="End", decisions=about, base_position=2)
    world.land(world.rita, project, {b"src/d.py": b"d\n", b"binary": b"\0"}, goal="d", decisions=about)
    return project


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[Api]:
    with Api(world.forge.base_url, world.forge.token("rita")) as client:
        yield client


@pytest.fixture(scope="module")
def rita(world: World) -> Iterator[Browser]:
    with Browser(world.forge.base_url) as browser:
        browser.sign_in_once(world.forge.once("rita"))
        yield browser


def _blame(world: World, project: pb.ProjectRef, path: bytes = PATH, **fields: Any) -> pb.BlameFileResponse:
    request = pb.BlameFileRequest(project=project, path=path, **fields)
    return world.rita("SessionService.BlameFile", request)


def test_grpc(world: World, lived: pb.ProjectRef) -> None:
    found = _blame(world, lived)
    assert [(each.first_line, each.lines, each.position, each.first_line_there) for each in found.hunks] == HUNKS
    assert {each.session.landed_position: each.written_by for each in found.landings} == AUTHORS
    assert (found.position, found.written_at, found.total_lines, found.size, found.next_line) == (4, 3, 4, 8, 0)
    assert found.hash == hashlib.sha256(THREE).digest()
    assert not any(each.path or each.not_further for each in found.hunks)
    assert not found.whys
    assert [each.position for each in _blame(world, lived, position=1).hunks] == [1]
    assert [each.position for each in _blame(world, lived, head=True).hunks] == [1, 2, 1, 3]


def test_grpc_part_by_part(world: World, lived: pb.ProjectRef) -> None:
    found, first = [], 1
    while first:
        part = _blame(world, lived, first_line=first, lines=2)
        found += [(each.first_line, each.lines, each.position, each.first_line_there) for each in part.hunks]
        assert {each.session.landed_position for each in part.landings} == {each.position for each in part.hunks}
        first = part.next_line
    assert found == HUNKS


def test_why(world: World, lived: pb.ProjectRef) -> None:
    """The decisions that name the file as their evidence; where none does, all of the session, which says so."""
    whys = {each.position: each for each in _blame(world, lived, why=True).whys}
    assert set(whys) == {2, 3}
    assert [(each.what, each.why) for each in whys[2].decisions] == [
        ("Capitals", "They carry"),
        ("About another file", ""),
    ]
    assert (whys[2].about_file, list(whys[2].numbers)) == (False, [1, 2])
    assert whys[2].decisions[0].alternatives[0].why_not == "No markup"
    (why,) = _blame(world, lived, b"src/d.py", why=True).whys
    assert (why.position, why.about_file, list(why.numbers), why.decisions[0].what) == (4, True, [2], "End with d")
    assert (why.others, [(each.number, each.first, each.last) for each in why.lines]) == (1, [(2, 4, 4)])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"path": b"nowhere"}, "not_found"),
        ({"path": b"src"}, "not_text"),
        ({"path": b"binary"}, "not_text"),
        ({"path": b"../src"}, "invalid_path"),
        ({"path": b""}, "invalid_path"),
        ({"position": 99}, "not_found"),
        ({"position": 0}, "not_found"),
        ({"first_line": 5}, "not_found"),
        ({"first_line": 1 << 63}, "not_found"),
        ({"position": 1 << 63}, "not_found"),
    ],
    ids=str,
)
def test_what_cannot_be_asked(world: World, lived: pb.ProjectRef, fields: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as caught:
        _blame(world, lived, **({"path": PATH} | fields))
    assert caught.value.code == code


def test_rest(api: Api, lived: pb.ProjectRef) -> None:
    base = f"/projects/{lived.organization}/{lived.handle}/blame"
    found = api.get(f"{base}/{quote(PATH)}?why=true").json()
    assert [(each["first"], each["lines"], each["position"], each["first_there"]) for each in found["hunks"]] == HUNKS
    assert base64.b64decode(found["hunks"][0]["path_bytes"]) == PATH
    assert all(each["settled"] for each in found["hunks"])
    assert {each["position"]: each["written_by"] for each in found["landings"]} == AUTHORS
    assert [each["number"] for each in found["whys"][0]["decisions"]] == [1, 2]
    assert (found["position"], found["written_at"], found["total_lines"], found["next"]) == (4, 3, 4, None)
    part = api.get(f"{base}/{quote(PATH)}?first=2&lines=1&at=3").json()
    assert ([each["position"] for each in part["hunks"]], part["next"], part["whys"]) == ([2], 3, [])
    api.refused("GET", f"{base}/src", 400, "not_text")
    api.refused("GET", f"{base}/nowhere", 404, "not_found")
    api.refused("GET", f"{base}/{quote(PATH)}?lines=5001", 400, "invalid_input")
    api.refused("GET", f"{base}/{quote(PATH)}?first=0", 400, "invalid_input")


def test_page_and_twin(rita: Browser, lived: pb.ProjectRef) -> None:
    root = f"/{lived.organization}/{lived.handle}/-"
    address = f"{root}/blame/head/{quote(PATH)}"
    html = rita.get(address).text
    assert re.findall(r'<span class="num">@(\d)</span>', html) == ["1", "2", "1", "3"]
    for words in ("Say B", "claude", "Capitals", "They carry", "not about this file alone"):
        assert words in html
    for link in (f"{root}/landings/2#d1", f"{root}/landings/1?conversation=1"):
        assert link in html
    # The evidence names line 4 of a file that has one: the decision is not about this line, and nothing is hidden.
    other = rita.get(f"{root}/blame/head/src/d.py").text
    assert f'<a href="{root}/landings/4">2 more decisions</a>' in other
    assert "End with d" not in other
    twin = json.loads(rita.get(f"{address}?format=json").text)
    assert [(each["first"], each["lines"], each["position"], each["first_there"]) for each in twin["hunks"]] == HUNKS
    assert {each["position"]: each["written_by"] for each in twin["landings"]} == AUTHORS
    assert [each["position"] for each in twin["whys"]] == [2, 3]
    assert address in rita.get(f"{root}/file/head/{quote(PATH)}").text
    assert "/blame/" not in rita.get(f"{root}/file/head/binary").text
    assert "<span id=L4>" in rita.get(f"{address}?from=4").text
    assert "id=L3>" not in rita.get(f"{address}?from=4").text
    for asked, status in (("?from=5", 404), ("?from=x", 400)):
        assert rita.get(address + asked).status_code == status
    assert rita.get(f"{root}/blame/head/binary").status_code == 400
    assert rita.get(f"{root}/blame/@99/{quote(PATH)}").status_code == 404


def test_a_git_history(world: World, api: Api, rita: Browser, tmp_path: Path) -> None:
    """Imported commits are untracked, moves without an edit are followed, and what lands on top is told apart."""
    git = GitClient(tmp_path / "repo.git", **ENVIRONMENT)
    git("init", "-q", "--bare", "-b", "main", ".")
    bodies = (
        b"M 100644 inline old.txt\ndata 4\na\nb\n\n",
        b"R old.txt new.txt\n",
        b"M 100644 inline new.txt\ndata 4\na\nB\n\n",
    )
    heads = (
        b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 12\nx\n\n<b>body\n\n" % number for number in range(3)
    )
    git("fast-import", "--quiet", data=b"".join(head + body for head, body in zip(heads, bodies, strict=True)))
    project = world.project()
    assert imported(world.max, project, git).state == "done"
    found = world.max("SessionService.BlameFile", pb.BlameFileRequest(project=project, path=b"new.txt", why=True))
    assert [(each.position, each.path, each.first_line_there) for each in found.hunks] == [
        (1, b"old.txt", 1),
        (3, b"", 2),
    ]
    assert {each.written_by for each in found.landings} == {"untracked"}
    oids = git("rev-list", "--reverse", "main").split()
    assert [each.session.git_commit.hex() for each in found.landings] == [oids[0], oids[2]]
    assert not found.whys
    html = rita.get(f"/{project.organization}/{project.handle}/-/blame/head/new.txt").text
    assert html.count("<summary>The whole message</summary><p>&lt;b&gt;body</p>") == 2


def test_copies_that_the_client_records(world: World, api: Api) -> None:
    """Through gRPC and REST; what is no path is refused, what was no file there is not followed."""
    project = world.project("", "private")
    world.land(world.rita, project, {b"a.txt": ONE})
    digest = hashlib.sha256(TWO).digest()
    change = pb.Change(path=b"b.txt", mode=0o100644, hash=digest, size=6, copied_from=b"a.txt")
    world.land(world.rita, project, {b"x": TWO}, changes=[change], base_position=1)
    wanted = {"path": "c.txt", "text": "a\nB\nC\n", "copied_from": "b.txt"}
    place = f"/projects/{project.organization}/{project.handle}"
    assert api.post(f"{place}/landings", json={"goal": "Copy", "changes": [wanted]}).status_code == 201
    found = _blame(world, project, b"c.txt")
    assert [(each.first_line, each.position, each.path, each.first_line_there) for each in found.hunks] == [
        (1, 1, b"a.txt", 1), (2, 2, b"b.txt", 2), (3, 3, b"", 3),
    ]  # fmt: skip
    assert api.get(f"{place}/landings/3/changes").json()["items"][0]["copied_from"] == "b.txt"
    landed = world.rita("SessionService.GetSession", pb.GetSessionRequest(project=project, position=2))
    assert landed.session.changes[0].copied_from == b"a.txt"
    for fields, code in (
        ({"copied_from": b"../a"}, "invalid_path"),
        ({"copied_from": b"a.txt", "op": pb.Change.DELETED, "path": b"a.txt"}, "invalid_input"),
    ):
        wrong = pb.Change(**({"path": b"d", "mode": 0o100644, "hash": digest, "size": 6} | fields))
        with pytest.raises(Refused) as caught:
            world.land(world.rita, project, {b"x": TWO}, changes=[wrong], base_position=3)
        assert caught.value.code == code
    for wrong in ({"copied_from": "/a"}, {"copied_from": "a.txt", "text": None, "delete": True, "path": "a.txt"}):
        body = {"goal": "Wrong", "changes": [{"path": "d", "text": "d"} | wrong]}
        assert api.post(f"{place}/landings", json=body).status_code == 400


def test_a_file_that_was_moved_and_edited_is_followed_as_git_does(world: World, tmp_path: Path) -> None:
    """By likeness, which is said at every door; git, asked of the same history, comes to the same commits."""
    git = GitClient(tmp_path / "repo.git", **ENVIRONMENT)
    git("init", "-q", "--bare", "-b", "main", ".")
    texts = (b"one\ntwo\nthree\nfour\n", b"one\n2\nthree\nfour\n", b"one\n2\nthree\nfour\nfive\n")
    names = (b"old/a.txt", b"old/a.txt", b"new/a.txt")
    other = b"M 100644 inline old/b.txt\ndata 10\none\nother\n\n"
    bodies = [
        b"M 100644 inline %s\ndata %d\n%s\n" % (name, len(text), text) for name, text in zip(names, texts, strict=True)
    ]
    bodies[0] += other
    bodies[2] = b"D old/a.txt\nD old/b.txt\n" + bodies[2]
    heads = (b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 2\nx\n" % number for number in range(3))
    git("fast-import", "--quiet", data=b"".join(head + body for head, body in zip(heads, bodies, strict=True)))
    project = world.project()
    assert imported(world.max, project, git).state == "done"
    found = world.max("SessionService.BlameFile", pb.BlameFileRequest(project=project, path=b"new/a.txt"))
    told = [
        (hunk.position, hunk.path or b"new/a.txt", hunk.first_line_there + at, hunk.alike)
        for hunk in found.hunks
        for at in range(hunk.lines)
    ]
    assert told == [
        (1, b"old/a.txt", 1, True),
        (2, b"old/a.txt", 2, True),
        (1, b"old/a.txt", 3, True),
        (1, b"old/a.txt", 4, True),
        (3, b"new/a.txt", 5, False),
    ]
    commits = git("rev-list", "--reverse", "main").split()
    blamed = re.findall(r"^([0-9a-f]{40}) (\d+) \d+", git("blame", "-p", "main", "--", "new/a.txt"), re.M)
    assert blamed == [(commits[position - 1], str(line)) for position, _, line, _ in told]


def test_who_wrote_what_was_found_by_likeness_is_not_guessed(world: World, api: Api, rita: Browser) -> None:
    """A person's file that an agent moves and edits: the agent's are the lines that are new."""
    project = world.project("", "private")
    old, new = b"a\nb\nc\n", b"a\nb\nc\nd\n"
    world.land(world.rita, project, {b"old.txt": old}, goal="Begin")
    gone = pb.Change(op=pb.Change.DELETED, path=b"old.txt", base_hash=hashlib.sha256(old).digest(), base_mode=0o100644)
    come = pb.Change(
        op=pb.Change.ADDED, path=b"new.txt", mode=0o100644, hash=hashlib.sha256(new).digest(), size=len(new)
    )
    world.land(world.rita, project, {b"x": new}, changes=[come, gone], goal="Move", agent="claude", base_position=1)
    found = _blame(world, project, b"new.txt")
    expected = [(1, 3, 1, True, "untracked"), (4, 1, 2, False, "agent")]
    assert [
        (hunk.first_line, hunk.lines, hunk.position, hunk.alike, hunk.written_by) for hunk in found.hunks
    ] == expected
    hunks = api.get(f"/projects/{project.organization}/{project.handle}/blame/new.txt").json()["hunks"]
    fields = ("first", "lines", "position", "alike", "written_by")
    assert [tuple(hunk[field] for field in fields) for hunk in hunks] == expected
    address = f"/{project.organization}/{project.handle}/-/blame/head/new.txt"
    html = rita.get(address).text
    assert html.count("followed by likeness: nothing says that the file was moved") == 1
    twin = json.loads(rita.get(f"{address}?format=json").text)
    assert [tuple(hunk[field] for field in fields) for hunk in twin["hunks"]] == expected
