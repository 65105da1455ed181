"""Feeds, and what programs ask for first: well-formed, and of what the reader may see."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from django.test import Client

import pages_story
from html_check import Document
from micelio.accounts.actions import create_user
from micelio.accounts.policy import OPERATOR
from micelio.projects.actions import update_project
from micelio.search import indexer
from micelio.search.models import Document as Row
from micelio.sessions.models import Landing
from signed_in import sign_in

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "<script>alert(1)</script> ]]> &amp; \x1b \u202e \ufffe"


@pytest.fixture
def story(db: None) -> pages_story.Story:
    told = pages_story.tell()
    indexer.follow(told.project.id)
    return told


def _feed(address: str) -> ElementTree.Element:
    answer = Client().get(address)
    assert answer.status_code == 200, answer.content[:300]
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(answer.content)


def _titles(address: str) -> list[str]:
    return [entry.findtext(f"{ATOM}title") or "" for entry in _feed(address).iter(f"{ATOM}entry")]


FEEDS = (
    "/acme/api/-/landings.atom",
    "/acme/-/landings.atom",
    "/-/people/maintainer.atom",
    "/-/search.atom?q=stateless",
)


@pytest.mark.parametrize("address", FEEDS)
def test_a_feed_has_what_atom_asks_for(story: pages_story.Story, address: str) -> None:
    """RFC 4287: id, title, updated; each entry its own, an author and a link."""
    found = _feed(address)
    for name in ("id", "title", "updated"):
        assert found.findtext(f"{ATOM}{name}")
    entries = list(found.iter(f"{ATOM}entry"))
    assert entries
    for entry in entries:
        assert all(entry.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated"))
        assert entry.findtext(f"{ATOM}author/{ATOM}name")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(ids) == len(set(ids))
    links = {link.attrib["rel"]: link.attrib["href"] for link in found.findall(f"{ATOM}link")}
    assert links["self"].endswith(address)


def test_what_feeds_tell(story: pages_story.Story) -> None:
    """Newest first."""
    goal = "Keep sign-in stateless: tokens instead of server sessions"
    assert len(_titles("/acme/api/-/landings.atom")) == 4
    assert _titles("/acme/api/-/landings.atom")[1] == goal
    assert f"acme/api@3: {goal}" in _titles("/acme/-/landings.atom")
    assert _titles("/-/people/maintainer.atom")[-1] == f"acme/api@3: {goal}"
    assert _titles("/-/search.atom?q=stateless+author:maintainer")[0] == f"acme/api@3: {goal}"


def test_nothing_private_is_in_a_feed(story: pages_story.Story) -> None:
    """And somebody of whom nothing is to see is as somebody who is not there."""
    update_project(story.actor, "acme", "api", visibility="private")
    create_user(OPERATOR, "idle")
    assert Client().get("/acme/api/-/landings.atom").status_code == 404
    assert _titles("/acme/-/landings.atom") == []
    assert _titles("/-/search.atom?q=stateless") == []
    said = set()
    for handle in ("maintainer", "idle", "zed"):
        answer = Client().get(f"/-/people/{handle}.atom")
        said.add((answer.status_code, answer.content.decode().replace(handle, "X").partition("page made")[0]))
    assert len(said) == 1
    assert next(iter(said))[0] == 404


@pytest.mark.parametrize("address", FEEDS)
def test_no_text_of_anybody_breaks_a_feed(story: pages_story.Story, address: str) -> None:
    """It is read back as text, controls shown, and what no XML holds replaced."""
    Landing.objects.update(goal=f"{HOSTILE}\n\n{HOSTILE}", author_name=HOSTILE)
    Row.objects.exclude(kind=1).update(text=f"stateless {HOSTILE}\n{HOSTILE}", author=HOSTILE)
    titles = _titles(address)
    assert titles
    assert all("<script>alert(1)</script> ]]> &amp;" in title for title in titles)
    assert not any({"\x1b", "\u202e", "\ufffe"} & set(title) for title in titles)


def test_a_feed_that_is_known_is_not_sent_again(story: pages_story.Story) -> None:
    """304 by its ETag."""
    tag = Client().get("/acme/api/-/landings.atom")["ETag"]
    assert Client().get("/acme/api/-/landings.atom", headers={"If-None-Match": tag}).status_code == 304


def test_pages_name_their_feeds_and_themselves(story: pages_story.Story) -> None:
    """As links in their heads; an address without what stands behind the question mark."""
    for address, expected in (
        ("/acme/api", "/acme/api/-/landings.atom"),
        ("/acme", "/acme/-/landings.atom"),
        ("/-/search?q=stateless", "/-/search.atom?q=stateless"),
    ):
        page = Document(Client().get(address).content.decode())
        links = {link.attributes["rel"]: link.attributes["href"] for link in page.all("link")}
        assert links["alternate"] == expected
        assert links["canonical"].partition("://")[2].partition("/")[2] == address.partition("?")[0].lstrip("/")


def test_what_programs_ask_for_first(story: pages_story.Story) -> None:
    """robots.txt, a map of what is public, and a text for models."""
    robots = Client().get("/robots.txt").content.decode()
    assert "Disallow: /*/*/-/blame" in robots
    assert "/sitemap.xml" in robots
    places = [element.text or "" for element in ElementTree.fromstring(Client().get("/sitemap.xml").content).iter()]
    found = [place.partition("://")[2].partition("/")[2] for place in places if "://" in place]
    assert [place for place in found if not place.startswith(("docs", "blog", "changelog"))] == [
        "",
        "acme",
        "acme/api",
    ]
    assert "?format=json" in Client().get("/llms.txt").content.decode()
    update_project(story.actor, "acme", "api", visibility="private")
    assert "acme" not in Client().get("/sitemap.xml").content.decode()


def test_what_other_sites_show_of_a_page(story: pages_story.Story) -> None:
    """Its words, as they are; of a private project nothing."""
    update_project(story.actor, "acme", "api", description=f'Accounts "and" {HOSTILE}')
    page = Document(Client().get("/acme/api").content.decode())
    said = {
        meta.attributes.get("property"): meta.attributes["content"]
        for meta in page.all("meta")
        if "content" in meta.attributes
    }
    assert said["og:title"] == "acme/api"
    assert said["og:description"].startswith('Accounts "and" <script>alert(1)</script>')
    landed = Document(Client().get("/acme/api/-/landings/3").content.decode())
    titles = [
        meta.attributes["content"] for meta in landed.all("meta") if meta.attributes.get("property") == "og:title"
    ]
    assert titles == ["Keep sign-in stateless: tokens instead of server sessions"]
    update_project(story.actor, "acme", "api", visibility="private")
    client = Client()
    sign_in(client, story.user)
    assert "og:title" not in client.get("/acme/api").content.decode()


def test_costly_pages_ask_not_to_be_indexed(story: pages_story.Story) -> None:
    """In their heads too, for programs that did not read robots.txt."""
    for address in ("blame/head/README.md", "history/head/README.md", "landings/3/changes/1", "compare/@1...head"):
        assert 'content="noindex"' in Client().get(f"/acme/api/-/{address}").content.decode()
    for address in ("", "/-/landings/3", "/-/file/head/README.md"):
        assert "noindex" not in Client().get(f"/acme/api{address}").content.decode()
