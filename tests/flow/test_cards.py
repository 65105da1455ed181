"""Pictures of pages for other sites: of what everybody may read, the same bytes for the same words."""

from __future__ import annotations

import hashlib
import re
from io import BytesIO

import pytest
from django.http import HttpResponse
from django.test import Client
from PIL import Image

import pages_story
from micelio.accounts.profiles import update_profile
from micelio.organizations.actions import update_organization
from micelio.pages.card_drawing import draw
from micelio.pages.cards import Card, png_of
from micelio.projects.actions import update_project
from signed_in import sign_in

pytestmark = pytest.mark.django_db
PAGES = ("/acme/api", "/acme/api/-/landings/3", "/acme/api/-/landings/1", "/@maintainer", "/acme")


@pytest.fixture
def story(db: None) -> pages_story.Story:
    told = pages_story.tell()
    update_profile(told.actor, bio="Tea before tokens.")
    return told


def _named(client: Client, page: str) -> str:
    """The address of the card in the head of a page, "" without one."""
    found = re.search(r'property="og:image" content="http://[^/]+([^"]+)"', client.get(page).content.decode())
    return found[1] if found else ""


def _card(address: str, client: Client | None = None) -> HttpResponse:
    return (client or Client()).get(address)


def test_each_public_page_names_a_card(story: pages_story.Story) -> None:
    """A PNG of 1,200 times 630 pixels and at most 60 KiB, to be kept for ever, shown by other sites."""
    addresses = [_named(Client(), page) for page in PAGES]
    assert len(set(addresses)) == len(PAGES)
    for address in addresses:
        answer = _card(address)
        assert answer.status_code == 200, address
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert len(answer.content) <= 60 * 1024
        assert Image.open(BytesIO(answer.content)).size == (1200, 630)


def test_another_front_end_finds_the_card_in_the_store(
    story: pages_story.Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has not drawn it serves the same bytes, without drawing."""
    address = _named(Client(), "/acme/api")
    before = _card(address).content
    monkeypatch.setattr("micelio.pages.cards.draw", lambda card: pytest.fail("it was drawn again"))
    png_of.cache_clear()
    assert _card(address).content == before


def test_a_card_changes_its_address_with_its_words(story: pages_story.Story) -> None:
    """Another description: another address, and the earlier one leads to it, for a while."""
    before = _named(Client(), "/acme/api")
    update_project(story.actor, "acme", "api", description="Something else.")
    after = _named(Client(), "/acme/api")
    assert before != after
    answer = _card(before)
    assert (answer.status_code, answer.headers["Location"]) == (302, after)
    assert "immutable" not in answer.headers["Cache-Control"]


def test_the_card_of_an_organization_says_what_it_says_of_itself(story: pages_story.Story) -> None:
    """Other words: another address. Nobody of that name has none."""
    before = _named(Client(), "/acme")
    update_organization(story.actor, "acme", description="Gardens that say why.")
    after = _named(Client(), "/acme")
    assert before != after
    assert _card(before).headers["Location"] == after
    assert _card(f"/nobody/-/card/{'0' * 16}.png").status_code == 404


def test_what_is_private_has_no_card(story: pages_story.Story) -> None:
    """Neither for a visitor nor for a member, not by an address from when it was public, and none is named."""
    address = _named(Client(), "/acme/api")
    update_project(story.actor, "acme", "api", visibility="private")
    member = Client()
    sign_in(member, story.user)
    for client in (Client(), member):
        assert _card(address, client).status_code == 404
        assert _card(f"/acme/api/-/card/3-{'0' * 16}.png", client).status_code == 404
    assert _named(member, "/acme/api") == _named(member, "/acme/api/-/landings/3") == ""
    missing, hidden = _card(f"/acme/none/-/card/{'0' * 16}.png"), _card(f"/acme/vault/-/card/{'0' * 16}.png")
    assert missing.status_code == hidden.status_code == 404


@pytest.mark.parametrize("name", ["x.png", "0" * 16, f"9999-{'0' * 16}.png", f"{'0' * 17}.png", f"0-{'g' * 16}.png"])
def test_nonsense_is_no_card(story: pages_story.Story, name: str) -> None:
    """What no page names is not there."""
    assert _card(f"/acme/api/-/card/{name}").status_code == 404


def test_nobody_has_a_card_who_said_nothing(story: pages_story.Story) -> None:
    """A person's card is of their words; without any there is none."""
    assert _card(f"/-/people/nobody/card/{'0' * 16}.png").status_code == 404


CARDS = {
    "long": Card("acme/api", "Keep sign-in stateless: tokens instead of server sessions " * 3, "Landing @3"),
    "greek": Card("acme/api", "Ελληνικά, Кириллица, Tiếng Việt", "Landing @3", about="Größe"),
    "no space": Card("acme/api", "x" * 160, "Landing @3", points=(("D1", "y" * 90),)),
    "empty": Card("", "", "Landing @3"),
    "marks": Card("a", "\u202eevil\u0000\U0010ffff", "Landing @3", facts=("\ud800", "x" * 400), figure="ada"),
}


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS.keys())
def test_everything_can_be_drawn(card: Card) -> None:
    """Any words give a picture, twice the same one."""
    assert hashlib.sha256(draw(card)).digest() == hashlib.sha256(draw(card)).digest()


def test_a_script_that_the_letters_lack_is_left_out() -> None:
    """A Japanese goal gives the card that says where it landed; one word of it an ellipsis."""
    plain = Card("acme/api", "Landing @3", "Landing @3")
    assert draw(Card("acme/api", "鍵の寿命を書く", "Landing @3")) == draw(plain)
    assert draw(Card("acme/api", "Say 鍵 in words that all can read", "Landing @3")) == draw(
        Card("acme/api", "Say … in words that all can read", "Landing @3")
    )
