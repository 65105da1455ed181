"""Home names the first step: to a visitor what is open to them, to a person what they may make."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from html_check import malformed
from micelio.accounts.actions import create_user
from micelio.accounts.policy import OPERATOR
from micelio.config import current
from micelio.pages.kept import KeptPages, Rows
from signed_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("mode", "open_to_all"), [("open", True), ("approval", True), ("invite", False), ("closed", False)]
)
def test_a_visitor_is_told_the_first_step(mode: str, open_to_all: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account where the forge lets anybody make one; docs and projects everywhere."""
    monkeypatch.setattr("micelio.pages.answers.pages", KeptPages(Rows()))
    config = replace(current(), sign_up=mode)
    monkeypatch.setattr("micelio.accounts.policy.current", lambda: config)
    said = Client().get("/").content.decode()
    assert malformed(said) == []
    assert ('href="/-/sign-up"' in said) is open_to_all
    main = said.partition("<main")[2]
    assert 'href="/docs"' in main
    assert 'href="/-/explore"' in main


def test_what_a_person_may_make_stands_together_above_the_projects() -> None:
    """An organization, a project, and one brought along: before the list, however long it is."""
    client = Client()
    sign_in(client, create_user(OPERATOR, "hana"))
    said = client.get("/").content.decode()
    assert malformed(said) == []
    places = [said.index(f'href="/-/{name}"') for name in ("new/organization", "new/project", "import")]
    assert places == sorted(places)
    assert places[-1] < said.index("<h2>Projects</h2>")
    assert said.count('href="/-/new/project"') == 1
    assert 'href="/-/sign-up"' not in said
