"""The administrators' page of erasures: what one would do, and its acts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from micelio.accounts.actor import Actor
from micelio.config import current
from micelio.operators import person_purges, purges, word_purges
from micelio.operators.panel import Act, identity
from micelio.pages.answers import Page

_SHOWN = 100
_ASKED = ("project", "content", "path", "finding", "session", "person")
_KINDS: dict[type, str] = {
    purges.Look: "content", word_purges.WordsLook: "words", person_purges.PersonLook: "person",
}  # fmt: skip


def erasure(request: HttpRequest, actor: Actor) -> Page:
    """What was asked for; with a content, a session or a person in the address, what erasing that would do."""
    asked = {name: request.GET.get(name, "").strip()[:5000] for name in _ASKED}
    found: purges.Look | word_purges.WordsLook | person_purges.PersonLook | None = None
    if asked["person"]:
        found = person_purges.look(actor, asked["person"])
    elif asked["session"]:
        found = word_purges.look(actor, asked["project"], asked["session"])
    elif any(asked[name] for name in ("content", "path", "finding")):
        content = purges.content_of(
            actor, asked["project"], content=asked["content"], path=asked["path"], finding=_finding(asked["finding"])
        )
        found = purges.look(actor, asked["project"], content)
    rows = purges.list_purges(actor, _SHOWN)
    context = {
        "found": found,
        "kind": _KINDS.get(type(found), ""),
        "rows": rows,
        "asked": asked,
        "two": current().purge_needs_two,
        "me": actor.handle,
        "typed": {},
    }
    data = {"found": asdict(found) if found is not None else None, "erasures": [_row(row) for row in rows]}
    return Page("operators/erasure.html", context, data)


def address(project: str, finding: int) -> str:
    """Where an administrator looks what erasing the file of a finding would do."""
    return f"{reverse('admin-erasure')}?{urlencode({'project': project, 'finding': finding})}"


def _finding(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _ask(request: HttpRequest, actor: Actor) -> str:
    post = request.POST
    typed, note = post.get("typed", ""), post.get("note", "")
    if person := post.get("person", ""):
        person_purges.ask(actor, person, note, typed=typed)
        return reverse("admin-erasure")
    if session := post.get("session", ""):
        word_purges.ask(
            actor, post.get("project", ""), session, post.get("reason", ""), note,
            typed=typed, with_forks=post.get("with_forks") == "yes",
        )  # fmt: skip
        return reverse("admin-erasure")
    content = purges.content_of(actor, post.get("project", ""), content=post.get("content", ""))
    purges.ask(
        actor, post.get("project", ""), content, post.get("reason", ""), note,
        typed=typed, with_forks=post.get("with_forks") == "yes",
    )  # fmt: skip
    return reverse("admin-erasure")


def _confirm(request: HttpRequest, actor: Actor) -> None:
    purges.confirm(actor, identity(request, "purge"), request.POST.get("typed", ""))


def _withdraw(request: HttpRequest, actor: Actor) -> None:
    purges.withdraw(actor, identity(request, "purge"))


ACTS: dict[str, Act] = {"ask": _ask, "confirm": _confirm, "withdraw": _withdraw}


def _row(row: purges.PurgeView) -> dict[str, Any]:
    return {**asdict(row), "id": str(row.id)}
