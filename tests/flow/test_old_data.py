"""Data directories of earlier versions open, and say the same as on the day they were made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import httpx
import pytest

from fixtures.opened import VERSIONS, frames, opened
from forge_process import Forge
from mic.core.errors import NotFound
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

PUBLIC = pb.ProjectRef(organization="acme", handle="api")
PRIVATE = pb.ProjectRef(organization="acme", handle="vault")
CLASHED = bytes.fromhex("019a3ea51e8000000000000000000003")
OPEN = bytes.fromhex("019a3ea51e8000000000000000000004")
LANDINGS = {
    "data-0.1": 16,
    "data-0.2": 16 + 2 * 1108,
    "data-0.3": 16 + 2 * 1108,
}  # of all projects, with the one that the last test adds
# The commit of the private project's landing, as each was first told to a Git client.
VAULT = {
    "data-0.1": "8954806217aa9cdfe5e6f9a2440208f56d140ca2",
    "data-0.2": "8111bdaf7c4734f74fb003807291ee21c287bd45",
    "data-0.3": "15e260331c222b5f98ccf7f8e384354808fa4de0",
}
NUMBERS = b"".join(b"line %d\n" % n for n in range(20))

# Every file of the public project at its newest landing, but for those below `many`.
FILES = {
    b".git/config": (0o100644, b"never written\n"),
    b"README.md": (0o100644, b"# api\n\nSigns people in.\n"),
    b"a b/c": (0o100644, b"space\n"),
    b"bin/run": (0o100755, b"#!/bin/sh\n"),
    b"caf\xe9.txt": (0o100644, b"Latin-1\n"),
    b"data/all.bin": (0o100644, bytes(range(256))),
    b"docs/latest": (0o120000, b"../README.md"),
    b"empty": (0o100644, b""),
    b"group": (0o100664, b"an odd mode\n"),
    b"numbers": (0o100644, NUMBERS.replace(b"line 0\n", b"line 1\n", 1)),
    b"src/main.py": (0o100644, b"print('hello, world')\n"),
    b"two\nlines": (0o100644, b"odd\n"),
}


@pytest.fixture(scope="module", params=VERSIONS)
def old(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """This version's forge on a directory that an earlier one made."""
    yield from opened(request.param, tmp_path_factory)


@pytest.fixture(scope="module")
def ada(old: Forge) -> Iterator[Client]:
    """The maker of the projects, with a token of today."""
    with Client(old.grpc_address, old.run("token", "ada", "--whole-account"), insecure=True) as client:
        yield client


@pytest.fixture(scope="module")
def visitor(old: Forge) -> Iterator[Client]:
    with Client(old.grpc_address, insecure=True) as client:
        yield client


def _tree(client: Client, project: pb.ProjectRef, position: int) -> dict[bytes, tuple[int, bytes]]:
    """Every file with its mode and the SHA-256 of its content."""
    found = {}
    for page in client.tree(project, position):
        for at, (path, mode) in enumerate(zip(page.paths, page.modes, strict=True)):
            found[path] = (mode, page.hashes[32 * at : 32 * at + 32])
    return found


def _hashed(files: dict[bytes, tuple[int, bytes]]) -> dict[bytes, tuple[int, bytes]]:
    return {path: (mode, hashlib.sha256(data).digest()) for path, (mode, data) in files.items()}


def test_the_start_has_nothing_to_complain_about(old: Forge) -> None:
    assert old.log() == ""
    assert httpx.get(f"{old.base_url}/health/ready").status_code == 200


def test_heads_and_files(visitor: Client) -> None:
    """Positions, root, every file of the newest tree, and an old tree inside the import's epoch."""
    project = visitor.call(visitor.projects.GetProject, pb.GetProjectRequest(project=PUBLIC)).project
    assert (project.head_position, project.visibility, project.description) == (14, "public", "Kept.")
    assert project.head_tree.hex().startswith("776a18e4c2c6af73")
    many = {f"many/{n:03d}".encode(): (0o100644, b"%d\n" % n) for n in range(300)}
    assert _tree(visitor, PUBLIC, 14) == _hashed(FILES | many)
    assert _tree(visitor, PUBLIC, 3) == _hashed(
        {
            b"README.md": (0o100644, b"# api\n"),
            b"bin/run": (0o100755, b"#!/bin/sh\n"),
            b"src/main.py": (0o100644, b"print('hello')\n"),
        }
    )
    assert b"gone" in _tree(visitor, PUBLIC, 9)
    assert b"gone" not in _tree(visitor, PUBLIC, 10)


def test_contents(visitor: Client) -> None:
    wanted = {hashlib.sha256(data).digest(): data for _, data in FILES.values()}
    sent = frames(visitor, PUBLIC, list(wanted))
    assert [frame.hash for frame in sent if frame.encoding == pb.BlobFrame.RAW] == []
    found = {frame.hash: frame.size for frame in sent}
    assert found == {name: len(data) for name, data in wanted.items()}


