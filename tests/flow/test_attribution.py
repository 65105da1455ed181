"""Who wrote each line, as sessions say of their lines: at every door, through merges, and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from api_client import Api
from browser import Browser
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Refused, World

ONE = b"a\nb\nc\nd\ne\nf\n"
AGENT, PERSON = pb.Writer(kind="agent", name="opus", message=1), pb.Writer(kind="person")


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _lines(data: bytes, *runs: tuple[int, int, int], path: bytes = b"f") -> pb.FileLines:
    said = [pb.LineRun(first=first, lines=lines, writer=writer) for first, lines, writer in runs]
    return pb.FileLines(path=path, content=_digest(data), runs=said)


def _change(old: bytes, new: bytes) -> pb.Change:
    names = {"hash": _digest(new), "base_hash": _digest(old), "base_mode": 0o100644}
    return pb.Change(op=pb.Change.MODIFIED, path=b"f", mode=0o100644, size=len(new), **names)


@pytest.fixture(scope="module")
def lived(world: World) -> pb.ProjectRef:
    """A file; an agent's session that says who wrote which lines; another one, merged with it; a person's session."""
    project = world.project("", "private")
    world.land(world.rita, project, {b"f": ONE})
    two = b"a\nB1\nB2\nB3\nc\nd\ne\nf\n"
    said = {"writers": [AGENT, PERSON], "attributed": [_lines(two, (2, 1, 0), (3, 1, 1), (6, 3, 1))]}
    world.land(world.rita, project, {b"x": two}, changes=[_change(ONE, two)], base_position=1, agent="claude", **said)
    three = b"a\nb\nc\nd\nE\nF\n"
    said = {"writers": [PERSON, AGENT], "attributed": [_lines(three, (5, 1, 1))]}
    world.land(world.rita, project, {b"x": three}, changes=[_change(ONE, three)], base_position=1, **said)
    return project


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[Api]:
    with Api(world.forge.base_url, world.forge.token("rita")) as client:
        yield client


# First line, lines, landing, who, whether it is said of the line, by which name, at which message.
WRITTEN = [
    (1, 1, 1, "person", False, "", 0),
    (2, 1, 2, "agent", True, "opus", 1),
    (3, 1, 2, "person", True, "", 0),
    (4, 1, 2, "untracked", True, "", 0),
    (5, 2, 1, "person", False, "", 0),
    (7, 1, 3, "agent", True, "opus", 1),
    (8, 1, 3, "untracked", True, "", 0),
]


def test_grpc(world: World, lived: pb.ProjectRef) -> None:
    found = world.rita("SessionService.BlameFile", pb.BlameFileRequest(project=lived, path=b"f"))
    assert [
        (h.first_line, h.lines, h.position, h.written_by, h.of_line, h.writer, h.message) for h in found.hunks
    ] == WRITTEN
    part = world.rita("SessionService.BlameFile", pb.BlameFileRequest(project=lived, path=b"f", first_line=3, lines=3))
    assert [(h.first_line, h.lines, h.written_by) for h in part.hunks] == [
        (3, 1, "person"), (4, 1, "untracked"), (5, 1, "person"),
    ]  # fmt: skip
    landed = world.rita("SessionService.GetSession", pb.GetSessionRequest(project=lived, position=3)).session
    (said,) = landed.attributed
    # What was said of line 5 of what was sent is said of line 7 of what the merge made of it.
    assert (said.content, [(run.first, run.lines, run.writer) for run in said.runs]) == (found.hash, [(7, 1, 1)])
    assert [(each.kind, each.name) for each in landed.writers] == [("person", ""), ("agent", "opus")]


def test_rest(api: Api, lived: pb.ProjectRef) -> None:
    place = f"/projects/{lived.organization}/{lived.handle}"
    hunks = api.get(f"{place}/blame/f").json()["hunks"]
    assert [
        (h["first"], h["lines"], h["position"], h["written_by"], h["of_line"], h["writer"] or "", h["message"] or 0)
        for h in hunks
    ] == WRITTEN
    written = [{"first": 2, "by": "person", "name": "Ada"}, {"first": 1, "by": "agent"}]
    change = {"path": "g", "text": "1\n2\n3\n", "written": written}
    assert api.post(f"{place}/landings", json={"goal": "g", "changes": [change]}).status_code == 201
    hunks = api.get(f"{place}/blame/g").json()["hunks"]
    assert [(h["first"], h["written_by"], h["of_line"], h["writer"]) for h in hunks] == [
        (1, "agent", True, None), (2, "person", True, "Ada"), (3, "untracked", True, None),
    ]  # fmt: skip
    for wrong in (
        {"path": "h", "text": "1\n", "written": [{"first": 1, "by": "agent"}, {"first": 1, "by": "person"}]},
        {"path": "h", "text": "1\n", "written": [{"first": 0, "by": "agent"}]},
        {"path": "h", "text": "1\n", "written": [{"first": 1, "by": "robot"}]},
        {"path": "g", "delete": True, "written": [{"first": 1, "by": "agent"}]},
    ):
        assert api.post(f"{place}/landings", json={"goal": "Wrong", "changes": [wrong]}).status_code in (400, 422)


def test_page_and_twin(world: World, lived: pb.ProjectRef) -> None:
    address = f"/{lived.organization}/{lived.handle}/-/blame/@3/f"
    with Browser(world.forge.base_url) as browser:
        browser.sign_in_once(world.forge.once("rita"))
        html = browser.get(address).text
        assert html.count("The session says of these lines: opus, an agent.") == 2
        assert html.count("The session says of these lines: a person.") == 1
        assert html.count("The session does not say who wrote these lines.") == 2
        assert html.count('<details class="untracked">') == 2
        twin = json.loads(browser.get(f"{address}?format=json").text)
    assert [(h["first"], h["written_by"], h["of_line"], h["writer"] or "") for h in twin["hunks"]] == [
        (first, kind, of_line, name) for first, _, _, kind, of_line, name, _ in WRITTEN
    ]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"attributed": [_lines(b"other\n", (1, 1, 0))], "writers": [AGENT]}, "not its own|does not make"),
        ({"attributed": [_lines(b"n\n", (1, 1, 0), path=b"nowhere")], "writers": [AGENT]}, "does not make"),
        ({"attributed": [_lines(b"n\n", (1, 1, 1))], "writers": [AGENT]}, "writer 1, of 1"),
        ({"attributed": [_lines(b"n\n", (1, 1, 0))], "writers": [pb.Writer(kind="robot")]}, "cannot be read"),
        ({"attributed": [_lines(b"n\n", (1, 1, 0))] * 2, "writers": [AGENT]}, "twice"),
    ],
    ids=str,
)
def test_what_is_refused(world: World, said: dict[str, Any], words: str) -> None:
    project = world.project()
    with pytest.raises(Refused, match=words) as caught:
        world.land(world.rita, project, {b"f": b"n\n"}, **said)
    assert caught.value.code == "invalid_input"


def test_names_hold_no_secrets(world: World) -> None:
    project = world.project()
    token = "AKIA" + "Q3EGRZ5KXJ7NMVTU"
    writer = pb.Writer(kind="agent", name=f"with {token}")
    world.land(world.rita, project, {b"f": b"n\n"}, writers=[writer], attributed=[_lines(b"n\n", (1, 1, 0))])
    found = world.rita("SessionService.BlameFile", pb.BlameFileRequest(project=project, path=b"f"))
    assert token not in str(found)
    assert found.hunks[0].writer.startswith("with [redacted")
