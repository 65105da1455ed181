"""The page of one's own tokens."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from mic.core.errors import MicError, NotFound
from micelio.accounts.actor import actor_from_request
from micelio.accounts.confirmation import needs_confirmation
from micelio.sentences import one_line
from micelio.tokens import actions, queries
from micelio.tokens.actions import MadeToken
from micelio.tokens.forms import TokenForm

# Of one token; who limits a token to more sees how many there are.
SHOWN_PROJECTS = 5


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@needs_confirmation
def tokens(request: HttpRequest) -> HttpResponse:
    """Tokens that are good, and a form for another. A new one is shown in the answer to its form, and never again."""
    actor = actor_from_request(request)
    made: MadeToken | None = None
    form = TokenForm(request.POST) if request.method == "POST" else TokenForm()
    if form.is_bound and form.is_valid():
        values = form.cleaned_data
        try:
            made = actions.create_token(
                actor,
                values["name"],
                values["scopes"],
                form.wanted_projects(),
                values["days"],
                mixes=values["mixes"],
                anywhere=values["anywhere"],
            )
            form = TokenForm()
        except MicError as error:
            form.add_error(None, one_line(error))
    rows = [(row, row.projects[:SHOWN_PROJECTS] if row.projects else ()) for row in queries.list_tokens(actor)]
    context = {"form": form, "made": made, "rows": rows, "shown": SHOWN_PROJECTS}
    return render(request, "tokens/tokens.html", context)


@never_cache
@login_required
@require_POST
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End a token. One that is gone already, from another tab or by the hour, is what was wanted."""
    with suppress(NotFound):
        actions.revoke_token(actor_from_request(request), token_id)
    return HttpResponseRedirect(reverse("tokens"))
