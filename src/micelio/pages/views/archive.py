"""`/-/archive/{ref}.zip` and `.tar.zst`: the files at a point, to take away."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from mic.core.errors import NotFound
from micelio.accounts.actor import Actor
from micelio.pages.addresses import parse_ref
from micelio.pages.answers import page
from micelio.pages.archive import Archive, hand_over_archive, parse_name, require_small
from micelio.pages.opened import open_project


@page
def archive(request: HttpRequest, actor: Actor, owner: str, handle: str, name: str) -> HttpResponse:
    """The head's is that of its position, under another name tomorrow."""
    opened = open_project(actor, owner, handle)
    point, kind = parse_name(name)
    position, root = opened.at(parse_ref(point))
    if not position:
        raise NotFound("Nothing has landed here yet.", hint=f"Look at {opened.site.root}.")
    require_small(opened.ledger, root)
    found = Archive(opened.project.line, position, kind, f"{opened.project.handle}-{position}")
    response = hand_over_archive(found, root)
    if response.headers["ETag"] in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304, headers={"ETag": response.headers["ETag"]})
    return response
