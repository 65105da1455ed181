"""`/-/owners/{ref}/{path}`: whose a path is, who must land it, and which line says so."""

from __future__ import annotations

from django.http import HttpRequest

from mic.core.paths import display
from micelio.accounts.actor import Actor
from micelio.owners.rules import PATH
from micelio.pages.addresses import Ref, parse_ref, path_from_request
from micelio.pages.answers import Page, page, path_data
from micelio.pages.opened import open_project
from micelio.pages.text import display_path
from micelio.pages.where import Where
from micelio.projects.ownership import explain_owners


@page
def owners(request: HttpRequest, actor: Actor, owner: str, handle: str, ref: str, path: str) -> Page:
    """Of any path, there or not yet."""
    opened = open_project(actor, owner, handle)
    at = parse_ref(ref)
    position, _ = opened.at(at)
    found = explain_owners(actor, opened.project, path_from_request(request).rstrip(b"/"), position)
    rule = found.rule
    line = opened.site.line(Ref(found.position), PATH, rule.line) if rule else ""
    context = {
        **opened.context("files"),
        "where": Where(opened.site, at, found.path),
        "path": display_path(found.path),
        "found": found,
        "pattern": display(rule.pattern) if rule else "",
        "line_address": line,
        "list_address": opened.site.file(Ref(found.position), PATH) if found.listed else "",
        "file_address": opened.site.file(at, found.path),
    }
    data = {
        **opened.data(),
        **path_data(found.path),
        "position": found.position,
        "protected_by": found.protected_by,
        "rule": {"line": rule.line, "pattern": display(rule.pattern), "owners": rule.owners} if rule else None,
        "listed": found.listed,
        "problems": [{"line": problem.line, "message": problem.message} for problem in found.problems],
        "reason": found.reason,
    }
    return Page("pages/owners.html", context, data)
