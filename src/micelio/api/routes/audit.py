"""What was done: by and to an account, in a project, in an organization, and all of it for administrators."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from micelio.accounts.queries import all_events, own_events
from micelio.api.answers import begin, page
from micelio.api.request import ApiRequest
from micelio.api.shapes import AskedPage, Page, Told
from micelio.audit.chain import as_data
from micelio.audit.models import AuditEvent
from micelio.audit.queries import newest
from micelio.organizations.queries import organization_events
from micelio.projects.queries import get_project, project_events

router = Router(tags=["audit"])


class Event(Told):
    """One act, as the hash chain has it."""

    id: int
    at: str
    actor_id: str | None
    actor: str
    via: str = Field(description="The door: web, token, personal-token, agent-token, command, queue.")
    address: str
    token: str
    action: str = Field(examples=["project.update"])
    object_type: str
    object_id: str
    object: str
    project_id: str | None
    organization_id: str | None
    details: dict[str, Any]


@router.get("/me/audit", response=Page[Event], summary="What happened to my account?")
def account_events(request: ApiRequest, asked: Query[AskedPage]) -> HttpResponse:
    """What it did, and what was done to it; newest first. For a token with a scope this is refused."""
    return _page(request, asked, own_events(request.actor))


@router.get("/audit", response=Page[Event], summary="What happened on this forge?")
def forge_events(request: ApiRequest, asked: Query[AskedPage]) -> HttpResponse:
    """Everything, for administrators."""
    return _page(request, asked, all_events(request.actor))


@router.get("/orgs/{org}/audit", response=Page[Event], summary="What happened in an organization?")
def list_organization_events(request: ApiRequest, org: str, asked: Query[AskedPage]) -> HttpResponse:
    """And in its projects, for its admins."""
    return _page(request, asked, organization_events(request.actor, org))


@router.get("/projects/{owner}/{project}/audit", response=Page[Event], summary="What happened in a project?")
def list_project_events(request: ApiRequest, owner: str, project: str, asked: Query[AskedPage]) -> HttpResponse:
    """And to its sessions, for admins of its owner."""
    found = get_project(request.actor, owner, project)
    return _page(request, asked, project_events(request.actor, found))


def _page(request: ApiRequest, asked: AskedPage, events: QuerySet[AuditEvent]) -> HttpResponse:
    found = newest(events, begin(request, asked), asked.limit + 1)
    return page(request, asked, found, lambda event: Event(**as_data(event)), lambda event: event.pk)
