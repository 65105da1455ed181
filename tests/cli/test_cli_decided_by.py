"""`mic session decide --message`: which message decided, or what was said before; it goes wherever the words go."""

from __future__ import annotations

import datetime
import json

import pytest

from between import Between
from inside import Inside
from mic.rpc.v1 import mic_pb2 as pb
from transcripts import claude, lines, said


@pytest.fixture(scope="module")
def garden(insider: Inside) -> Inside:
    """A public project `why`, in the working copy `why`."""
    insider.cd(".")
    insider("project", "create", f"{insider.own}/why", "--visibility", "public")
    insider("clone", f"{insider.own}/why", "why")
    return insider


def _answers(fields: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return [(each["what"], each["message"], each["said_before"]) for each in fields]


def test_named_and_what_came_before(garden: Inside) -> None:
    """By words or by number; what names none says what a person said last. Saved, resumed, landed and shown."""
    garden.cd("why")
    garden("session", "start", "Water at dawn", "--agent", "robot")
    assert garden("session", "decide", "Before all", "--why", "x") == "Decided (1 decision so far).\n"
    garden("session", "note", "Noon burned the leaves.\nWater at dawn!", "--as", "human")
    garden("session", "note", "At night there are slugs.", "--as", "agent")
    assert garden("session", "decide", "Water at 05:30", "--why", "x", "--message", "burned  THE leaves") == (
        "Decided (2 decisions so far).\nIn reply to: Noon burned the leaves. Water at dawn!\n"
    )
    garden("session", "decide", "Not at night", "--why", "x", "--message", "#2")
    found = garden.json("session", "decide", "By a pump", "--why", "x")
    expected = [
        ("Before all", None, None),
        ("Water at 05:30", 1, None),
        ("Not at night", 2, None),
        ("By a pump", None, 1),
    ]
    assert _answers(found["session"]["decisions"]) == expected
    assert _answers([found["decision"]]) == expected[3:]
    shown = garden("session", "status")
    for words in (
        "Decided: Before all\n  because x\n\n",
        "Decided: Water at 05:30\n  because x\n  in reply to: Noon burned the leaves. Water at dawn!\n",
        "Decided: Not at night\n  because x\n  in reply to: At night there are slugs.\n",
        "Decided: By a pump\n  because x\n  last said before: Noon burned the leaves. Water at dawn!\n",
    ):
        assert words in shown
    garden.write("water", "05:30\n")
    garden("session", "push")
    garden("session", "switch", "--none")
    assert garden("session", "resume", "--latest").startswith("Resumed: Water at dawn\n")
    assert garden("session", "resume", "--latest").startswith("Resumed: Water at dawn\n")
    assert _answers(garden.json("session", "undecide", "1")["session"]["decisions"]) == expected[1:]
    garden("land")
    landed = garden.json("show", "@1")["session"]["decisions"]
    assert _answers(landed) == expected[1:]
    assert all(each["at"] for each in landed)
    for words in ("in reply to: At night there are slugs.\n", "last said before: Noon burned the leaves. Water"):
        assert words in garden("show", "@1")
    why = garden.json("blame", "water", "--why")["whys"][0]["decisions"]
    assert [(each["what"], each["message"], each["at"]) for each in why] == [
        (each["what"], each["message"], each["at"]) for each in landed
    ]


def test_what_names_nothing(garden: Inside) -> None:
    """Nothing is recorded then, and it is said how to say it first."""
    garden.cd("why")
    garden("session", "start", "Again")
    assert garden("session", "decide", "X", "--why", "x", "--message", "never said") == (
        "! mic: No message of this session says 'never said'.\n"
        "!      `mic session note --as human` says it first, or `mic session attach` brings the transcript.\n[4]\n"
    )
    assert garden("session", "decide", "X", "--why", "x", "--message", "#1").startswith(
        "! mic: This session has 0 messages, and no #1.\n"
    )
    assert garden.run("session", "decide", "X", "--why", "x", "--message", "a").returncode == 2
    assert garden.json("session", "status")["session"]["decisions"] == []
    garden("session", "abandon")


def test_a_transcript_that_is_attached_later(garden: Inside) -> None:
    """What was said hours before moves up, and decisions keep their messages; one that was recorded while the agent
    worked follows what a person had said by then.
    """
    garden.cd("why")
    garden("session", "start", "From a transcript", "--agent", "robot")
    garden("session", "note", "Said at the end of all", "--as", "human")
    garden("session", "decide", "Named", "--why", "x", "--message", "end of all")
    garden("session", "decide", "Recorded", "--why", "x")
    now = datetime.datetime.now(datetime.UTC)
    turns = [
        claude("user", "12:00:00", "Count the roses.") | {"timestamp": _stamp(now, -3600)},
        claude("assistant", "12:00:01", [said("There is one.")], id="1", model="m") | {"timestamp": _stamp(now, -3000)},
        claude("user", "12:00:02", "And the tulips?") | {"timestamp": _stamp(now, 3600)},
    ]
    file = garden.home / "later.jsonl"
    file.write_bytes(lines(*turns))
    garden("session", "attach", str(file))
    status = garden.json("session", "status")["session"]
    numbers = {each["text"]: number for number, each in enumerate(status["conversation"], 1)}
    assert numbers["Count the roses."] < numbers["Said at the end of all"] < numbers["And the tulips?"]
    at_the_end = numbers["Said at the end of all"]
    assert _answers(status["decisions"]) == [("Named", at_the_end, None), ("Recorded", None, at_the_end)]
    garden.write("water", "05:31\n")
    garden("land")
    assert _answers(garden.json("show", "@latest")["session"]["decisions"]) == _answers(status["decisions"])


def _stamp(now: datetime.datetime, seconds: int) -> str:
    return (now + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_a_visitor_of_what_is_kept_to_members(garden: Inside) -> None:
    """Neither the message nor its number; a member has both."""
    garden.cd("why")
    garden("session", "start", "Quietly", "--transcript", "members")
    garden("session", "note", "The vault is behind the mirror", "--as", "human")
    garden("session", "decide", "Named", "--why", "x", "--message", "vault")
    garden("session", "decide", "Recorded", "--why", "x")
    garden.write("water", "05:32\n")
    garden("land")
    assert _answers(garden.json("show", "@latest")["session"]["decisions"]) == [
        ("Named", 1, None),
        ("Recorded", None, 1),
    ]
    visitor = Inside(garden.forge, garden.home / "visitor")
    seen = visitor.json("show", "@latest", "--project", f"{garden.own}/why")
    assert _answers(seen["session"]["decisions"]) == [("Named", None, None), ("Recorded", None, None)]
    assert "vault" not in json.dumps(seen)
    shown = visitor("show", "@latest", "--project", f"{garden.own}/why")
    assert ("in reply to" in shown, "last said before" in shown) == (False, False)


def test_a_forge_of_yesterday(garden: Inside) -> None:
    """It forgets when, and in reply to what. Saving, resuming and landing go on, and nothing seems not to be saved."""
    between = Between(garden.forge)
    try:
        between.change = _of_yesterday
        home = garden.home / "yesterday"
        person = Inside(between, home, garden.own.removesuffix("-org"))  # type: ignore[arg-type]
        person("clone", f"{garden.own}/why", "old")
        person.cd("old")
        person("session", "start", "With an old forge")
        person("session", "note", "Keep it")
        person("session", "decide", "Kept", "--why", "x", "--message", "keep it")
        person.write("water", "05:33\n")
        assert person("session", "push").startswith("Pushed: With an old forge")
        assert person("session", "resume", "--latest").startswith("Resumed: With an old forge\n")
        assert _answers(person.json("session", "status")["session"]["decisions"]) == [("Kept", None, None)]
        assert person("land").startswith("Landed @")
    finally:
        between.end()


def _of_yesterday(method: str, number: int, message: bytes) -> bytes:
    if method != "GetSession":
        return message
    answer = pb.SessionResponse.FromString(message)
    for each in answer.session.decisions:
        each.at_ms = each.message = 0
    return answer.SerializeToString()