def test_landings_with_their_why(visitor: Client) -> None:
    """Goal, conversation, decision with the road not taken; Git's commit, author, date and message."""
    listed = visitor.call(visitor.sessions.ListLandings, pb.ListLandingsRequest(project=PUBLIC, page_size=100)).landings
    assert [landing.landed_position for landing in listed] == list(range(14, 0, -1))
    assert [landing.goal.splitlines()[0] for landing in listed[:4]] == [
        "Count from one",
        "Say what the service is for",
        "Commit 12",
        "Commit 11",
    ]
    session = visitor.call(visitor.sessions.GetSession, pb.GetSessionRequest(project=PUBLIC, position=13)).session
    assert (session.state, session.agent, session.base_position) == ("landed", "claude-code", 12)
    assert [(m.role, m.author, m.text) for m in session.conversation] == [
        ("human", "ada", "Nobody knows what this is."),
        ("agent", "claude-code", "Then the README must say it."),
    ]
    (decision,) = session.decisions
    assert (decision.what, decision.why, decision.by) == ("Say it in the first line", "People read one", "ada")
    assert [(a.what, a.why_not) for a in decision.alternatives] == [("A page of its own", "nobody opens it")]
    # Nobody wrote down yet when, and in reply to what.
    assert (decision.at_ms, decision.message) == (0, 0)
    assert [(c.path, c.op) for c in session.changes] == [(b"README.md", pb.Change.MODIFIED)]
    imported = visitor.call(visitor.sessions.GetSession, pb.GetSessionRequest(project=PUBLIC, position=1)).session
    raw = b"tree %040x\n\nCommit 1\n" % 1
    assert imported.git_commit == hashlib.sha1(b"commit %d\x00" % len(raw) + raw).digest()
    assert (imported.author.name, imported.goal) == ("Grace Hopper", "Commit 1\n\nWith a body.\n")


def test_sessions_that_did_not_land(ada: Client) -> None:
    """The open one can still be given up; the one that clashed is kept as such."""
    found = ada.call(ada.sessions.ListSessions, pb.ListSessionsRequest(project=PUBLIC, page_size=10)).sessions
    assert {(s.id, s.state, s.goal) for s in found} == {
        (CLASHED, "conflicted", "Count from minus one"),
        (OPEN, "active", "Still thinking"),
    }
    kept = ada.call(ada.sessions.GetSession, pb.GetSessionRequest(project=PUBLIC, session_id=CLASHED)).session
    assert [change.path for change in kept.changes] == [b"numbers"]


def test_what_was_private_is_private(ada: Client, visitor: Client) -> None:
    assert _tree(ada, PRIVATE, 1) == _hashed({b"secret.txt": (0o100644, b"nothing much\n")})
    with pytest.raises(NotFound):
        visitor.call(visitor.projects.GetProject, pb.GetProjectRequest(project=PRIVATE))


def test_its_pages(old: Forge) -> None:
    page = httpx.get(f"{old.base_url}/acme/api")
    assert page.status_code == 200
    assert "Signs people in." in page.text
    assert "Count from one" in page.text
    assert httpx.get(f"{old.base_url}/acme/vault").status_code == 404


def test_what_git_sees(old: Forge, request: pytest.FixtureRequest) -> None:
    """The commit of a landing by mic never changes; of directories from before Git was served, it is made now."""
    answer = httpx.get(
        f"{old.base_url}/acme/vault/info/refs",
        params={"service": "git-upload-pack"},
        auth=("x", old.run("token", "ada", "--whole-account")),
    )
    assert f"{VAULT[request.node.callspec.params['old']]} refs/heads/main" in answer.text


def test_it_goes_on(ada: Client, old: Forge, request: pytest.FixtureRequest) -> None:
    """A landing on top of the old history. The last test: it changes the directory."""
    data = b"written by a later version\n"
    frame = pb.BlobFrame(hash=hashlib.sha256(data).digest(), size=len(data), length=len(data), data=data)
    session = pb.Session(id=bytes(range(16)), goal="Go on", base_position=12)
    session.changes.add(path=b"new", mode=0o100644, hash=frame.hash, size=len(data))
    landed = ada.call(ada.sessions.LandSession, pb.LandSessionRequest(project=PUBLIC, session=session, frames=[frame]))
    assert landed.position == 15
    old.restart()
    assert "Go on" in httpx.get(f"{old.base_url}/acme/api").text
    old.stop()
    landings = LANDINGS[request.node.callspec.params["old"]]
    assert old.run("rebuild") == f"Projects restored: 0. Landings derived: {landings}."
    old.start()
