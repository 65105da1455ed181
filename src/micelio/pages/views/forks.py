"""`/-/forks`: the forks of a project that its reader may see."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from micelio.accounts.actor import Actor
from micelio.pages.answers import Page, page
from micelio.pages.opened import open_project
from micelio.pages.twin_text import escaped
from micelio.pages.views.home import project_list
from micelio.pages.weight import Scale
from micelio.projects.forks import list_forks

PAGE = 50


@page
def forks(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """By name, a page at a time; on a page those that moved last first."""
    opened = open_project(actor, owner, handle)
    after = request.GET.get("after", "")[:1000]
    found = list_forks(actor, opened.project, after, PAGE + 1)
    projects = project_list(actor, found, PAGE, Scale(), show_owner=True)
    more = f"{opened.site.forks}?{urlencode({'after': projects.more})}" if projects.more else ""
    context = {**opened.context("files"), "projects": projects, "more": more, "begun": bool(after)}
    data = {**opened.data(), "forks": projects.data, "next": more or None}
    return Page("pages/forks.html", context, data, lambda: _markdown(data))


def _markdown(data: dict[str, Any]) -> str:
    lines = [f"# Forks of {escaped(data['project'])}", "", *(f"- {escaped(fork['project'])}" for fork in data["forks"])]
    return "\n".join([*lines, *(["", f"More: {data['next']}"] if data["next"] else [])]) + "\n"
