"""Badges: small, harmless, the same for the same words, and of a private project for nobody else."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from django.test import Client

import pages_story
from micelio.pages.badges import LEFT, RIGHT, Badge
from micelio.projects.actions import update_project
from signed_in import sign_in

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.django_db
def test_a_projects_numbers() -> None:
    """As a picture and as shields.io takes them."""
    pages_story.tell()
    answer = Client().get("/acme/api/-/badge/landings.svg")
    assert answer["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert answer["Cache-Control"] == "public, max-age=300"
    assert ElementTree.fromstring(answer.content).findtext(f"{SVG}title") == "landings: 4"
    again = Client().get("/acme/api/-/badge/landings.svg", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    assert Client().get("/acme/api/-/badge/decisions.json").json() == {
        "schemaVersion": 1,
        "label": "decisions",
        "message": "2",
        "color": "6a45b5",
    }
    assert Client().get("/acme/api/-/badge/nothing.svg").status_code == 404


@pytest.mark.django_db
def test_the_card_stands_below_the_badges() -> None:
    """The picture that other sites show, where it is and as data; a private project has none."""
    story = pages_story.tell()
    page = Client().get("/acme/api/-/badges")
    found = re.search(r'<img src="(/acme/api/-/card/[0-9a-f]{16}\.png)" alt="Card of api"', page.content.decode())
    assert found
    assert Client().get(found[1])["Content-Type"] == "image/png"
    assert Client().get("/acme/api/-/badges?format=json").json()["card"].endswith(found[1])
    update_project(story.actor, "acme", "api", visibility="private")
    client = Client()
    sign_in(client, story.user)
    assert "/-/card/" not in client.get("/acme/api/-/badges").content.decode()
    assert client.get("/acme/api/-/badges?format=json").json()["card"] is None


@pytest.mark.django_db
def test_a_private_project_has_none() -> None:
    """For those who may not read it."""
    story = pages_story.tell()
    update_project(story.actor, "acme", "api", visibility="private")
    assert Client().get("/acme/api/-/badge/landings.svg").status_code == 404
    client = Client()
    sign_in(client, story.user)
    assert client.get("/acme/api/-/badge/landings.svg")["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("text", ["4", "1,234,567", "W" * 100, "<script>alert(1)</script>", "\"&'", "決定", ""])
def test_a_badge_is_small_and_says_it_in_text(text: str) -> None:
    """At most 1.2 KiB, one title, nothing that is markup."""
    source = Badge("landings", text).svg()
    assert len(source.encode()) <= 1228
    assert source == Badge("landings", text).svg()
    parsed = ElementTree.fromstring(source)
    assert parsed.attrib["role"] == "img"
    assert parsed.attrib["aria-label"] == parsed.findtext(f"{SVG}title") == f"landings: {text[:40]}"
    assert {element.tag.removeprefix(SVG) for element in parsed.iter()} == {
        "svg", "title", "clipPath", "rect", "g", "path", "text",
    }  # fmt: skip


@pytest.mark.parametrize("colour", [LEFT, RIGHT])
def test_both_halves_can_be_read(colour: str) -> None:
    """White on them has 4.5:1 (WCAG 2.2, 1.4.3)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5
