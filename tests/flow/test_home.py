"""Home in a forge with more projects than one page holds: what moved last of all that the visitor may read."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import pages_story
from mic.core.errors import InvalidInput, PermissionDenied
from micelio.accounts.actions import create_user
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.organizations.actions import create_organization
from micelio.organizations.models import Membership
from micelio.pages.views.home import project_list
from micelio.pages.weight import Scale
from micelio.projects.actions import create_project
from micelio.projects.members import set_project_member
from micelio.projects.models import Project
from micelio.sessions.recent import recent_projects
from micelio.tokens.actions import create_token
from micelio.tokens.queries import actor_of_token
from signed_in import sign_in

pytestmark = pytest.mark.django_db
PUBLIC, PRIVATE = 60, 6


def _user(handle: str) -> User:
    return create_user(OPERATOR, handle)


@pytest.fixture
def owner(db: None) -> Actor:
    """Sixty public projects, p59 made last, and six private ones that are newer still."""
    actor = actor_of(_user("owen"), "web")
    create_organization(actor, "many")
    now = timezone.now()
    for number in range(PUBLIC + PRIVATE):
        public = number < PUBLIC
        handle = f"p{number:02}" if public else f"v{number - PUBLIC}"
        made = create_project(actor, "many", handle, visibility="public" if public else "private")
        Project.objects.filter(id=made.id).update(created_at=now - timedelta(hours=200 - number))
    return actor


def _shown(client: Client, **asked: str) -> dict[str, Any]:
    answer = client.get("/", {"format": "json", **asked})
    assert answer.status_code == 200
    return answer.json()  # type: ignore[no-any-return]


def _names(data: dict[str, Any]) -> list[str]:
    return [row["project"].partition("/")[2] for row in data["projects"]]


def _through(client: Client) -> list[str]:
    """Every project, page after page."""
    data = _shown(client)
    found = _names(data)
    while data["next_after"]:
        data = _shown(client, after=data["next_after"])
        found += _names(data)
    return found


def _signed_in(handle: str) -> Client:
    client = Client()
    sign_in(client, User.objects.get(handle=handle))
    return client


_PUBLIC = [f"p{number:02}" for number in reversed(range(PUBLIC))]
_PRIVATE = [f"v{number}" for number in reversed(range(PRIVATE))]


def test_a_visitor_sees_the_public_ones_that_moved_last(owner: Actor) -> None:
    """And all others behind them, in the same order; nothing of what is private."""
    first = _names(_shown(Client()))
    assert first == _PUBLIC[: len(first)]
    assert len(first) == 50
    assert _through(Client()) == _PUBLIC


def test_a_landing_moves_a_project_to_the_front(owner: Actor) -> None:
    """At once, however early its name stands, and whatever was made since."""
    story = pages_story.tell()
    Project.objects.exclude(id=story.project.id).update(created_at=timezone.now() - timedelta(days=900))
    Project.objects.filter(handle="p07").update(created_at=timezone.now() - timedelta(hours=1))
    Project.objects.filter(id=story.project.id).update(created_at=timezone.now() - timedelta(days=990))
    assert _names(_shown(Client()))[:2] == ["api", "p07"]


def test_members_see_theirs(owner: Actor) -> None:
    Membership.objects.create(
        organization_id=Membership.objects.get().organization_id, user=_user("mona"), role="reader"
    )
    for handle in ("owen", "mona"):
        assert _through(_signed_in(handle)) == [*_PRIVATE, *_PUBLIC]


def test_an_invited_person_sees_the_one_project(owner: Actor) -> None:
    """Beside the public ones, in its place: the role in a project alone is as good as one in its owner."""
    _user("iris")
    set_project_member(owner, "many", "v2", "iris", "reader")
    assert _through(_signed_in("iris")) == ["v2", *_PUBLIC]


@pytest.mark.parametrize("handle", ["p03", "v1"])
def test_a_token_of_one_project_sees_that_one(owner: Actor, handle: str) -> None:
    """Public or private, by its maker and by somebody invited, with what landed there last."""
    _user("iris")
    set_project_member(owner, "many", handle, "iris", "reader")
    for maker in (owner, actor_of(User.objects.get(handle="iris"), "web")):
        made = create_token(maker, "one", ["project:read", "session:read"], [f"many/{handle}"])
        limited = actor_of_token(made.value)
        found = [row.project for row in recent_projects(limited)]
        assert [row.handle for row in found] == [handle]
        assert _names({"projects": project_list(limited, found, 50, Scale(), show_owner=True).data}) == [handle]
    reads_none = create_token(owner, "other", ["org:read"])
    with pytest.raises(PermissionDenied):
        recent_projects(actor_of_token(reads_none.value))


def test_home_asks_as_much_for_all(owner: Actor) -> None:
    """Twelve queries at most, and as many whoever asks of however many projects."""
    _user("iris")
    set_project_member(owner, "many", "v2", "iris", "reader")
    for client in (Client(), _signed_in("owen"), _signed_in("iris")):
        counts = []
        for kept in (70, 10):
            Project.objects.filter(handle__gte=f"p{kept}", handle__startswith="p").update(deleted_at=timezone.now())
            client.get("/")
            with CaptureQueriesContext(connection) as caught:
                page = client.get("/").content.decode()
            counts.append(len(caught))
        Project.everything.update(deleted_at=None)
        assert counts[0] == counts[1] <= 12
        assert "many/p09" in page.replace("</b>", "").replace("<b>", "")


def test_the_pages_lead_on(owner: Actor) -> None:
    """`More projects` leads to the rest; what is no place in the list is a request that means nothing."""
    page = Client().get("/").content.decode()
    (further,) = re.findall(r'rel="next" href="(\?after=[^"]+)"', page)
    rest = Client().get(f"/{further}").content.decode()
    assert 'rel="next"' not in rest
    assert "/many/p00" in rest
    assert "/many/p59" not in rest
    for after in ("x", "many/p10", "1-x", f"{'9' * 18}-{'0' * 32}", f"\u0661-{'0' * 32}"):
        assert Client().get("/", {"after": after}).status_code == 400
        with pytest.raises(InvalidInput):
            recent_projects(ANONYMOUS, after)
