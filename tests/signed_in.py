"""A client of Django's own that is signed in: its `force_login` puts the name of a session into the cookie."""

from __future__ import annotations

import time

from allauth.account.internal.flows import login as flow
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest
from django.test import Client

from micelio.accounts.browser_sessions import SessionStore
from micelio.accounts.models import User


def sign_in(client: Client, user: User, ago: float = 0) -> None:
    """As the pages do, so many seconds ago."""
    request = HttpRequest()
    request.session = SessionStore()
    login(request, user, "allauth.account.auth_backends.AuthenticationBackend")
    request.session[flow.AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "link", "at": time.time() - ago}]
    request.session[flow._AUTHENTICATION_METHODS_USER_SESSION_KEY] = flow.user_id_to_str(user)
    request.session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = request.session.cookie
