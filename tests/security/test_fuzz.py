"""What `make fuzz` found, one test each; and that it finds what is planted."""

from __future__ import annotations

import random
from collections.abc import Callable

import grpc
import httpx
import pytest

from fuzz.archives import archive_targets
from fuzz.mutate import mutate
from fuzz.parsers import Parser
from fuzz.run import Target, parsing, run
from mic.core.errors import InvalidInput
from mic.rpc.v1 import mic_pb2 as pb
from micelio.archives.asking import Asking
from micelio.archives.given import parsed
from micelio.archives.source import parse_source
from micelio.imports.fetch import parse_url
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


_ARCHIVES = {target.name: target for target in archive_targets()}


@pytest.mark.parametrize("target", _ARCHIVES.values(), ids=_ARCHIVES)
def test_a_short_run_of_what_other_forges_say(target: Target) -> None:
    """A hundred inputs for each reader: records, or a refusal."""
    rng = random.Random(f"6 {target.name}")
    for _ in range(100):
        assert target.attempt(rng) is None


@pytest.mark.parametrize("parse", [parse_source, parse_url])
@pytest.mark.parametrize(
    "address", ["https://]github.com/a/b", "https://[::1/a/b", "https://[x]/a/b", "https://h/a/ /"]
)
def test_an_address_that_is_none(parse: Callable[[str], object], address: str) -> None:
    """Of brackets Python's own reader raises ValueError; whoever wrote it is told instead. A space is none."""
    with pytest.raises(InvalidInput):
        parse(address)


def test_another_forge_that_leads_to_no_address() -> None:
    """A next page or a redirect that cannot be read is that forge's mistake, and no failure of this one."""
    asking = Asking(NotImplemented, parse_source("https://github.com/a/b"))
    with pytest.raises(InvalidInput, match="sends on to what is no address"):
        asking.require_own("https://[api.github.com/x")
    with pytest.raises(InvalidInput, match="sends on to what is no address"):
        asking.further("https://api.github.com/x", "//[")


@pytest.mark.parametrize("address", ["https://github.com/a/b.git.git", "https://github.com/a//b.git//"])
def test_an_address_that_ends_in_more_than_one_git_or_slash(address: str) -> None:
    """The one that is kept is read again, and must be of the same repository then."""
    assert parse_source(address).url == "https://github.com/a/b"


@pytest.mark.parametrize("body", [b"[" * 900_000, b"[" + b"[]," * 9_000_000 + b"[]]", b'{"a":' * 300_000 + b"1"])
def test_an_answer_that_is_deep_or_of_many_parts(body: bytes) -> None:
    """It is refused before it fills the memory or the stack."""
    with pytest.raises(InvalidInput):
        parsed(body)
