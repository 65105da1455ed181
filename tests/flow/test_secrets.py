"""Secrets through the typed surface: refused with the place, allowed with a reason, taken out of words."""

from __future__ import annotations

import json
import random

import pytest

from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Refused, World, added, frame, landed, landing, session_id, upload
from secret_corpus import TRUE

LAND, GET = "SessionService.LandSession", "SessionService.GetSession"
KEY = TRUE["aws-access-key"][0](random.Random(31)).encode()
TOKEN = TRUE["github-token"][0](random.Random(37))


@pytest.fixture
def project(world: World) -> pb.ProjectRef:
    return world.project()


def refusal(world: World, request: pb.LandSessionRequest) -> tuple[Refused, dict[str, object]]:
    with pytest.raises(Refused) as raised:
        world.max(LAND, request)
    assert raised.value.code == "secret_found"
    document = json.loads(raised.value.trailing["mic-error-document-bin"])
    assert KEY not in json.dumps([document, raised.value.message]).encode()
    return raised.value, document


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_secret_does_not_land(world: World, project: pb.ProjectRef, asynchronous: bool) -> None:
    """Not in a test, not in a binary: the answer names path, line and rule; nothing has landed, nothing waits."""
    files = {b"test/a.py": b"import os\nkey = '" + KEY + b"'\n", b"b.bin": b"\x00\xff" + KEY + b"\x00", b"c": b"clean"}
    request = landing(project, files, id=session_id())
    request.asynchronous = asynchronous
    error, document = refusal(world, request)
    assert "test/a.py" in error.message or "b.bin" in error.message
    found = document["findings"]
    assert isinstance(found, list)
    assert sorted((item["path"], item["line"], item["column"], item["rule"]) for item in found) == [
        ("b.bin", 1, 3, "aws-access-key"),
        ("test/a.py", 2, 8, "aws-access-key"),
    ]
    assert landed(world, project) == 0


def test_what_was_uploaded_before_is_searched(world: World, project: pb.ProjectRef) -> None:
    """In a pack that went ahead, small or in pieces, as inside the call."""
    for data in (b"x " + KEY + b"\n", bytes(range(256)) * 20_000 + b"\n" + KEY + b"\n" + b"tail\n" * 300_000):
        step, whole = 1 << 20, frame(data)
        parts = [
            pb.BlobFrame(hash=whole.hash, size=len(data), offset=at, length=len(part), data=part)
            for at in range(0, len(data), step)
            for part in [data[at : at + step]]
        ]
        packs = world.max("ProjectService.UploadBlobs", upload(project, parts)).packs
        request = pb.LandSessionRequest(
            project=project,
            session=pb.Session(id=session_id(), goal="Big", changes=[added(b"big.bin", data)]),
            packs=packs,
        )
        _, document = refusal(world, request)
        assert document["count"] == 1
    assert landed(world, project) == 0


def test_an_allowed_finding_lands(world: World, project: pb.ProjectRef) -> None:
    """With an entry by whoever lands it, in the same session; without a reason or by another it does not."""
    files = {b"fixture.py": KEY + b"\n"}
    _, document = refusal(world, landing(project, files))
    found = document["findings"]
    assert isinstance(found, list)
    name = found[0]["fingerprint"]

    def entry(by: str, reason: str) -> bytes:
        lines = f'fingerprint = "{name}"\npath = "fixture.py"\nreason = "{reason}"\nby = "{by}"\n'
        return b"[[allow]]\n" + lines.encode()

    for bad in (entry("max", ""), entry("olga", "made up"), b"[[allow]]\n", b"\xff", b"x = 1\n"):
        with pytest.raises(Refused) as raised:
            world.max(LAND, landing(project, files | {b".micelio/secrets.toml": bad}))
        assert raised.value.code == "invalid_input"
    listed = files | {b".micelio/secrets.toml": entry("max", "Made for this test")}
    assert world.max(LAND, landing(project, listed)).position == 1
    # What the list names may land again in another form of the file; another secret may not.
    more = {b"other.py": b"again " + KEY + b"\n"}
    refusal(world, landing(project, more, base_position=1))


def test_what_has_landed_is_not_new(world: World, project: pb.ProjectRef) -> None:
    """A session that has landed is told so, and a content that the project holds may move."""
    own = session_id()
    request = landing(project, {b"a": b"plain\n"}, id=own)
    assert world.max(LAND, request).position == 1
    assert world.max(LAND, request).already_landed


def test_words_are_redacted_before_they_are_stored(world: World, project: pb.ProjectRef) -> None:
    """Goal, conversation and decisions, landed or only started; the mark stays where the secret stood."""
    request = landing(project, {b"a": b"b\n"}, id=session_id(), goal=f"Use {TOKEN}")
    request.session.conversation.add(role="human", text=f"the token is {TOKEN}, and {TOKEN}")
    request.session.conversation.add(role="agent", text="thanks")
    decision = request.session.decisions.add(what=f"Keep {TOKEN}", why="It is short.")
    decision.alternatives.add(what="none", why_not=f"no {TOKEN}")
    assert world.max(LAND, request).position == 1
    found = world.nobody(GET, pb.GetSessionRequest(project=project, position=1)).session
    assert TOKEN not in str(found)
    assert found.goal == "Use [redacted: github-token]"
    assert found.conversation[0].text == "the token is [redacted: github-token], and [redacted: github-token]"
    assert found.conversation[1].text == "thanks"
    assert found.decisions[0].alternatives[0].why_not == "no [redacted: github-token]"
    started = world.max("SessionService.StartSession", pb.StartSessionRequest(project=project, goal=f"x {TOKEN}"))
    assert started.session.goal == "x [redacted: github-token]"
