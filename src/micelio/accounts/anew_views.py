"""The door to signing in anew, for accounts that have nothing else to confirm with."""

from __future__ import annotations

from typing import cast

from allauth.core import ratelimit
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from micelio.accounts import actions
from micelio.accounts.confirmation import confirms_here
from micelio.accounts.models import User
from micelio.accounts.other_sites import NAMES
from micelio.accounts.redirects import is_local
from micelio.config import current

# In the session: the page to which a link of this browser's account leads.
BACK_TO = "back_to"


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_anew(request: HttpRequest) -> HttpResponse:
    """Through the site that the account comes from, or by a link; then back to what was wanted."""
    user = cast(User, request.user)
    wanted = request.GET.get("next", "")
    back = wanted if is_local(wanted) else reverse("account")
    if confirms_here(user):
        return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}")
    if request.method == "POST" and user.email:
        too_many = ratelimit.consume_or_429(request, action="request_login_code", key=user.email)
        if too_many is not None:
            return cast(HttpResponse, too_many)
        actions.mail_sign_in_link(user.email)
        request.session[BACK_TO] = back
        return HttpResponseRedirect(reverse("link-asked"))
    offered = {place.provider for place in current().oauth}
    connected = SocialAccount.objects.filter(user=user, provider__in=offered).values_list("provider", flat=True)
    sites = [
        {"name": NAMES[site], "url": f"{reverse(f'{site}_login')}?{urlencode({'next': back})}"}
        for site in sorted(set(connected))
    ]
    context = {"sites": sites, "email": user.email, "postal": current().postal, "handle": user.handle}
    return render(request, "accounts/sign_in_anew.html", context)
