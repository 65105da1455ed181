"""`/{owner}/-/networks`: the networks that members of an organization reach it from."""

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
from micelio.networks import holds, parse_entries, parse_lines
from micelio.organizations.networks import ListChanged, get_networks, set_networks
from micelio.sentences import one_line


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@needs_confirmation
def organization_networks(request: HttpRequest, owner: str) -> HttpResponse:
    """For owners: the list as text, a network a line. A list that shuts its author out is taken the second time.

    So is one that somebody else has changed meanwhile: beside what was typed there stands what they wrote.
    """
    actor = actor_from_request(request)
    error, typed, asks, changed = "", None, False, False
    tokens_pass = request.POST.get("tokens_pass") == "yes"
    if request.method == "POST":
        typed = request.POST.get("networks", "")
        try:
            if "networks" not in request.POST:
                raise InvalidInput("The form came without its list.", hint="Open the page again.")
            leave = request.POST.get("leave") == "yes"
            seen = request.POST.get("seen")
            set_networks(actor, owner, parse_lines(typed), tokens_pass=tokens_pass, leave=leave, seen=seen)
            return HttpResponseRedirect(f"/{owner}" if leave else request.path)
        except ListChanged as problem:
            error, changed = one_line(problem), True
        except PreconditionFailed as problem:
            error, asks = one_line(problem), True
        except InvalidInput as problem:
            error = one_line(problem)
    found = get_networks(actor, owner)
    if request.GET.get("format") == "json":
        return JsonResponse(asdict(found))
    text = "\n".join(f"{entry.network} {entry.note}".rstrip() for entry in found.entries)
    context = {
        "found": found,
        "typed": text if typed is None else typed,
        "tokens_pass": found.tokens_pass if typed is None else tokens_pass,
        "inside": holds(parse_entries(found.entries), found.address),
        "error": error,
        "asks": asks,
        "changed": changed,
        "seen": found.state if typed is None or changed else request.POST.get("seen", found.state),
    }
    status = 409 if asks or changed else 400 if error else 200
    return render(request, "pages/organization_networks.html", context, status=status)
