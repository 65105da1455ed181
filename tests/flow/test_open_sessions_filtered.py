"""The list of open sessions, narrowed down by goal, person, agent, path and state."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import pages_story
from html_check import Document, without_keys
from mic.core.session import Change, Op, Session, State
from micelio.accounts.actions import create_user
from micelio.accounts.actor import actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.projects.ledgers import open_ledger
from micelio.projects.members import set_project_member
from micelio.sessions import open_narrowed, projector
from micelio.sessions.models import OpenSession
from micelio.sessions.open_narrowed import WantedOpen, find_open_sessions
from signed_in import sign_in

pytestmark = pytest.mark.django_db
HERE = "/acme/api/-/sessions"


@pytest.fixture
def story(db: None) -> pages_story.Story:
    """Four sessions beside the one of the story, in this order; `worker` has the second."""
    told = pages_story.tell()
    worker = actor_of(create_user(OPERATOR, "worker"), "token")
    set_project_member(told.actor, "acme", "api", "worker", "member")
    ledger = open_ledger(told.project.id)
    for number, (goal, owner, agent, state, paths) in enumerate(
        (
            ("Water the roses", told.actor, "claude-code:opus", State.ACTIVE, [b"src/water.py", b"docs/a.md"]),
            ("Count roses", worker, "codex", State.CONFLICTED, [b"src/water.py.txt"]),
            ("100% of it_", worker, "", State.ABANDONED, [b"src/water.py"]),
            ("<script>alert(1)</script>", told.actor, "", State.ACTIVE, []),
        ),
        1,
    ):
        assert owner.user_id is not None
        session = Session(
            id=b"\xff" + number.to_bytes(15, "big"), goal=goal, base_position=0, hlc_created=1, hlc_updated=1,
            owner=owner.user_id.bytes, state=int(state), agent=agent,
            changes=tuple(Change(path, int(Op.ADDED), 0o100644, bytes(32), 1) for path in paths),
        )  # fmt: skip
        ledger.put_open_session(session)
        projector.keep_row(told.project.id, session)
    return told


def _member() -> Client:
    client = Client()
    sign_in(client, User.objects.get(handle="worker"))
    return client


def _goals(query: str) -> list[str]:
    told = _member().get(f"{HERE}?format=json&{query}").json()["sessions"]
    return [each["goal"].partition("\n")[0] for each in told]


ALL = ["<script>alert(1)</script>", "Count roses", "Water the roses", "Let an operator revoke a family of tokens"]


@pytest.mark.parametrize(
    ("query", "goals"),
    [
        ("", ALL),
        ("goal=ROSES", ["Count roses", "Water the roses"]),
        ("goal=%25&state=abandoned", ["100% of it_"]),
        ("goal=_", []),
        ("agent=claude", ["Water the roses", "Let an operator revoke a family of tokens"]),
        ("author=worker", ["Count roses"]),
        ("author=nobody", []),
        ("path=src", ["Count roses", "Water the roses"]),
        ("path=/src/water.py/", ["Water the roses"]),
        ("path=rc", []),
        ("path=docs&author=worker", []),
        ("state=conflicted", ["Count roses"]),
        ("state=abandoned&path=src/water.py", ["100% of it_"]),
        ("state=queued", []),
    ],
)
def test_filters(story: pages_story.Story, query: str, goals: list[str]) -> None:
    """Parts of goals and of agents, a handle, a path or what is below it, a state."""
    assert _goals(query) == goals


def test_the_form_keeps_what_was_asked(story: pages_story.Story) -> None:
    """What was typed is text; a state that there is not is refused; a visitor is told of nothing."""
    client = _member()
    source = client.get(f"{HERE}?goal=%3Cscript%3Ealert(2)&state=active&path=src").content.decode()
    page = Document(source)
    values = {each.attributes.get("name"): each.attributes.get("value") for each in page.all("input")}
    assert (values["goal"], values["path"]) == ("<script>alert(2)", "src")
    assert "<script" not in without_keys(source)
    assert "No session like that is open." in source
    chosen = [each for each in page.all("option") if "selected" in each.attributes and "lang" not in each.attributes]
    assert [each.attributes["value"] for each in chosen] == ["active"]
    assert client.get(f"{HERE}?state=landed").status_code == 400
    assert Client().get(f"{HERE}?format=json&goal=roses").json()["sessions"] == []
    assert "water" not in Client().get(f"{HERE}?path=src").content.decode().lower()


def test_a_visitor_is_told_whom_open_sessions_are_for(story: pages_story.Story) -> None:
    """Not that there are none; a member finds the list from every page, though nothing is open."""
    said = Client().get(HERE).content.decode()
    assert "Sessions that have not landed are for members of the project." in said
    assert "No session is open" not in said
    assert "<input name=" not in said
    OpenSession.objects.filter(project_id=story.project.id).delete()
    assert f'<a href="{HERE}">Sessions</a>' in _member().get("/acme/api").content.decode()
    assert "No session is open" in _member().get(HERE).content.decode()


def test_pages_go_on_where_the_last_one_ended(story: pages_story.Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where few of what was looked through are shown, and within the queries of any page."""
    actor = actor_of(User.objects.get(handle="worker"), "token")
    project = story.project
    monkeypatch.setattr(open_narrowed, "LOOKED_THROUGH", 2)
    seen, after, steps = [], b"", 0
    while steps == 0 or after:
        rows, after = find_open_sessions(story.actor, project, WantedOpen(path=b"src"), after)
        seen += [row.goal for row in rows]
        steps += 1
    assert (seen, steps) == (["Count roses", "Water the roses"], 2)
    rows, after = find_open_sessions(story.actor, project, WantedOpen(goal="roses"), limit=1)
    assert [row.goal for row in rows] == ["Count roses"]
    rows, after = find_open_sessions(story.actor, project, WantedOpen(goal="roses"), after, 1)
    assert ([row.goal for row in rows], after) == (["Water the roses"], b"")
    assert actor.user_id is not None
    client = _member()
    client.get(HERE)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = client.get(f"{HERE}?goal=roses&author=worker&agent=codex&path=src")
    assert answer.status_code == 200
    assert len(asked) <= 12
