"""`--transcript members`: what was said is kept to members, what was decided is for all."""

from __future__ import annotations

import pytest

from inside import Inside

SAID = "Noon burned the leaves"


@pytest.fixture(scope="module")
def garden(insider: Inside) -> Inside:
    """A public project `vault`, in the working copy `vault`, and an empty one `other`."""
    insider.cd(".")
    for name in ("vault", "vault-other"):
        insider("project", "create", f"{insider.own}/{name}", "--visibility", "public")
    insider("clone", f"{insider.own}/vault", "vault")
    return insider


def test_from_the_start_to_the_landing(garden: Inside) -> None:
    """Saved, resumed and landed it stays so. Members read it; a visitor how much there is; a push leaves it here."""
    garden.cd("vault")
    assert garden.json("session", "start", "Water at dawn", "--transcript", "members")["session"]["transcript"] == (
        "members"
    )
    garden("session", "note", SAID)
    garden("session", "decide", "Water at 05:30")
    garden.write("water", "05:30\n")
    garden("session", "push")
    garden("session", "switch", "--none")
    garden("session", "resume", "--latest")
    assert garden.json("session", "status")["session"]["transcript"] == "members"
    garden("land")
    shown = garden("show", "@1")
    assert SAID in shown
    assert "The conversation (1 message) is kept to members.\n" in shown
    fields = garden.json("show", "@1")["session"]
    assert (fields["transcript"], fields["messages"], len(fields["conversation"])) == ("members", 1, 1)
    garden("remote", "add", "other", f"{garden.own}/vault-other")
    garden("push", "other")
    there = garden("show", "@1", "--project", f"{garden.own}/vault-other")
    assert "Water at 05:30" in there
    assert SAID not in there
    visitor = Inside(garden.forge, garden.home / "visitor")
    seen = visitor("show", "@1", "--project", f"{garden.own}/vault")
    assert "Decided: Water at 05:30" in seen
    assert "The conversation (1 message) is kept to members, and not sent to you.\n" in seen
    assert SAID not in seen


def test_the_wish_is_taken_back_and_said_when_landing(garden: Inside) -> None:
    """Until it lands it can be another one; said to a session that nobody started it is kept as well."""
    garden.cd("vault")
    garden("session", "start", "Again", "--transcript", "members")
    garden("session", "note", SAID)
    garden.write("water", "05:31\n")
    garden("land", "--transcript", "project")
    assert garden.json("show", "@latest")["session"]["transcript"] == "project"
    garden.write("water", "05:32\n")
    garden("land", "Once more", "--transcript", "members")
    assert garden.json("show", "@latest")["session"]["transcript"] == "members"
    assert garden.run("land", "Other", "--transcript", "friends").returncode == 2
