"""Deduplication tells nobody that somebody else has a content, and a fork nothing of what its origin did later."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, World, added, frame, landing, session_id, upload

# Of one length, and as hard to compress: no answer may differ but by what was asked.
HELD = hashlib.sha512(b"held by somebody else").hexdigest().encode()
UNHEARD = hashlib.sha512(b"held by nobody").hexdigest().encode()


@pytest.fixture(scope="module")
def world(forge: Forge) -> Iterator[World]:
    """The private project holds HELD since its second landing; stan has a project of his own and a fork of `open`."""
    made = World(forge)
    organization = f"{made.organization}-stan"
    made.stan("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=organization))
    for handle, origin in (("own", ""), ("fork", f"{made.organization}/open")):
        made.stan(
            "ProjectService.CreateProject",
            pb.CreateProjectRequest(organization=organization, handle=handle, fork_from=origin),
        )
    for project in (made.closed, made.open):
        made.land(made.rita, project, {b"held.txt": HELD}, base_position=1)
    yield made
    made.close()


@pytest.fixture(params=["own", "fork"])
def place(world: World, request: pytest.FixtureRequest) -> pb.ProjectRef:
    """A project with nothing, and a fork whose origin has got HELD after the fork point."""
    return pb.ProjectRef(organization=f"{world.organization}-stan", handle=request.param)


def _name(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _said(caller: Caller, method: str, request: Any, data: bytes) -> tuple[Any, ...]:
    """A refusal without the hash that was asked for."""
    refused = caller.refused(method, request)
    name = _name(data).hex()
    message = refused.message.replace(name, "HASH").replace(name[:12], "HASH")
    trailing = {key: value.decode() if isinstance(value, bytes) else value for key, value in refused.trailing.items()}
    return refused.status, refused.code, message, sorted(trailing.items())


def test_asking_what_is_missing(world: World, place: pb.ProjectRef) -> None:
    """Both are missing."""
    both = _name(HELD) + _name(UNHEARD)
    request = pb.FindMissingBlobsRequest(project=place, hashes=both)
    assert world.stan("ProjectService.FindMissingBlobs", request).hashes == both
    there = pb.FindMissingBlobsRequest(project=world.closed, hashes=both)
    assert world.rita("ProjectService.FindMissingBlobs", there).hashes == _name(UNHEARD)


def test_fetching_by_hash(world: World, place: pb.ProjectRef) -> None:
    """The same refusal, word for word."""
    said = [
        _said(world.stan, "ProjectService.StreamBlobs", pb.StreamBlobsRequest(project=place, hashes=_name(data)), data)
        for data in (HELD, UNHEARD)
    ]
    assert said[0] == said[1]
    assert said[0][1] == "invalid_input"


def test_landing_a_hash_without_its_content(world: World, place: pb.ProjectRef) -> None:
    """To know a hash is not to have the content."""
    said = []
    for data in (HELD, UNHEARD):
        request = landing(place, {}, changes=[added(b"got.txt", data)])
        said.append(_said(world.stan, "SessionService.LandSession", request, data))
    assert said[0] == said[1]
    assert "was not sent" in said[0][2]


def test_uploading_what_somebody_has(world: World, place: pb.ProjectRef) -> None:
    """The receipt is of as many contents and bytes, and of a pack that is made of what was sent and of nothing else."""
    answers = [
        world.stan("ProjectService.UploadBlobs", upload(place, [frame(data, zstd=True)])) for data in (HELD, UNHEARD)
    ]
    assert [(answer.blobs, answer.bytes, len(answer.packs)) for answer in answers] == [(1, 128, 1)] * 2
    sizes = [int.from_bytes(answer.packs[0][32:], "big") for answer in answers]
    stored = [len(frame(data, zstd=True).data) for data in (HELD, UNHEARD)]
    assert sizes[0] - stored[0] == sizes[1] - stored[1]
    empty = world.project("", "private")
    assert world.rita("ProjectService.UploadBlobs", upload(empty, [frame(HELD, zstd=True)])) == answers[0]


def test_the_receipt_of_somebody_elses_upload(world: World, place: pb.ProjectRef) -> None:
    """Worth as much as one that was made up."""
    for project in (world.closed, world.open):
        theirs = world.rita("ProjectService.UploadBlobs", upload(project, [frame(b"theirs alone")])).packs[0]
        said = []
        for receipt in (theirs, bytes(31) + b"\x01" + theirs[32:]):
            request = landing(place, {}, changes=[added(b"got.txt", b"theirs alone")])
            request.packs.append(receipt)
            said.append(_said(world.stan, "SessionService.LandSession", request, b"theirs alone"))
        assert said[0] == said[1]
        assert said[0][1] == "invalid_input"


def test_what_the_origin_landed_later_is_not_in_the_fork(world: World) -> None:
    """Neither by position nor by session, in the words for what never was."""
    fork = pb.ProjectRef(organization=f"{world.organization}-stan", handle="fork")
    later = world.rita("SessionService.GetSession", pb.GetSessionRequest(project=world.open, position=2)).session.id
    assert world.stan("SessionService.GetSession", pb.GetSessionRequest(project=fork, position=1)).session.goal
    said = []
    for name in (later, session_id()):
        refused = world.stan.refused("SessionService.GetSession", pb.GetSessionRequest(project=fork, session_id=name))
        said.append((refused.status, refused.code, len(refused.message), refused.message[:20]))
    assert said[0] == said[1]
    for request in (
        pb.GetProjectTreeRequest(project=fork, position=2),
        pb.GetProjectTreeRequest(project=fork, position=9),
    ):
        assert world.stan.refused("ProjectService.GetProjectTree", request).code == "not_found"
    seen = world.stan("ProjectService.GetProject", pb.GetProjectRequest(project=fork)).project
    assert (seen.head_position, seen.fork_position) == (1, 1)


def test_what_a_fork_lands_is_not_in_its_origin(world: World) -> None:
    """Reading through goes one way."""
    fork = pb.ProjectRef(organization=f"{world.organization}-stan", handle="fork")
    secret = b"only in the fork"
    world.land(world.stan, fork, {b"secret.txt": secret}, base_position=1)
    for project in (world.open, pb.ProjectRef(organization=f"{world.organization}-stan", handle="own")):
        asked = pb.FindMissingBlobsRequest(project=project, hashes=_name(secret))
        assert world.stan("ProjectService.FindMissingBlobs", asked).hashes == _name(secret)
