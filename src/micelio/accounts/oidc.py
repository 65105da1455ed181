"""Where the forge differs from allauth's OpenID provider."""

from __future__ import annotations

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from django.utils.translation import gettext_lazy

from micelio.accounts.actor import SCOPE
from micelio.config import current


class OIDCAdapter(DefaultOIDCAdapter):  # type: ignore[misc]
    """Names the forge by its configured address, never by the Host header of a request."""

    scope_display = DefaultOIDCAdapter.scope_display | {SCOPE: gettext_lazy("Act for you in your projects")}

    def get_issuer(self) -> str:
        return current().base_url
