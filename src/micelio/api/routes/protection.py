"""Who lands where: protected lines and paths, and whose a path is."""

from __future__ import annotations

from typing import Annotated

from django.db import transaction
from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from micelio.accounts.actor import Actor
from micelio.api.answers import require_match, shown, wants_match
from micelio.api.headers import conditional
from micelio.api.paths import path_of
from micelio.api.request import ApiRequest
from micelio.api.routes.contents import AskedFile
from micelio.api.shapes import PathBytes, Sent, Told, path_fields
from micelio.projects import protection
from micelio.projects.actions import held
from micelio.projects.ownership import explain_owners
from micelio.projects.project_view import ProjectView
from micelio.projects.protection import LineRule
from micelio.projects.queries import get_project

router = Router(tags=["protection"])


class ProtectedLines(Told):
    """Who lands on the lines that a pattern matches, besides admins."""

    lines: str
    who: list[str]


class Protection(Told):
    """Rules for lines, of which the last that matches decides, and patterns of paths that only their owners land."""

    changeable = ("lines", "paths")
    lines: list[ProtectedLines]
    paths: list[str]


class LinesWanted(Sent):
    """Who is to land on the lines that a pattern matches, besides admins."""

    lines: str
    who: list[str] = Field(default_factory=list, description="`@handle`, `@organization`, `role:member`.")


class ProtectionWanted(Sent):
    """What is to be different; what is left out stays, an empty list protects nothing."""

    lines: list[LinesWanted] = Field(default_factory=list)
    paths: list[str] = Field(default_factory=list, examples=[["/infra/"]])


class OwnersProblem(Told):
    """Why the list of owners cannot be read."""

    line: int
    message: str


class Ownership(Told):
    """Whose a path is, and who lands it."""

    path: str
    path_bytes: PathBytes
    position: int
    protected_by: str | None = Field(description="The pattern that protects it; null: whoever writes lands it.")
    owners: list[str]
    line: int | None = Field(description="Of .micelio/OWNERS, which decides.")
    listed: bool = Field(description="There is such a list.")
    problems: list[OwnersProblem]
    reason: Annotated[str, Field(description="All of it in a sentence.")]


@router.get("/projects/{owner}/{project}/protection", response=Protection, summary="Who lands where?")
def get_protection(request: ApiRequest, owner: str, project: str) -> HttpResponse:
    """For whoever reads the project."""
    return shown(request, _protection(request.actor, get_project(request.actor, owner, project)))


@router.patch(
    "/projects/{owner}/{project}/protection",
    response=Protection,
    summary="Say who lands where",
    openapi_extra=conditional(),
)
def protect_project(request: ApiRequest, owner: str, project: str, body: ProtectionWanted) -> HttpResponse:
    """For admins of the project."""
    rules = [LineRule(rule.lines, tuple(rule.who)) for rule in body.lines]
    with transaction.atomic():
        if wants_match(request):
            require_match(request, _protection(request.actor, held(request.actor, owner, project)))
        changed = protection.protect_project(
            request.actor,
            owner,
            project,
            lines=rules if "lines" in body.model_fields_set else None,
            paths=body.paths if "paths" in body.model_fields_set else None,
        )
    return shown(request, _protection(request.actor, changed))


@router.get("/projects/{owner}/{project}/owners/{file:path}", response=Ownership, summary="Whose is a path?")
def explain_path_owners(
    request: ApiRequest, owner: str, project: str, path: str, asked: Query[AskedFile]
) -> HttpResponse:
    """Who must land it, and why; it need not be there."""
    seen = get_project(request.actor, owner, project, asked.branch)
    found = explain_owners(request.actor, seen, path_of(request), asked.at)
    rule = found.rule
    return shown(
        request,
        Ownership(
            **path_fields(found.path),  # type: ignore[arg-type]
            position=found.position,
            protected_by=found.protected_by,
            owners=list(rule.owners) if rule else [],
            line=rule.line if rule else None,
            listed=found.listed,
            problems=[OwnersProblem(line=item.line, message=item.message) for item in found.problems],
            reason=found.reason,
        ),
    )


def _protection(actor: Actor, view: ProjectView) -> Protection:
    found = protection.get_protection(actor, view)
    rules = [ProtectedLines(lines=rule.lines, who=list(rule.who)) for rule in found.lines]
    return Protection(lines=rules, paths=list(found.paths))
