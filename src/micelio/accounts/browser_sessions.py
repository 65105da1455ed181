"""Sessions of browsers as they are stored: found by the hash of what the cookie says, and encrypted.

`session_key` is the name of the row, everywhere; only the cookie holds what opens it. So a copy of the database signs
nobody in, and shows nothing that waits in a session: the secret of an app that is being set up, a form that waits for
a confirmation.
"""

from __future__ import annotations

import base64
import hashlib
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

from mic.core.errors import MicError
from micelio.vault import keyring

_PURPOSE = "browser session"
_COOKIE_LENGTH = 32
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
# What opens the sessions of the request that this thread serves, by their names.
_cookies: ContextVar[dict[str, str]] = ContextVar("browser_cookies")


def key_of(cookie: str) -> str:
    """The name of a session: 30 of the 32 bytes of a SHA-256 as base64url, for the columns take 40 characters."""
    digest = hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest[:30]).decode()


def seal(encoded: str) -> str:
    """Django's text of a session, encrypted."""
    return keyring().seal(encoded, _PURPOSE)


class SessionStore(db.SessionStore):
    """One session. `cookie` is what its browser keeps, None for one that is read by its name alone."""

    def __init__(self, session_key: str | None = None, cookie: str | None = None) -> None:
        super().__init__(session_key)
        self.cookie = cookie

    def _get_new_session_key(self) -> str:
        while True:
            cookie = get_random_string(_COOKIE_LENGTH, _ALPHABET)
            key = key_of(cookie)
            if not self.exists(key):
                self.cookie = cookie
                if (known := _cookies.get(None)) is not None:
                    known[key] = cookie
                return key

    def encode(self, session_dict: dict[str, Any]) -> str:
        return seal(super().encode(session_dict))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """What a session holds; nothing where its key is lost, which signs the browser out."""
        text = session_data.decode() if isinstance(session_data, bytes) else session_data
        try:
            return super().decode(keyring().open(text, _PURPOSE))
        except MicError:
            return {}


class BrowserSessions(SessionMiddleware):
    """Between the cookie and the session that it opens."""

    def process_request(self, request: HttpRequest) -> None:
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        _cookies.set({key_of(cookie): cookie} if cookie else {})
        request.session = SessionStore(key_of(cookie) if cookie else None, cookie)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        sent = response.cookies.get(settings.SESSION_COOKIE_NAME)
        session = request.session
        if sent is not None and sent.value and isinstance(session, SessionStore):
            # allauth reads a session anew by its name, on the way to another site.
            cookie = session.cookie or _cookies.get()[sent.value]
            assert sent.value == session.session_key == key_of(cookie)
            sent.set(sent.key, cookie, cookie)
        return response


def encrypt_anew() -> int:
    """Encrypt with the newest key what an older one has encrypted; how many sessions. Those of lost keys run out."""
    ring, done = keyring(), 0
    older = Session.objects.exclude(session_data__startswith=f"enc1.{ring.newest}.")
    for key, data in list(older.values_list("session_key", "session_data")):
        try:
            anew = seal(ring.open(data, _PURPOSE))
        except MicError:
            continue
        # A session that was written meanwhile has the newest key already.
        done += Session.objects.filter(session_key=key, session_data=data).update(session_data=anew)
    return done
