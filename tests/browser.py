"""A person's browser without the person: keeps cookies, reads forms, sends them back with their hidden fields."""

from __future__ import annotations

import itertools
from html.parser import HTMLParser

import httpx


class _Inputs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "input" and values.get("type") == "hidden" and values.get("name"):
            self.hidden[str(values["name"])] = values.get("value") or ""


# A connection is let go of before the forge, which waits five seconds, closes it between two requests.
_LIMITS = httpx.Limits(keepalive_expiry=2)
_addresses = itertools.count(2)


class Browser(httpx.Client):
    """httpx with cookies, not following redirects, that can fill in the forms of a page.

    Each comes from a loopback address of its own, for the forge bounds attempts by address.
    """

    def __init__(self, base_url: str) -> None:
        high, low = divmod(next(_addresses), 250)
        transport = httpx.HTTPTransport(local_address=f"127.0.{high}.{low + 1}", limits=_LIMITS)
        super().__init__(base_url=base_url, timeout=60, headers={"Origin": base_url}, transport=transport)

    def hidden(self, path: str) -> dict[str, str]:
        """The hidden fields of the page at `path`, the CSRF token among them."""
        page = self.get(path)
        assert page.status_code < 500, page.text
        parser = _Inputs()
        parser.feed(page.text)
        return parser.hidden

    def submit(self, path: str, to: str = "", **fields: str) -> httpx.Response:
        """Open the page at `path`, then post its form with `fields`, to the same address or to `to`."""
        return self.post(to or path, data=self.hidden(path) | fields)

    def confirm(self, password: str) -> None:
        """Say again who one is, as before a dangerous act."""
        answer = self.submit("/-/sign-in/again", password=password)
        assert answer.status_code == 302, answer.text

    def set_password(self, password: str, **fields: str) -> httpx.Response:
        """A new password. Revokes all tokens, as the form does unless its tick is taken away: `tokens_too=""`."""
        return self.submit("/-/account/password", password=password, **({"tokens_too": "on"} | fields))

    def sign_in_once(self, link: str) -> None:
        """Use a one-time sign-in link."""
        path = link.removeprefix(str(self.base_url).rstrip("/"))
        answer = self.submit(path)
        assert answer.status_code == 302, answer.text
