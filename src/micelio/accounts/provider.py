"""GitHub and GitLab, as far as they say who somebody is. allauth looks for `provider_classes` in this module.

Who somebody is there is the number that the site gave them: never their name, which others can take over, and never an
address, which the site may not have checked. Nothing is asked for but the public profile, and no token is kept.
"""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.socialaccount.models import SocialToken
from allauth.socialaccount.providers.github.provider import GitHubProvider
from allauth.socialaccount.providers.gitlab.provider import GitLabProvider
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.http import HttpRequest
from django.urls import reverse

from micelio.accounts.letters import absolute
from micelio.accounts.other_sites import get_requests_session, place_of
from micelio.oauth_place import OAuthPlace


class _Site(OAuth2Adapter):  # type: ignore[misc]
    """How both are spoken to. Addresses come from the settings, those of this forge too."""

    provider_id: str
    _authorize: ClassVar[str]
    _exchange: ClassVar[str]

    @property
    def _place(self) -> OAuthPlace:
        return place_of(self.provider_id)

    @property
    def authorize_url(self) -> str:
        """Where the browser is sent."""
        return self._place.base_url + self._authorize

    @property
    def access_token_url(self) -> str:
        """Where a code is exchanged."""
        return self._place.base_url + self._exchange

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return absolute(reverse(f"{self.provider_id}_callback"))

    def get_access_token_data(self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: Any = None) -> Any:
        try:
            return super().get_access_token_data(request, app, client, pkce_code_verifier=pkce_code_verifier)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise OAuth2Error("The answer to the code could not be read.") from error

    def parse_token(self, data: Any) -> SocialToken:
        token = data.get("access_token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise OAuth2Error("The answer to the code holds no token.")
        return SocialToken(token=token)

    def complete_login(self, request: HttpRequest, app: Any, token: SocialToken, **about: Any) -> Any:
        headers = {"Authorization": f"Bearer {token.token}", "Accept": "application/json"}
        with get_requests_session() as session:
            answer = session.get(f"{self._place.api_url}/user", headers=headers)
            answer.raise_for_status()
            told = answer.json()
        number = told.get("id") if isinstance(told, dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
            raise OAuth2Error("The site does not say who that is.")
        return self.get_provider().sociallogin_from_response(request, _public(told))


class GitHubSite(_Site):
    """github.com, or an enterprise's own."""

    provider_id = "github"
    _authorize = "/login/oauth/authorize"
    _exchange = "/login/oauth/access_token"
    headers: ClassVar[dict[str, str]] = {"Accept": "application/json"}


class GitLabSite(_Site):
    """gitlab.com, or one's own."""

    provider_id = "gitlab"
    _authorize = "/oauth/authorize"
    _exchange = "/oauth/token"


class _Narrow:
    """What a visitor writes into the address of the button widens nothing, and little is kept of a profile."""

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return list(self.get_scope())  # type: ignore[attr-defined]

    def get_auth_params_from_request(self, request: HttpRequest, action: Any) -> dict[str, str]:
        return {}

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"login": data["login"]}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"username": data["login"], "email": data["email"], "name": data["name"]}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        return []


class GitHub(_Narrow, GitHubProvider):  # type: ignore[misc]
    """Sign-in with GitHub."""

    oauth2_adapter_class = GitHubSite


class GitLab(_Narrow, GitLabProvider):  # type: ignore[misc]
    """Sign-in with GitLab."""

    oauth2_adapter_class = GitLabSite


provider_classes = [GitHub, GitLab]


def _public(told: dict[str, Any]) -> dict[str, Any]:
    """What is used of a profile, with texts for texts: whatever else a site may send."""

    def text(*names: str) -> str:
        return next((str(told[name])[:200] for name in names if isinstance(told.get(name), str)), "")

    return {
        "id": told["id"],
        "login": text("login", "username"),
        "email": text("email"),
        "name": text("name"),
    }
