"""The stored XSS of the forge that this one follows: a description that ended the script of its JSON-LD."""

from __future__ import annotations

import json

import pytest
from django.test import Client

import pages_story
from html_check import Document, dangers, without_data
from micelio.pages.json_ld import as_script
from micelio.projects.actions import update_project
from signed_in import sign_in

HOSTILE = "</script><script>alert(1)</script><!--<script>\u2028\"&'\\ ]]>"


@pytest.mark.django_db
def test_stored_xss_in_json_ld_of_the_original() -> None:
    """Neither name nor description of a project ends the script, and both are read back as they were written."""
    story = pages_story.tell()
    update_project(story.actor, "acme", "api", name=HOSTILE[:60], description=HOSTILE)
    source = Client().get("/acme/api").content.decode()
    (script,) = [element for element in Document(source).elements if element.tag == "script"]
    assert script.attributes == {"type": "application/ld+json"}
    data = json.loads(script.text)
    assert data["@type"] == "SoftwareSourceCode"
    assert data["description"].startswith("</script><script>alert(1)</script>")
    assert dangers(without_data(source), frozenset({"meta", "link", "form", "svg"})) == []


@pytest.mark.django_db
def test_a_private_project_has_no_json_ld() -> None:
    """It is nobody's to index."""
    story = pages_story.tell()
    update_project(story.actor, "acme", "api", visibility="private")
    client = Client()
    sign_in(client, story.user)
    answer = client.get("/acme/api")
    assert answer.status_code == 200
    assert "ld+json" not in answer.content.decode()


@pytest.mark.parametrize("text", [HOSTILE, "<!--", "]]>", "\u2029", "&lt;/script&gt;"])
def test_no_text_ends_the_script(text: str) -> None:
    """Whatever it says, the script has none of the characters that markup is made of."""
    script = as_script({"name": text})
    inner = script.removeprefix('<script type="application/ld+json">').removesuffix("</script>")
    assert not set(inner) & set("<>&'\u2028\u2029")
    assert json.loads(inner) == {"name": text}
