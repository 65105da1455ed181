"""Where the forge differs from allauth's sign-in with other sites: which there are, how they are asked, what stays."""

from __future__ import annotations

from typing import Any

import requests
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.signals import social_account_added, social_account_removed
from django.db import transaction
from django.http import HttpRequest
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from mic.core.errors import MicError, NotFound
from micelio.accounts.actor import actor_of
from micelio.audit.actions import record
from micelio.config import current
from micelio.oauth_place import OAuthPlace
from micelio.outgoing.client import outgoing

NAMES = {"github": "GitHub", "gitlab": "GitLab"}
# A profile has some kilobytes.
_LIMIT = 256 << 10
# Headers of `requests` that the client makes by itself.
_OURS = frozenset({"accept-encoding", "connection", "content-length"})
# A person waits for it.
_SECONDS = 10.0


def place_of(provider: str) -> OAuthPlace:
    """The settings of a site. Raises NotFound when this forge does not sign people in with it."""
    found = next((place for place in current().oauth if place.provider == provider), None)
    if found is None:
        name = NAMES.get(provider, provider[:40])
        raise NotFound(f"This forge does not sign people in with {name}.", hint="Use another way to sign in.")
    return found


def get_requests_session() -> requests.Session:
    """A session of `requests` whose every request goes through the forge's one guarded client."""
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0  # an answer that sends a token or a secret elsewhere is no answer
    session.mount("https://", _Guarded())
    session.mount("http://", _Guarded())
    return session


class _Guarded(BaseAdapter):
    """The transport."""

    def send(self, request: requests.PreparedRequest, *about: Any, **more: Any) -> requests.Response:
        client = outgoing(_SECONDS)
        headers = {name: str(value) for name, value in request.headers.items() if name.lower() not in _OURS}
        form = request.body or b""
        body = form.encode() if isinstance(form, str) else form
        assert isinstance(body, bytes), "a form is sent whole"
        try:
            assert request.url is not None
            if request.method == "POST":
                answer = client.post(request.url, headers, body, limit=_LIMIT)
            else:
                answer = client.get(request.url, headers, limit=_LIMIT)
        except MicError as error:
            raise requests.ConnectionError(error.message, request=request) from error
        finally:
            client.close()
        made = requests.Response()
        made.status_code = answer.status
        made.headers = CaseInsensitiveDict(answer.headers)
        made._content = answer.body
        made.encoding = "utf-8"
        made.url, made.request = request.url, request
        return made

    def close(self) -> None:
        """Nothing is kept open."""


class OtherSitesAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Bends allauth's sign-in with other sites to the rules of the house."""

    error_messages = DefaultSocialAccountAdapter.error_messages | {
        "no_password": "Nothing else signs in to this account. Set a password first.",
        "no_verified_email": "Confirm your address first, so that a forgotten password can be set anew.",
    }

    def get_requests_session(self) -> requests.Session:
        return get_requests_session()

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Those of the settings; none in the database."""
        return [
            SocialApp(
                provider=place.provider,
                name=NAMES[place.provider],
                client_id=place.client_id,
                secret=place.secret,
                settings={"oauth_pkce_enabled": True},
            )
            for place in current().oauth
            if provider in (None, place.provider) and client_id in (None, place.client_id)
        ]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Its token has done its work, and would lie in the session; addresses of others prove nothing here."""
        sociallogin.token = None
        sociallogin.email_addresses = []


def listen() -> None:
    """Called once, when Django is ready."""
    social_account_added.connect(_added, dispatch_uid="audit")
    social_account_removed.connect(_removed, dispatch_uid="audit")


@transaction.atomic
def _added(sender: object, sociallogin: SocialLogin, **about: Any) -> None:
    _record(sociallogin.account, "account.connect")


@transaction.atomic
def _removed(sender: object, socialaccount: SocialAccount, **about: Any) -> None:
    _record(socialaccount, "account.disconnect")


def _record(account: SocialAccount, action: str) -> None:
    user = account.user
    details = {"site": account.provider, "number": account.uid}
    record(actor_of(user, "web"), action, "account", user.id, user.handle, **details)
