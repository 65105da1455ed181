"""The content security policy. Pages need a stylesheet, pictures and forms of their own origin, nothing else.

Tools that judge a page ask for robots.txt from within it, as a connection; without a script no page does.

Where passkeys are made and used a script of ours runs, which may ask the forge what to sign: browsers offer passkeys to
scripts only. It is a file of its own; nothing inline runs anywhere. Pages with differences let one more file run, by
its whole address: keys for whoever reads with a keyboard.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from micelio.config import current
from micelio.oauth_place import OAuthPlace
from micelio.pages import keys

_REST = (
    "style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
# Browsers hold a form to it after a redirect as well, and these begin a sign-in at another site.
_LEAVING_PAGES = ("/-/sign-in", "/-/sign-up", "/-/account/other-sites")
CSP = f"default-src 'none'; {_REST}"
_WITH_PASSKEYS = f"default-src 'none'; script-src 'self'; {_REST}"
# No text of a visitor stands on these pages but their own.
_PASSKEY_PAGES = ("/-/sign-in/with-passkey", "/-/account/second-factor")


def csp(path: str) -> str:
    """The policy of an answer to a request for `path`."""
    if keys.PAGES.match(path):
        return f"default-src 'none'; script-src {current().base_url}{keys.script_address()}; {_REST}"
    policy = _WITH_PASSKEYS if path.startswith(_PASSKEY_PAGES) else CSP
    others = current().oauth if path.startswith(_LEAVING_PAGES) else ()
    return policy.replace("form-action 'self'", " ".join(["form-action 'self'", *map(_origin, others)]))


def _origin(place: OAuthPlace) -> str:
    parts = urlsplit(place.base_url)
    return f"{parts.scheme}://{parts.netloc}"
