"""Doors for signing in with another site, and for what may sign in to one's account."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.views import ConnectionsView
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from micelio.accounts.other_sites import place_of
from micelio.accounts.provider import GitHubSite, GitLabSite
from micelio.accounts.sign_up import REFUSED_CONNECTION

_View = Callable[..., Any]


def _offered(provider: str, view: _View) -> _View:
    """The view, where the settings name its site."""

    @never_cache
    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        place_of(provider)
        return cast(HttpResponse, view(request, *args, **kwargs))

    return answer


github = _offered("github", OAuth2LoginView.adapter_view(GitHubSite))
github_back = _offered("github", OAuth2CallbackView.adapter_view(GitHubSite))
gitlab = _offered("gitlab", OAuth2LoginView.adapter_view(GitLabSite))
gitlab_back = _offered("gitlab", OAuth2CallbackView.adapter_view(GitLabSite))


@method_decorator(never_cache, name="dispatch")
class Connections(ConnectionsView):  # type: ignore[misc]
    """What may sign in to one's account beside the password; adding, and taking away."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        refused = self.request.session.pop(REFUSED_CONNECTION, False)
        return cast(dict[str, Any], super().get_context_data(**kwargs)) | {"refused": refused}


connections = Connections.as_view()
