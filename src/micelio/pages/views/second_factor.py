"""`/{owner}/-/second-factor`: whether an organization asks its members for a second factor."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from mic.core.errors import InvalidInput, PreconditionFailed
from micelio.accounts.actor import actor_from_request
from micelio.accounts.confirmation import needs_confirmation
from micelio.organizations.second_factor import ask_second_factor, second_factor_standing
from micelio.pages.forms import pressed
from micelio.sentences import one_line

_WANTED = {"ask": True, "stop": False}  # by the button


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@needs_confirmation
def organization_second_factor(request: HttpRequest, owner: str) -> HttpResponse:
    """For owners: who would be shut out, and the button."""
    actor = actor_from_request(request)
    error, status = "", 200
    if request.method == "POST":
        try:
            ask_second_factor(actor, owner, pressed(_WANTED, request))
            return HttpResponseRedirect(request.path)
        except PreconditionFailed as problem:
            error, status = one_line(problem), 409
        except InvalidInput as problem:
            error, status = one_line(problem), 400
    standing = second_factor_standing(actor, owner)
    if request.GET.get("format") == "json":
        return JsonResponse(asdict(standing))
    context = {"standing": standing, "error": error}
    return render(request, "pages/organization_second_factor.html", context, status=status)
