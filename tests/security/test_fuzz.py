"""What `make fuzz` found, one test each; and that it finds what is planted."""

from __future__ import annotations

import random

import grpc
import httpx
import pytest

from fuzz.mutate import mutate
from fuzz.parsers import Parser
from fuzz.run import parsing, run
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World, frame


@pytest.mark.parametrize(
    "name", ["AuthService.GetCurrentUser", "SessionService.GetSession", "ProjectService.StreamBlobs"]
)
def test_a_message_that_is_none(world: World, name: str) -> None:
    """A refusal with a sentence; gRPC's own answer would be that the forge failed."""
    refused = world.rita.refused(name, b"\xff\xff\xff")
    assert (refused.status, refused.code) == (grpc.StatusCode.INVALID_ARGUMENT, "invalid_input")
    assert "is no message of this call" in refused.message


def test_a_message_of_a_stream_that_is_none(world: World) -> None:
    """Wherever in the stream it comes."""
    start = pb.UploadBlobsRequest(project=world.open, frames=[frame(b"x")]).SerializeToString()
    refused = world.rita.refused("ProjectService.UploadBlobs", [start, b"\xff\xff\xff"])
    assert refused.code == "invalid_input"


PLACES = ("token", "revoke", "device/code", "userinfo", "authorize?client_id=mic-cli")


@pytest.mark.parametrize("place", PLACES)
def test_a_header_that_is_not_utf_8(world: World, place: str) -> None:
    """OAuth's answer for a request that cannot be read, and none that says the forge failed."""
    before = world.forge.log()
    address = f"{world.forge.base_url}/-/oauth/{place}"
    for method, fields in (("GET", None), ("POST", {"client_id": "mic-cli"})):
        answer = httpx.request(method, address, headers={"X-Odd": b"\xfd\x80"}, data=fields)
        assert 300 <= answer.status_code < 500, (method, answer.status_code)
    assert world.forge.log() == before


def test_the_fuzzer_finds_what_is_planted() -> None:
    """A crash behind three letters, and nothing in a parser that refuses."""

    def planted(raw: bytes) -> None:
        if raw[:2] == b"ab" and b"\x80" in raw:
            raise IndexError

    _, found = run(parsing(Parser("planted", planted, [b"abcdef"])), 20, 1)
    assert "IndexError" in found[0].what
    tries, found = run(parsing(Parser("sound", lambda raw: raw, [b"abcdef"])), 0.2, 1)
    assert (tries > 10, found) == (True, [])


def test_a_seed_shows_a_run_again() -> None:
    """The same inputs in the same order."""
    one, other = random.Random("7 x"), random.Random("7 x")
    assert [mutate(one, [b"abc"]) for _ in range(200)] == [mutate(other, [b"abc"]) for _ in range(200)]
