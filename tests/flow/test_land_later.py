"""Landing later, through the typed surface: accepted, carried out, told; refused with the reason; never lost."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World, added, frame, landed, landing, session_id, upload

LAND, AWAIT, GET = "SessionService.LandSession", "SessionService.AwaitLanding", "SessionService.GetSession"


@pytest.fixture
def project(world: World) -> pb.ProjectRef:
    return world.project()


def later(project: pb.ProjectRef, files: dict[bytes, bytes], **fields: Any) -> pb.LandSessionRequest:
    request = landing(project, files, **fields)
    request.asynchronous = True
    return request


def outcome(project: pb.ProjectRef, own: bytes, wait_ms: int = 20_000) -> tuple[str, pb.AwaitLandingRequest]:
    return AWAIT, pb.AwaitLandingRequest(project=project, session_id=own, wait_ms=wait_ms)


def test_accepted_now_and_landed_later(world: World, project: pb.ProjectRef) -> None:
    """The answer is `queued`; the position comes with the next question, and for whoever sends it all again."""
    own = session_id()
    request = later(project, {b"a.txt": b"a\n"}, id=own, goal="Later")
    answer = world.max(LAND, request)
    assert (answer.queued, answer.position, answer.session.state) == (True, 0, "queued")
    told = world.max(*outcome(project, own))
    assert (told.queued, told.position, told.already_landed, told.session.goal) == (False, 1, True, "Later")
    assert (told.session.owner, told.session.author.name) == ("max", "max")
    request.asynchronous = False
    for asynchronous in (False, True, False):
        request.asynchronous = asynchronous
        again = world.max(LAND, request)
        assert (again.position, again.already_landed, again.queued) == (1, True, False)
    assert landed(world, project) == 1
    whole = world.nobody(GET, pb.GetSessionRequest(project=project, position=1)).session
    assert [(change.path, change.hash) for change in whole.changes] == [(b"a.txt", hashlib.sha256(b"a\n").digest())]


def test_contents_that_went_ahead_are_found_when_it_lands(world: World, project: pb.ProjectRef) -> None:
    """A receipt of an upload stands for the content, as in a landing at once."""
    data = b"x" * 300_000
    receipts = world.max("ProjectService.UploadBlobs", upload(project, [frame(data)])).packs
    own = session_id()
    session = pb.Session(id=own, goal="Large", changes=[added(b"large", data)])
    request = pb.LandSessionRequest(project=project, session=session, packs=receipts, asynchronous=True)
    assert world.max(LAND, request).queued
    assert world.max(*outcome(project, own)).position == 1


def test_a_clash_is_told_later_and_the_session_can_be_taken_up(world: World, project: pb.ProjectRef) -> None:
    """The wish that clashed ends; another one of the same session, based on what landed, is accepted and lands."""
    world.land(world.rita, project, {b"a": b"mine\n"})
    own = session_id()
    assert world.max(LAND, later(project, {b"a": b"yours\n"}, id=own)).queued
    told = world.max(*outcome(project, own))
    assert (told.position, told.queued, told.session.state) == (0, False, "conflicted")
    clash = told.clashes[0]
    assert (clash.path, clash.reason, clash.theirs_position, clash.base_hash) == (b"a", "changed", 1, b"")
    assert clash.ours_hash == hashlib.sha256(b"yours\n").digest()
    kept = world.rita(GET, pb.GetSessionRequest(project=project, session_id=own)).session
    assert (kept.state, kept.refusal[:7]) == ("conflicted", "Session")
    change = added(b"a", b"both\n")
    change.op, change.base_mode, change.base_hash = 1, 0o100644, hashlib.sha256(b"mine\n").digest()
    second = later(project, {b"a": b"both\n"}, id=own, base_position=1, changes=[change])
    assert world.max(LAND, second).queued
    assert world.max(*outcome(project, own)).position == 2
    landed_now = world.nobody(GET, pb.GetSessionRequest(project=project, session_id=own)).session
    assert (landed_now.state, landed_now.refusal) == ("landed", "")


def test_what_can_be_known_is_refused_at_once(world: World, project: pb.ProjectRef) -> None:
    """No right, no change, a content that was not sent, a base that is not there: nothing is accepted."""
    assert world.stan.refused(LAND, later(project, {b"a": b"a"})).code == "permission_denied"
    assert world.nobody.refused(LAND, later(project, {b"a": b"a"})).code == "unauthenticated"
    assert world.max.refused(LAND, later(project, {})).code == "nothing_to_land"
    assert world.max.refused(LAND, later(project, {b"a": b"a"}, base_position=7)).code == "invalid_input"
    unsent = later(project, {b"a": b"a"})
    del unsent.frames[:]
    assert "was not sent" in world.max.refused(LAND, unsent).message
    own = session_id()
    assert world.max.refused(*outcome(project, own)).code == "not_found"
    assert landed(world, project) == 0


def test_others_learn_of_it_as_they_would_of_any_session(world: World) -> None:
    """A stranger is told of what landed in a public project, and of nothing that has not; nobody lands it again."""
    project = world.project()
    own = session_id()
    world.land(world.rita, project, {b"a": b"mine\n"})
    assert world.max(LAND, later(project, {b"a": b"yours\n"}, id=own)).queued
    assert world.max(*outcome(project, own)).clashes
    assert world.stan.refused(*outcome(project, own)).code == "not_found"
    assert world.rita.refused(LAND, later(project, {b"b": b"b"}, id=own)).code == "permission_denied"


def test_a_session_that_was_never_sent_is_not_waited_for(world: World, project: pb.ProjectRef) -> None:
    """Started and not landed: there is nothing to wait for, and that is said."""
    own = session_id()
    start = pb.StartSessionRequest(project=project, session_id=own, goal="Begin")
    world.max("SessionService.StartSession", start)
    error = world.max.refused(*outcome(project, own))
    assert (error.code, "was not sent to land" in error.message) == ("invalid_input", True)


def test_many_at_once_land_once_each(world: World, project: pb.ProjectRef) -> None:
    """Forty sessions, each sent twice: forty positions without a gap."""
    own = [session_id() for _ in range(40)]
    for number, name in enumerate(own):
        for _ in range(2):
            world.max(LAND, later(project, {b"f%d" % number: b"x"}, id=name))
    positions = {world.max(*outcome(project, name)).position for name in own}
    assert positions == set(range(1, 41))
    assert landed(world, project) == 40


def test_a_merge_is_told_again_with_what_was_sent(world: World, project: pb.ProjectRef) -> None:
    """Whoever lost the answer learns that another content landed than was sent, and which it was."""
    world.land(world.rita, project, {b"a": b"1\n2\n3\n"})

    def edit(data: bytes) -> dict[str, Any]:
        change = added(b"a", data)
        change.op, change.base_mode, change.base_hash = 1, 0o100644, hashlib.sha256(b"1\n2\n3\n").digest()
        return {"base_position": 1, "changes": [change]}

    world.land(world.rita, project, {b"a": b"one\n2\n3\n"}, **edit(b"one\n2\n3\n"))
    mine = b"1\n2\nthree\n"
    request = landing(project, {b"a": mine}, **edit(mine))
    answers = [world.max(LAND, request), world.max(LAND, request)]
    answers.append(world.max(*outcome(project, request.session.id)))
    assert [answer.already_landed for answer in answers] == [False, True, True]
    for answer in answers:
        merged = [(change.path, change.hash, change.sent_hash) for change in answer.merged]
        both = hashlib.sha256(b"one\n2\nthree\n").digest()
        assert merged == [(b"a", both, hashlib.sha256(mine).digest())]
