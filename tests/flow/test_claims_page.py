"""Claims beside facts on the page of a session, and in its twins."""

from __future__ import annotations

import time

import pytest
from django.test import Client

import pages_story
from html_check import Document, without_keys
from mic.core.blob import encode_blob
from mic.core.ids import content_hash, new_ulid
from mic.core.session import Change, Decision, Message, Op, Session
from micelio.sessions.actions import land
from signed_in import sign_in

pytestmark = pytest.mark.django_db
RELATED_TO_FOUR = [(2, "changed docs/keys.md before")]
HOSTILE = b"docs/<script>alert(1)<script>.md"


@pytest.fixture
def story(db: None) -> pages_story.Story:
    told = pages_story.tell()
    data = b"x\n"
    session = Session(
        id=new_ulid(time.time_ns() // 1_000_000, bytes(10)),
        goal="Only touch `src/`",
        base_position=4,
        claims=("Faster <b>than</b> before",),
        decisions=(Decision("Adds tests for it", evidence="src/gone.py:3"),),
        conversation=(Message("agent", "claude-code", "I did not touch `docs/`. All tests pass.", 0),),
        changes=tuple(
            Change(path, int(Op.ADDED), 0o100644, content_hash(data), len(data))
            for path in (HOSTILE, b"tests/test_new.py")
        ),
    )
    land(told.actor, told.project, session, {content_hash(data): encode_blob(data)})
    return told


def test_each_claim_leads_to_its_words_and_each_fact_to_its_file(story: pages_story.Story) -> None:
    """Beside a sign in words; names of files and claims are text."""
    source = Client().get("/acme/api/-/landings/5").content.decode()
    page = Document(source)
    rows = [li for li in page.all("li") if li.attributes.get("class") in ("holds", "fails", "open", "fact")]
    assert [row.attributes["class"] for row in rows] == ["open", "fails", "holds", "fails", "open", "fact", "fact"]
    assert "does not hold" in rows[1].text
    assert "2 files elsewhere" in rows[1].text
    assert "src/gone.py" in rows[5].text
    assert "2 changed files are named in no word of the session" in rows[6].text
    addresses = {a.attributes["href"] for a in page.all("a")}
    for address in ("?decisions=1#d1", "?conversation=1#m1", "/changes/1", "/changes/2"):
        assert f"/acme/api/-/landings/5{address}" in addresses
    assert "<script" not in without_keys(source)
    assert Client().get("/acme/api/-/landings/5?conversation=1").status_code == 200


def test_the_head_says_how_many_do_not_hold(story: pages_story.Story) -> None:
    """And leads to them, so that nobody reads past it."""
    page = Document(Client().get("/acme/api/-/landings/5").content.decode())
    assert [a.text for a in page.all("a") if a.attributes["href"] == "#claims"] == ["2 claims do not hold"]
    assert [h2.text for h2 in page.all("h2") if h2.attributes.get("id") == "claims"] == [
        "What it says, and what it changed"
    ]
    assert "#claims" not in Client().get("/acme/api/-/landings/3").content.decode()


def test_the_twins_have_them(story: pages_story.Story) -> None:
    """As data with verdicts, and as lines to read."""
    checks = Client().get("/acme/api/-/landings/5?format=json").json()["checks"]
    assert [(each["from"], each["verdict"]) for each in checks] == [
        ("listed", "open"), ("goal", "fails"), ("decision", "holds"), ("message", "fails"), ("message", "open"),
    ]  # fmt: skip
    text = Client().get("/acme/api/-/landings/5?format=md").content.decode()
    assert "- ! “Only touch \\`src/\\`” (in the goal) - 2 files elsewhere: docs/" in text
    assert "- ? “All tests pass.” (message 1) - the forge has run no tests" in text


def test_facts_are_said_in_the_readers_language(story: pages_story.Story) -> None:
    """What the session says stays as it is, and so do the twins, whatever is asked for beside them."""
    german = {"Accept-Language": "de"}
    page = Document(Client().get("/acme/api/-/landings/5", headers=german | {"Accept": "text/html"}).content.decode())
    rows = [li.text for li in page.all("li") if li.attributes.get("class") in ("holds", "fails", "open", "fact")]
    assert "Only touch src/" in rows[1]
    assert "im Ziel" in rows[1]
    assert "trifft nicht zu" in rows[1]
    assert "2 Dateien anderswo" in rows[1]
    assert "Nachricht 1" in rows[4]
    assert "die Forge hat keine Tests ausgeführt" in rows[4]
    assert "2 geänderte Dateien werden in der Sitzung nirgends genannt" in rows[6]
    for form in ("json", "md"):
        address = f"/acme/api/-/landings/5?format={form}"
        assert Client().get(address, headers=german).content == Client().get(address).content


def test_an_open_session_is_not_judged_by_what_has_not_arrived(story: pages_story.Story) -> None:
    """Nothing has: so there is nothing that it claims."""
    client = Client()
    sign_in(client, story.user)
    name = client.get("/acme/api/-/sessions?format=json").json()["sessions"][0]["session"]
    assert client.get(f"/acme/api/-/sessions/{name}?format=json").json()["checks"] == []


def test_related_sessions_are_named_or_changed_the_same_files(
    story: pages_story.Story,
) -> None:
    """Each with what it has to do with this one, in page and twin; a position that is not there is not named."""
    changed = Client().get("/acme/api/-/landings/4?format=json").json()
    assert [path["path"] for path in changed["changes"]] == ["docs/keys.md"]
    assert [(each["position"], each["why"]) for each in changed["related"]] == RELATED_TO_FOUR
    page = Client().get("/acme/api/-/landings/4").content.decode()
    assert "Related sessions" in page
    assert "changed docs/keys.md before" in page
    german = Client().get("/acme/api/-/landings/4", headers={"Accept-Language": "de", "Accept": "text/html"})
    assert "hat zuvor docs/keys.md geändert" in german.content.decode()
    data = b"y\n"
    session = Session(
        id=new_ulid(time.time_ns() // 1_000_000, bytes(10)),
        goal="Say what @3 left open, not @99 nor mail@2",
        base_position=5,
        changes=(Change(b"new.txt", int(Op.ADDED), 0o100644, content_hash(data), len(data)),),
    )
    land(story.actor, story.project, session, {content_hash(data): encode_blob(data)})
    named = Client().get("/acme/api/-/landings/6?format=json").json()["related"]
    assert [(each["position"], each["why"]) for each in named] == [(3, "named here")]
