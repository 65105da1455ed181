"""Doors for administrators: who waits for approval, invitations, suspended accounts, letters that did not go out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from mic.core.errors import InvalidInput, MicError, NotFound, PermissionDenied, PreconditionFailed
from micelio.accounts import approvals, invitations, suspension, undelivered
from micelio.accounts.actor import Actor, actor_from_request
from micelio.accounts.confirmation import needs_confirmation
from micelio.accounts.letters import absolute
from micelio.accounts.policy import require_admin
from micelio.config import current
from micelio.sentences import one_line

# An act of a page: it may return what its answer shows.
Act = Callable[[Actor, HttpRequest], dict[str, Any] | None]


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@needs_confirmation
def sign_ups(request: HttpRequest) -> HttpResponse:
    """Accounts that wait for approval, and invitations."""

    def invite(actor: Actor, request: HttpRequest) -> dict[str, Any]:
        token = invitations.create_invitation(actor, request.POST.get("note", ""))
        return {"link": absolute(reverse("invited", args=[token]))}

    acts: dict[str, Act] = {
        "approve": lambda actor, request: approvals.approve(actor, request.POST.get("handle", "")),
        "decline": lambda actor, request: approvals.decline(actor, request.POST.get("handle", "")),
        "invite": invite,
        "withdraw": lambda actor, request: invitations.withdraw_invitation(actor, _id(request, "invitation")),
    }

    def shown(actor: Actor) -> dict[str, Any]:
        return {
            "mode": current().sign_up,
            "waiting": approvals.list_waiting(actor),
            "waiting_in_all": approvals.count_waiting(actor),
            "invitations": invitations.list_invitations(actor),
        }

    return _page(request, "accounts/sign_ups.html", acts, shown)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@needs_confirmation
def suspended(request: HttpRequest) -> HttpResponse:
    """Who is shut out and why; suspending, and opening again."""
    acts: dict[str, Act] = {
        "suspend": lambda actor, request: suspension.suspend(
            actor, request.POST.get("handle", ""), request.POST.get("reason", "")
        ),
        "unsuspend": lambda actor, request: suspension.unsuspend(actor, request.POST.get("handle", "")),
    }
    return _page(request, "accounts/suspended.html", acts, lambda actor: {"rows": suspension.list_suspended(actor)})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@needs_confirmation
def mail(request: HttpRequest) -> HttpResponse:
    """Letters that did not go out: read one to hand it over, or have it sent again."""

    def read(actor: Actor, request: HttpRequest) -> dict[str, Any]:
        letter, contents = undelivered.read_letter(actor, _id(request, "letter"))
        return {"letter": letter, "contents": contents}

    acts: dict[str, Act] = {
        "read": read,
        "done": lambda actor, request: undelivered.hand_over(actor, _id(request, "letter")),
        "again": lambda actor, request: undelivered.send_again(actor, _id(request, "letter")),
    }

    def shown(actor: Actor) -> dict[str, Any]:
        return {"postal": current().postal, "letters": undelivered.list_letters(actor)}

    return _page(request, "accounts/mail.html", acts, shown)


def _page(
    request: HttpRequest, template: str, acts: dict[str, Act], shown: Callable[[Actor], dict[str, Any]]
) -> HttpResponse:
    """What `shown` gives, after the act that was posted; an act that gives something to see is answered with it."""
    actor = actor_from_request(request)
    require_admin(actor)
    told: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        act = acts.get(request.POST.get("act", ""))
        try:
            if act is None:
                raise InvalidInput("The form does not say what to do.", hint="Load the page again.")
            told = act(actor, request) or {}
            if not told:
                return HttpResponseRedirect(request.path)
        except MicError as problem:
            if isinstance(problem, PermissionDenied):
                raise
            told, status = {"error": one_line(problem), "typed": request.POST}, _status(problem)
    context = shown(actor)
    if request.GET.get("format") == "json":
        return JsonResponse({name: _plain(value) for name, value in context.items()})
    return render(request, template, context | told, status=status)


def _status(problem: MicError) -> int:
    if isinstance(problem, NotFound):
        return 404
    return 409 if isinstance(problem, PreconditionFailed) else 400


def _plain(value: Any) -> Any:
    """A value of a page for programs."""
    if isinstance(value, list):
        return [{name: getattr(row, name) for name in row.__slots__} for row in value]
    return value if isinstance(value, str | int | bool) else value is not None


def _id(request: HttpRequest, name: str) -> UUID:
    text = request.POST.get(name, "")
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput(f"{text[:40]!r} is not the id of one.", hint="Load the page again.") from error
