"""Data directories since the second version: groups, deltas, pages of chunks, merged index runs and a fork read on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from fixtures.make_data import ENGINE, FORK, large, versions
from fixtures.opened import VERSIONS, frames, opened
from forge_process import Forge
from mic.core.blob import inflate
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

IMPORTED = 1100
HEAD = IMPORTED + 8
SHARED = IMPORTED + 7


@pytest.fixture(scope="module", params=[version for version in VERSIONS if version > "data-0.1"])
def old(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """This version's forge on a directory that an earlier one made."""
    yield from opened(request.param, tmp_path_factory)


@pytest.fixture(scope="module")
def visitor(old: Forge) -> Iterator[Client]:
    with Client(old.grpc_address, insecure=True) as client:
        yield client


def _contents(client: Client, project: pb.ProjectRef, wanted: bytes) -> bytes:
    """The bytes that the frames of one content make."""
    return b"".join(
        inflate(frame.data, frame.length, "a frame") if frame.encoding == pb.BlobFrame.ZSTD else frame.data
        for frame in frames(client, project, [wanted])
    )


def test_the_start_has_nothing_to_complain_about(old: Forge) -> None:
    assert old.log() == ""


@pytest.mark.parametrize("number", [1, 2, 127, 128, 129, 1000, 1001, 1099, 1100, 1101, 1103, 1105])
def test_every_version_of_a_file_is_what_it_was(visitor: Client, number: int) -> None:
    """Through groups of an import and deltas of landings."""
    expected = versions(number)
    page = next(iter(visitor.tree(ENGINE, number)))
    assert list(page.paths) == [b"journal"]
    assert page.hashes == hashlib.sha256(expected).digest()
    assert _contents(visitor, ENGINE, page.hashes) == expected


@pytest.mark.parametrize(("position", "edited"), [(IMPORTED + 6, False), (IMPORTED + 7, True)])
@pytest.mark.parametrize("project", [ENGINE, FORK], ids=["origin", "fork"])
def test_a_large_file_is_what_it_was(visitor: Client, project: pb.ProjectRef, position: int, edited: bool) -> None:
    page = next(iter(visitor.tree(project, position)))
    entries = {path: page.hashes[at * 32 : at * 32 + 32] for at, path in enumerate(page.paths)}
    expected = large(edited)
    assert entries[b"large.bin"] == hashlib.sha256(expected).digest()
    assert hashlib.sha256(_contents(visitor, project, entries[b"large.bin"])).digest() == entries[b"large.bin"]


def test_a_fork_has_what_was_before_it_and_its_own(visitor: Client) -> None:
    project = visitor.call(visitor.projects.GetProject, pb.GetProjectRequest(project=FORK)).project
    assert (project.head_position, project.fork_position, project.forked_from) == (HEAD, SHARED, "acme/engine")
    assert [list(page.paths) for page in visitor.tree(FORK, HEAD)] == [[b"fork.txt", b"journal", b"large.bin"]]
    assert [list(page.paths) for page in visitor.tree(ENGINE, HEAD)] == [[b"journal", b"large.bin", b"origin.txt"]]
    assert [list(page.paths) for page in visitor.tree(FORK, 5)] == [[b"journal"]]


def test_everything_is_sound(old: Forge) -> None:
    """And rows can be made again from it."""
    assert "acme/engine: sound." in old.run("verify").splitlines()
    assert "acme/fork: sound." in old.run("verify").splitlines()
    old.stop()
    old.run("rebuild")
    old.start()
