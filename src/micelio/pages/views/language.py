"""`/-/language`: where the form in the footer of every page goes."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from mic.core.errors import InvalidInput, PermissionDenied
from micelio.accounts.actor import actor_from_request
from micelio.accounts.language import choose_language
from micelio.languages.choice import COOKIE, language_called

_YEAR = 365 * 24 * 3600


# A token would give every visitor of every page a cookie. The browser itself says where a form comes from.
@csrf_exempt
@never_cache
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language, in this browser and for whoever is signed in; then the page that one was at."""
    if not _is_from_here(request):
        raise PermissionDenied("This form came from another site.", hint="Choose the language on a page of this forge.")
    chosen = language_called(request.POST.get("language", ""))
    if chosen is None:
        raise InvalidInput("This forge does not speak that language.", hint="Choose one of the list in the footer.")
    actor = actor_from_request(request)
    if actor.signed_in:
        choose_language(actor, chosen.code)
    response = HttpResponseRedirect(_back(request))
    response.status_code = 303
    response.set_cookie(
        COOKIE, chosen.code, max_age=_YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
    return response


def _is_from_here(request: HttpRequest) -> bool:
    site, origin = request.headers.get("Sec-Fetch-Site", ""), request.headers.get("Origin", "")
    here = (f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS)
    return site in ("same-origin", "") and origin in (*here, "")


def _back(request: HttpRequest) -> str:
    """The page that the form was on, if it was one of ours; else the start."""
    try:
        parts = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return "/"
    # Two slashes at the beginning would be another site.
    if parts.netloc != request.get_host() or not parts.path.startswith("/") or parts.path.startswith(("//", "/\\")):
        return "/"
    return parts.path + (f"?{parts.query}" if parts.query else "")
