"""`mic search`: what the box of the pages finds, in a terminal."""

from __future__ import annotations

import time
from typing import Any

import pytest

from inside import Inside
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, Refused


@pytest.fixture(scope="module")
def ada(insider: Inside) -> Inside:
    """In a working copy of a project with one landing that decided something, once the forge can find it."""
    insider("project", "create", f"{insider.own}/roses", "--visibility", "private")
    insider.cd("")
    insider("clone", f"{insider.own}/roses", "roses")
    insider.cd("roses")
    insider.write("src/pump.py", "def open_sluice():\n    return 'quicksilver'\n")
    insider("session", "start", "Water the quicksilver roses")
    insider("session", "decide", "Open by hand", "--why", "The quicksilver clock drifts")
    insider("land")
    until = time.monotonic() + 30
    while not insider.json("search", "why:quicksilver")["results"]:
        assert time.monotonic() < until, "the landing is not found"
    return insider


def _kinds(found: dict[str, Any]) -> list[str]:
    return [row["kind"] for row in found["results"]]


def test_some_of_each_kind_and_all_of_one(ada: Inside) -> None:
    """In the project of the working copy; with words, a phrase, an expression and filters."""
    assert _kinds(ada.json("search", "quicksilver")) == ["file", "session", "decision"]
    (row,) = ada.json("search", "/open_\\w+/", "--kind", "code")["results"]
    assert (row["path"], row["lines"]) == ("src/pump.py", [{"line": 1, "text": "def open_sluice():"}])
    assert _kinds(ada.json("search", "lang:python", "quicksilver")) == ["file"]
    assert _kinds(ada.json("search", "why:drifts")) == ["decision"]
    assert _kinds(ada.json("search", "quicksilver clock")) == ["decision"]
    assert _kinds(ada.json("search", "--kind", "projects", "--everywhere", "roses")) == ["project"]


def test_what_people_read(ada: Inside) -> None:
    """Where it is, line by line; and that there is nothing."""
    said = ada("search", "quicksilver")
    assert f"Code\n{ada.own}/roses src/pump.py\n      2  return 'quicksilver'\n" in said
    assert f"{ada.own}/roses@1  Water the quicksilver roses" in said
    assert f"{ada.own}/roses@1 D1  Open by hand" in said
    assert ada("search", "nobodywrotethis") == "Nothing was found, or nothing that you may read.\n"
    assert "[2]" in ada("search", "--kind", "stones", "x")


def test_hostile_questions_are_refused_in_words(ada: Inside) -> None:
    """Too long, an expression that would explode, one that is none."""
    assert "at most 500 characters" in ada("search", "a" * 10_000)
    assert ada("search", "/((a{1,200}){1,200}){1,200}abc/").startswith("! mic: ")
    assert ada("search", "/(abc/").startswith("! mic: ")


def test_a_stranger_finds_nothing_of_it_and_pages_go_on(ada: Inside) -> None:
    """By the typed surface: as nobody, of an unknown kind, and one result at a time."""
    with Caller(ada.forge.grpc_address) as nobody:
        assert not nobody("ProjectService.Search", pb.SearchRequest(query="quicksilver")).results
        with pytest.raises(Refused, match="There is no kind of result"):
            nobody("ProjectService.Search", pb.SearchRequest(query="quicksilver", kind="stones"))
        with pytest.raises(Refused, match="at most 500"):
            nobody("ProjectService.Search", pb.SearchRequest(query="a" * 501))
