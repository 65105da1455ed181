"""`/-/tags`: the tags of a project, with the landings that they stand at."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.template.loader import render_to_string

from micelio.accounts.actor import Actor
from micelio.pages.addresses import Ref, Site
from micelio.pages.answers import Page, page
from micelio.pages.opened import open_project
from micelio.pages.text import cut, headline, one_line
from micelio.pages.twin_text import escaped, opening
from micelio.pages.weight import Scale
from micelio.projects.queries import on_branch
from micelio.sessions.tags import Tag, list_tags

PAGE = 40
_LONGEST_NAME = 200


@page
def tags(request: HttpRequest, actor: Actor, owner: str, handle: str) -> Page:
    """The highest name first, a page at a time."""
    opened = open_project(actor, owner, handle)
    site, after = opened.site.on(""), request.GET.get("after", "")[:1000]
    found = list_tags(actor, on_branch(opened.project, ""), after, PAGE + 1)
    rows = Scale().fill(found[:PAGE], lambda tag, most: render_to_string("pages/_tag.html", _item(site, tag, most)))
    shown = found[: len(rows)]
    more = f"{site.tags}?{urlencode({'after': shown[-1].name})}" if len(found) > len(rows) and shown else ""
    context = {**opened.context("landings"), "rows": rows, "more": more, "begun": bool(after)}
    data = {**opened.data(), "tags": [_data(site, tag) for tag in shown], "next": more or None}
    return Page("pages/tags.html", context, data, lambda: _markdown(data))


def _item(site: Site, tag: Tag, most: int) -> dict[str, Any]:
    at = Ref(tag.position)
    return {
        "tag": tag,
        "name": one_line(cut(tag.name, _LONGEST_NAME)),
        "words": cut(headline(tag.message)[0], most),
        "target": tag.target.hex()[:10],
        "landing": site.landing(tag.position) if tag.position else "",
        "files": site.tree(at) if tag.position else "",
        "zip": site.archive(at, "zip") if tag.position else "",
        "tar": site.archive(at, "tar.zst") if tag.position else "",
    }


def _data(site: Site, tag: Tag) -> dict[str, Any]:
    at = Ref(tag.position)
    return {
        "name": tag.name,
        "commit": tag.target.hex() if tag.is_commit else None,
        "object": tag.target.hex(),
        "annotated": tag.annotated,
        "tagger": tag.tagger or None,
        "tagged_at": tag.at,
        "message": tag.message,
        "landing": tag.position,
        "archives": {kind: site.archive(at, kind) for kind in ("zip", "tar.zst")} if tag.position else None,
    }


def _markdown(data: dict[str, Any]) -> str:
    lines = [f"# Tags of {escaped(data['project'])}", ""]
    for tag in data["tags"]:
        where = f" at @{tag['landing']}" if tag["landing"] else ""
        words = escaped(headline(tag["message"])[0])
        lines.append(f"- {opening(tag['name'])}{where}, {tag['object'][:10]}{f': {words}' if words else ''}")
    return "\n".join([*lines, *(["", f"More: {data['next']}"] if data["next"] else [])]) + "\n"
