"""The living page draws every partial of the pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from html_check import Document
from micelio import pages
from micelio.pages.views.design import STATES

pytestmark = pytest.mark.django_db
# Parts that are a page's own and no component: the head of a page for other sites, the whole of a list, what stands
# around all differences of a page with its script, forms that are nothing but fields, and the words of a refusal.
NO_COMPONENTS = {
    "_card", "_audit", "_landings", "_look", "_changes", "_changes_rest", "_import_source", "_picture_form",
    "_problem", "_profile_fields",
}  # fmt: skip


def test_every_partial_is_on_the_living_page() -> None:
    """A new one is drawn there too, or is said to be no component."""
    folder = Path(pages.__file__).parent / "templates" / "pages"
    partials = {path.stem for path in folder.glob("_*.html")}
    drawn = {
        (template.name or "").rpartition("/")[2].removesuffix(".html")
        for template in Client().get("/-/design").templates
    }
    assert partials - drawn == NO_COMPONENTS


def test_every_state_is_on_it() -> None:
    """Of a session, of a list of open ones, of claims, of files that changed."""
    page = Document(Client().get("/-/design").content.decode())
    classes = {name for element in page.elements for name in element.attributes.get("class", "").split()}
    assert {*STATES, "holds", "fails", "open", "fact", "agent", "person", "untracked", "split"} <= classes
    files = " ".join(element.text for element in page.all("section") if "file" in element.attributes.get("class", ""))
    for words in ("changed", "mode changed", "new", "deleted", "renamed from src/before.py", "copied from"):
        assert words in files, words
    assert len(page.all("details")) >= 5
    # Who has no name is called by the handle, once.
    assert [li.text for li in page.all("li") if li.text.startswith("BObo")] == 2 * ["BOboreader"]
