"""Who is at Git's door: the token in a header of Basic authentication, and whether they may ask once more."""

from __future__ import annotations

import base64

from starlette.datastructures import Headers

from mic.core.errors import Unauthenticated
from micelio.accounts.actor import ANONYMOUS, Actor
from micelio.audit.origin import current_address
from micelio.limits.door import Who, spend, spend_sign_in
from micelio.tokens.queries import actor_of_token


def let_in(headers: Headers) -> Actor:
    """Who asks: ANONYMOUS without credentials. Raises Unauthenticated for bad ones, RateLimited."""
    try:
        token = token_in(headers.getlist("authorization"))
        actor = actor_of_token(token) if token is not None else ANONYMOUS
    except Unauthenticated:
        spend_sign_in(current_address())
        raise
    grant = actor.grant
    if grant is None:
        spend("git", Who(current_address(), actor.user_id))
    else:
        spend("git", Who(current_address(), actor.user_id, grant.token_id, grant.session))
    return actor


def token_in(values: list[str]) -> str | None:
    """The token in the values of the Authorization header, None without one. Raises Unauthenticated.

    It is the password of any user name, or the user name of no password (RFC 7617); or a bearer token (RFC 6750).
    """
    if not values:
        return None
    scheme, _, value = values[0].partition(" ")
    token = ""
    if len(values) == 1 and scheme.lower() == "bearer":
        token = value.strip()
    elif len(values) == 1 and scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
            token = password or user
        except ValueError:  # no base64, signs that are none of it, or no UTF-8 behind it
            token = ""
    if not token or not token.isascii() or not token.isprintable():
        raise Unauthenticated("The credentials hold no token.", hint="Give one as the password, with any user name.")
    return token
