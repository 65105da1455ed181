"""Branches, pushed sessions, erased contents and erased words of an earlier version are what they were."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.make_later import COLOUR, GARDEN, SECRET, identity
from fixtures.opened import frames, opened
from forge_process import Forge
from mic.core.errors import Erased
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb


@pytest.fixture(scope="module", params=["later-0.3"])
def old(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """This version's forge on a directory that an earlier one made."""
    yield from opened(request.param, tmp_path_factory)


@pytest.fixture(scope="module")
def ada(old: Forge) -> Iterator[Client]:
    """Whose all of it is."""
    with Client(old.grpc_address, old.token("ada"), insecure=True) as client:
        yield client


def _files(client: Client, project: pb.ProjectRef) -> list[bytes]:
    request = pb.GetProjectTreeRequest(project=project, head=True)
    return list(client.call(client.projects.GetProjectTree, request).paths)


def _session(client: Client, project: pb.ProjectRef, number: int) -> pb.Session:
    request = pb.GetSessionRequest(project=project, session_id=identity(number))
    found: pb.SessionResponse = client.call(client.sessions.GetSession, request)
    return found.session


def test_the_branch_is_where_it_was(ada: Client) -> None:
    (branch,) = ada.call(ada.projects.ListBranches, pb.ListBranchesRequest(project=GARDEN)).branches
    assert (branch.name, branch.position, branch.head_position, branch.begun_by) == ("colour", 1, 3, "ada")
    assert _files(ada, GARDEN) == [b"roses.txt", b"secret.txt", b"water.txt"]
    assert _files(ada, COLOUR) == [b"roses.txt", b"secret.txt", b"tulips.txt"]
    assert _session(ada, COLOUR, 2).conversation[0].text == "White is in."


def test_what_was_erased_stays_so(ada: Client) -> None:
    with pytest.raises(Erased):
        frames(ada, GARDEN, [hashlib.sha256(SECRET).digest()])
    assert _session(ada, GARDEN, 1).conversation[0].text == "It grows."
    silent = _session(ada, GARDEN, 3)
    assert "Joan" not in str(silent)
    assert silent.goal.startswith("Erased: the words of a session (a leaked secret), by operator on 2026-11-30")
    assert silent.landed_position == 2


def test_a_pushed_session_can_be_taken_up(ada: Client) -> None:
    request = pb.ListSessionsRequest(project=GARDEN, resumable=True)
    (found,) = ada.call(ada.sessions.ListSessions, request).sessions
    whole = _session(ada, GARDEN, 4)
    assert (found.id, whole.goal, [change.path for change in whole.changes]) == (identity(4), "Prune", [b"prune.txt"])
    text = b"by hand\nby machine\n"
    (frame,) = frames(ada, GARDEN, [hashlib.sha256(text).digest()], identity(4))
    assert frame.length == len(text)


def test_git_sees_it_and_it_is_whole(old: Forge, tmp_path: Path) -> None:
    subprocess.run(
        ["git", "clone", "-q", "-b", "colour", f"{old.base_url}/acme/garden", str(tmp_path / "copy")], check=True
    )
    assert (tmp_path / "copy/tulips.txt").read_text() == "white\n"
    assert "hunter2" not in (tmp_path / "copy/secret.txt").read_text()
    assert old.run("verify") == "acme/garden: sound.\nacme/garden@colour: sound."


def test_it_goes_on(ada: Client) -> None:
    """The branch and the project land, each on its own line."""
    for project, number, base in ((COLOUR, 5, 3), (GARDEN, 6, 4)):
        made = pb.Session(id=identity(number), goal="Go on", base_position=base)
        request = pb.LandSessionRequest(project=project, session=made)
        data = b"%d\n" % number
        digest = hashlib.sha256(data).digest()
        request.frames.add(hash=digest, size=len(data), length=len(data), data=data)
        request.session.changes.add(path=b"new.txt", mode=0o100644, hash=digest, size=len(data))
        assert ada.call(ada.sessions.LandSession, request).position == base + 1
