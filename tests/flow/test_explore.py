"""Finding projects: topics, languages, popular and recent, through queries, pages, REST and the log of who did what."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import pages_story
from html_check import dangers, without_data
from mic.core.errors import InvalidInput
from micelio.accounts.actions import create_user
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.discovery.jobs import stand_projects
from micelio.discovery.models import Standing
from micelio.discovery.queries import explore, gatherings, languages_of
from micelio.organizations.actions import create_organization
from micelio.projects import registry
from micelio.projects.actions import create_project, update_project
from micelio.projects.models import Star
from micelio.projects.queries import get_project
from micelio.projects.stars import star_project
from micelio.search import indexer, shares
from micelio.search.models import Document, Kind, Language

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(db: None) -> pages_story.Story:
    told = pages_story.tell()
    indexer.follow(told.project.id)
    return told


def _person(handle: str) -> Actor:
    return actor_of(create_user(OPERATOR, handle), "web")


def _names(actor: Actor, **asked: Any) -> list[str]:
    return [f"{row.project.owner}/{row.project.handle}" for row in explore(actor, **asked)]


def _many(owner: Actor, count: int) -> list[str]:
    """Public projects of an organization of their own, and their names."""
    create_organization(owner, "many")
    for number in range(count):
        create_project(owner, "many", f"p{number}", visibility="public")
    return [f"many/p{number}" for number in range(count)]


def test_languages_are_counted_as_files_come_and_go(story: pages_story.Story) -> None:
    """Beside the documents, in their transactions; what is configured or told does not count."""
    counted = {row.name: row.characters for row in Language.objects.filter(project=story.project.id)}
    files = Document.objects.filter(project=story.project.id, kind=Kind.CODE)
    expected = files.filter(language="python").aggregate(sum=Sum("size"))["sum"]
    assert counted == {"python": expected}
    assert [(share.language, share.thousandths) for share in languages_of(ANONYMOUS, story.project)] == [
        ("python", 1000)
    ]
    gone = files.filter(path=b"src/auth/tokens.py")
    size = gone.get().size
    shares.shift(story.project.id, [("python", size), ("markdown", 5)], [("c", 500), ("", 9), ("yaml", 100)])
    left = {row.name: (row.characters, row.share) for row in Language.objects.filter(project=story.project.id)}
    total = expected - size + 500
    assert left == {"python": (expected - size, (expected - size) * 1000 // total), "c": (500, 500_000 // total)}
    shares.shift(story.project.id, [("c", 500)], [("python", size)])
    before = list(Language.objects.values_list("name", "characters", "share"))
    shares.count_anew(story.project.id)
    assert list(Language.objects.values_list("name", "characters", "share")) == before
    indexer.forget(story.project.id, [bytes(gone.get().content or b"")])
    assert Language.objects.get(name="python").characters == expected - size
    indexer.rebuild()
    assert Language.objects.get(name="python").characters == expected


def test_topics(story: pages_story.Story) -> None:
    """Chosen by admins, in one spelling, told in the log, kept in the bucket; others choose none."""
    made = update_project(story.actor, "acme", "api", topics=[" Auth", "web-tokens", "auth", ""])
    assert made.topics == ("auth", "web-tokens")
    assert get_project(ANONYMOUS, "acme", "api").topics == ("auth", "web-tokens")
    event = AuditEvent.objects.filter(action="project.update").get()
    assert event.details == {"before": {"topics": ""}, "after": {"topics": "auth web-tokens"}}
    assert [entry.topics for entry in registry.entries() if entry.id == made.id] == [("auth", "web-tokens")]
    for wrong in (["a b"], ["-a"], ["a" * 36], ["caf\xe9"], ["<b>"], [f"t{number}" for number in range(21)]):
        with pytest.raises(InvalidInput):
            update_project(story.actor, "acme", "api", topics=wrong)
    assert update_project(story.actor, "acme", "api", name="API").topics == ("auth", "web-tokens")
    assert update_project(story.actor, "acme", "api", topics=[]).topics == ()


def test_popular_and_recent(story: pages_story.Story) -> None:
    """By stars and by what lands, each with its reasons; old stars count less than new ones."""
    owner = _person("owen")
    names = _many(owner, 4)
    fans = [_person(f"fan{number}") for number in range(4)]
    for fan, project in zip(fans, ("p1", "p1", "p1", "p2"), strict=True):
        star_project(fan, "many", project)
    Star.objects.filter(project__handle="p1").update(starred_at=timezone.now() - timedelta(days=8))
    stand_projects.func()
    assert _names(ANONYMOUS)[:3] == ["many/p2", "acme/api", "many/p1"]  # 11, 7 and 3
    assert set(_names(ANONYMOUS)) == {*names, "acme/api"}
    found = {row.project.handle: row for row in explore(ANONYMOUS)}
    assert [found["p1"].stars, found["p1"].new_stars, found["p1"].landings] == [3, 0, 0]
    # Imported commits, which landed for nobody, do not count.
    assert [found["api"].landings, found["api"].people, found["api"].agents] == [2, 1, 1]
    assert _names(ANONYMOUS, order="recent")[:4] == [*reversed(names)]
    Standing.objects.filter(project__handle="api").update(moved_at=timezone.now())
    assert _names(ANONYMOUS, order="recent")[0] == "acme/api"
    assert stand_projects.func() == 1  # as the log says again, and nothing else is written
    for order in ("popular", "recent"):
        everything, seen, after = _names(ANONYMOUS, order=order), [], ""
        while found := explore(ANONYMOUS, order, after=after, limit=2):
            seen += [f"{row.project.owner}/{row.project.handle}" for row in found]
            after = found[-1].token
        assert seen == everything
    for after in ("x", "1", "-", "1-x", f"{'9' * 30}-{'0' * 32}", "\u0661-" + "0" * 32, f"{'9' * 18}-{'0' * 32}"):
        for order in ("popular", "recent"):
            if after.startswith("9" * 18) and order == "popular" and len(after) < 60:
                continue  # a number that no project reaches: all of them are behind it
            with pytest.raises(InvalidInput):
                explore(ANONYMOUS, order, after=after)
    with pytest.raises(InvalidInput):
        explore(ANONYMOUS, "best")


def test_by_topic_and_language(story: pages_story.Story) -> None:
    """What is private is found by its members only, and counted for nobody."""
    update_project(story.actor, "acme", "api", topics=["auth"])
    create_project(story.actor, "acme", "inner")
    update_project(story.actor, "acme", "inner", topics=["auth", "hidden"])
    stand_projects.func()
    assert _names(ANONYMOUS, topic="AUTH ") == ["acme/api"]
    assert sorted(_names(story.actor, topic="auth")) == ["acme/api", "acme/inner"]
    assert _names(ANONYMOUS, topic="hidden") == _names(ANONYMOUS, topic="nothing") == []
    assert _names(ANONYMOUS, language="py") == _names(ANONYMOUS, language="Python", topic="auth") == ["acme/api"]
    assert _names(ANONYMOUS, language="markdown") == _names(ANONYMOUS, language="rust") == []
    topics, languages = gatherings()
    assert [(row.name, row.projects) for row in topics] == [("auth", 1)]
    assert [(row.name, row.projects) for row in languages] == [("python", 1)]
    update_project(story.actor, "acme", "api", visibility="private")
    stand_projects.func()
    assert gatherings() == ([], [])
    assert _names(ANONYMOUS) == []


def test_the_pages(story: pages_story.Story) -> None:
    """The list with its twins, the project's own page, home; the same few queries for one project and for many."""
    update_project(story.actor, "acme", "api", topics=["auth"], description="<script>alert(1)</script>")
    star_project(story.actor, "acme", "api")
    stand_projects.func()
    client = Client()

    def queries(address: str) -> tuple[str, int]:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            answer = client.get(address)
        assert answer.status_code == 200
        text = answer.content.decode()
        assert dangers(without_data(text), frozenset({"meta", "link", "form", "svg"})) == []
        return text, len(caught)

    text, few = queries("/-/explore")
    assert "1 new star this week" in re.sub(r"<[^>]+>", "", text)
    assert '<a class="tag" href="/-/explore?topic=auth">auth</a>' in text
    assert "Python" in text
    for address in ("/-/explore?topic=auth&language=python&order=recent", "/-/explore?topic=%00&after=", "/"):
        queries(address)
    home, _ = queries("/")
    assert "Popular now" in home
    data = client.get("/-/explore?format=json").json()
    assert data["projects"][0]["topics"] == ["auth"]
    assert data["projects"][0]["languages"] == [{"language": "python", "thousandths": 1000}]
    assert data["projects"][0]["last_week"]["stars"] == 1
    assert client.get("/-/explore?order=best").status_code == 400
    own, _ = queries("/acme/api")
    assert "100.0 %" in own
    assert '<a class="tag" href="/-/explore?topic=auth">auth</a>' in own
    _many(_person("owen"), 40)
    stand_projects.func()
    text, many = queries("/-/explore")
    assert few == many <= 12
    (more,) = re.findall(r'rel="next" href="([^"]+)"', text)
    assert "First projects" in queries(more.replace("&amp;", "&"))[0]
    # What nothing has landed in never moved: it was made.
    assert "moved " in queries("/-/explore?topic=auth")[0]
    made, _ = queries("/-/explore?order=recent")
    assert "<span>made <time" in made
    assert "<span>moved <time" not in made
    rest = Client().get("/api/v1/explore?topic=auth").json()
    assert [row["project"]["handle"] for row in rest["items"]] == ["api"]
    assert rest["items"][0]["project"]["topics"] == ["auth"]
    page = Client().get("/api/v1/explore?limit=2&order=recent")
    assert "cursor" in parse_qs(urlsplit(page.json()["next"] or "").query) or page.json()["next"]
    assert Client().get("/api/v1/explore?order=best").status_code == 400
