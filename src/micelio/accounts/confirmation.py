"""Confirming again who one is, before what a stolen browser must not be able to do.

    @needs_confirmation                  # a form without secrets: what was posted is carried out afterwards
    @needs_confirmation(keep=False)      # a form with secrets, which must not lie in the session meanwhile

    def _delete(request, ...):           # one button of several on a page
        require_confirmed(request)

An account that has neither password nor second factor (one that comes by links or through another site) confirms by
signing in anew, the way it came. That costs a letter or a journey, so its sign-in counts for longer.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, overload

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from micelio.accounts.models import User
from micelio.languages.known import ENGLISH
from micelio.languages.spoken import speak

View = Callable[..., HttpResponse]
# Seconds that a sign-in counts where one can only sign in anew: twice the life of a link that was asked for.
_ANEW_COUNTS = 1800
# Names of the pages that ask.
_ASKING = frozenset({"account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"})


def is_confirmed(request: HttpRequest) -> bool:
    """Whoever sent this has signed in or confirmed lately: within five minutes, or half an hour with nothing but that.

    Every way of signing in counts, a link too: who reads the letters of an account can set its password.
    """
    user = request.user if isinstance(request.user, User) else None
    ages = [time.time() - record["at"] for record in get_authentication_records(request, user)]
    if user is None or not ages or min(ages) >= _ANEW_COUNTS:
        return False
    return min(ages) < app_settings.REAUTHENTICATION_TIMEOUT or not confirms_here(user)


def confirms_here(user: User) -> bool:
    """Whether an account has a password or a second factor, so that it need not sign in anew."""
    return bool(get_reauthentication_flows(user))


def require_confirmed(request: HttpRequest) -> None:
    """To be called where a button needs a fresh confirmation; who has none is asked, and what was posted waits."""
    _in_english_when_resumed(request)
    if not is_confirmed(request):
        raise ReauthenticationRequired  # allauth's middleware asks, and resumes the request


def _in_english_when_resumed(request: HttpRequest) -> None:
    """A page that asks for the confirmation speaks the reader's language, and resumes within itself what does not."""
    match = request.resolver_match
    if match is not None and match.view_name in _ASKING:
        speak(ENGLISH)


@overload
def needs_confirmation(view: View) -> View: ...
@overload
def needs_confirmation(*, keep: bool = True, reading: bool = False) -> Callable[[View], View]: ...
def needs_confirmation(view: View | None = None, *, keep: bool = True, reading: bool = False) -> Any:
    """A page whose POST needs a fresh confirmation, and with `reading` the sight of it as well.

    Whoever has not confirmed is asked to, and then comes back: with `keep` to what the POST does, else to the page.
    For pages behind `login_required`, whichever of the two stands first.
    """

    def wrap(inner: View) -> View:
        @functools.wraps(inner)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            posts = request.method == "POST"
            _in_english_when_resumed(request)
            if (not posts and not reading) or not request.user.is_authenticated or is_confirmed(request):
                return inner(request, *args, **kwargs)
            if keep or not posts:
                raise ReauthenticationRequired
            back = urlencode({"next": request.get_full_path()})
            return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{back}")

        return answer

    return wrap if view is None else wrap(view)
