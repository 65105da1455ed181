"""Tokens that a session's transcripts report: on its page, in its twins, through the calls; nothing where none told."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

import pages_story
from api_client import Api
from html_check import Document, without_keys
from mic.core.blob import encode_blob
from mic.core.ids import content_hash, new_ulid
from mic.core.session import Change, Op, Session, Usage
from mic.rpc.v1 import mic_pb2 as pb
from micelio.sessions.actions import land
from rpc_world import World, landing, pushing, session_id

SPENT = (
    Usage("claude-opus-4-5", 1_000, 200, 900, "claude-code-a"),
    Usage("<script>alert(1)</script>", 7, 0, 0, "claude-code-a"),
    Usage("claude-opus-4-5", 234, 34, 0, "claude-code-b"),
    Usage("", 3, 1),
)
SUMS = [
    {"model": "claude-opus-4-5", "read": 1234, "cached": 900, "written": 234},
    {"model": "<script>alert(1)</script>", "read": 7, "cached": 0, "written": 0},
    {"model": None, "read": 3, "cached": 0, "written": 1},
]
HERE = "/acme/api/-/landings/5"


@pytest.fixture
def story(db: None) -> pages_story.Story:
    made = pages_story.tell()
    data = b"x\n"
    change = Change(b"new.md", int(Op.ADDED), 0o100644, content_hash(data), len(data))
    own = new_ulid(time.time_ns() // 1_000_000, bytes(10))
    session = Session(id=own, goal="Count", base_position=4, usage=SPENT, changes=(change,))
    land(made.actor, made.project, session, {content_hash(data): encode_blob(data)})
    return made


@pytest.mark.django_db
def test_the_page_sums_them_by_model(story: pages_story.Story) -> None:
    """A number beside when and how long, which leads to a table; a name of a model is text."""
    source = Client().get(HERE).content.decode()
    page = Document(source)
    assert "1,479 tokens" in source
    assert [a.attributes["href"] for a in page.all("a") if "tokens" in a.text] == ["#tokens"]
    rows = [row.text for row in page.all("tr")]
    assert "claude-opus-4-51,234900 from a cache234" in rows
    assert "a model without a name31" in rows
    assert "<script" not in without_keys(source)
    german = Client().get(HERE, headers={"Accept-Language": "de", "Accept": "text/html"}).content.decode()
    assert "1.479 Tokens" in german
    for without in (f"{HERE[:-1]}3", f"{HERE}?changes=1"):
        assert 'id="tokens"' not in Client().get(without).content.decode()


@pytest.mark.django_db
def test_the_twins_have_them(story: pages_story.Story) -> None:
    """By model; an empty list where nobody counted."""
    assert Client().get(f"{HERE}?format=json").json()["usage"] == SUMS
    assert Client().get(f"{HERE[:-1]}3?format=json").json()["usage"] == []
    text = Client().get(f"{HERE}?format=md").content.decode()
    assert "- claude-opus-4-5: 1,234 read, 900 of them from a cache, 234 written" in text
    assert "## Tokens" not in Client().get(f"{HERE[:-1]}3?format=md").content.decode()


def _sent() -> list[pb.Usage]:
    return [pb.Usage(model=u.model, read=u.read, written=u.written, cached=u.cached, source=u.source) for u in SPENT]


def test_through_the_calls(world: World) -> None:
    """As they were sent, while it is open and when it has landed; REST gives the sums."""
    project, own = world.project(), session_id()
    world.max("SessionService.PushSession", pushing(project, {b"a": b"a"}, id=own, usage=_sent()))
    asked = pb.GetSessionRequest(project=project, session_id=own)
    assert list(world.max("SessionService.GetSession", asked).session.usage) == _sent()
    world.max("SessionService.LandSession", landing(project, {b"a": b"a"}, id=own, usage=_sent()))
    assert list(world.nobody("SessionService.GetSession", asked).session.usage) == _sent()
    place = f"/projects/{project.organization}/{project.handle}"
    with Api(world.forge.base_url, world.forge.token("max")) as api:
        assert api.done("GET", f"{place}/landings/1")["usage"] == SUMS
        body = {
            "goal": "More", "changes": [{"path": "b", "text": "b"}],
            "usage": [{"model": "m", "read": 5, "written": 6, "cached": 4}],
        }  # fmt: skip
        made = api.done("POST", f"{place}/landings", 201, json=body)
        told: dict[str, Any] = api.done("GET", f"{place}/sessions/{made['session']}")
        assert told["usage"] == [{"model": "m", "read": 5, "cached": 4, "written": 6}]


def test_numbers_that_cannot_be_meant(world: World) -> None:
    """More from a cache than was read, more than JSON can say, a name of a megabyte, a thousand models."""
    project = world.project()
    for usage in (
        [pb.Usage(model="m", read=1, cached=2)],
        [pb.Usage(model="m", written=1 << 53)],
        [pb.Usage(model="m" * 201)],
        [pb.Usage(model="m\n")],
        [pb.Usage(source="s\x00")],
        [pb.Usage(model=str(each)) for each in range(201)],
    ):
        wrong = landing(project, {b"a": b"a"}, usage=usage)
        assert world.max.refused("SessionService.LandSession", wrong).code in ("invalid_input", "too_large")


def test_a_secret_in_a_name_is_taken_out(world: World) -> None:
    """Names are words of people, as an agent's is."""
    project = world.project()
    name = "AKIA" + "QX7RZT2MNB4WLK5P"
    request = landing(project, {b"a": b"a"}, usage=[pb.Usage(model=name, read=1), pb.Usage(model="fine", read=1)])
    world.max("SessionService.LandSession", request)
    found = world.nobody("SessionService.GetSession", pb.GetSessionRequest(project=project, position=1)).session
    assert [each.model for each in found.usage][1] == "fine"
    assert name not in str(found)
