"""`/-/branches`: the lines of a project besides main, and the branches that only Git knows."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest
from django.template.loader import render_to_string

from micelio.accounts.actor import Actor
from micelio.pages.answers import Page, page
from micelio.pages.opened import open_project
from micelio.pages.text import headline
from micelio.pages.weight import Scale
from micelio.projects.queries import on_branch
from micelio.sessions.branches import Standing, list_branches, list_git_branches

PAGE = 100
# Of those that only Git knows; a repository can have thousands, which nobody reads here.
_PUSHED = 50


@page
def branches(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """By name, a page at a time."""
    opened = open_project(actor, owner, handle)
    site, after = opened.site.on(""), request.GET.get("after", "")[:1000]
    project = on_branch(opened.project, "")
    found = list_branches(actor, project, after, PAGE + 1)

    def render(row: Standing, _: int) -> str:
        here = site.on(row.branch.name)
        context = {
            "site": here, "branch": row.branch, "head": row.head, "last": row.last,
            "landing": here.landing(row.head), "goal": headline(row.last.goal)[0] if row.last is not None else "",
        }  # fmt: skip
        return render_to_string("pages/_branch.html", context)

    rows = Scale().fill(found[:PAGE], render)
    shown = found[: len(rows)]
    query = urlencode({"after": shown[-1].branch.name}) if len(found) > len(rows) and shown else ""
    pushed = list_git_branches(actor, project) if not after else []
    main = opened.position if opened.project.branch_id is None else _main(actor, owner, handle)
    context = {
        **opened.context("landings"), "rows": rows, "main": main, "more": f"{site.branches}?{query}" if query else "",
        "pushed": pushed[:_PUSHED], "more_pushed": max(len(pushed) - _PUSHED, 0),
    }  # fmt: skip
    data = {
        **opened.data(),
        "branches": [_data(row) for row in shown],
        "git_branches": pushed[:_PUSHED],
        "next": f"{site.branches}?{query}" if query else None,
    }
    return Page("pages/branches.html", context, data)


def _main(actor: Actor, owner: str, handle: str) -> int:
    """Where main stands, from the page of a branch."""
    return open_project(actor, owner, handle.partition("@")[0]).position


def _data(row: Standing) -> dict[str, object]:
    branch = row.branch
    return {
        "name": branch.name,
        "head": row.head,
        "from": branch.origin or None,
        "from_position": branch.position,
        "begun_by": branch.begun_by,
        "begun_at": branch.begun_at.isoformat(),
    }
