from urllib.parse import unquote_to_bytes

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from mic.core.errors import NotFound
from micelio.pages.addresses import HEAD, Ref, Site, parse_ref, path_from_request

SITE = Site("acme", "api")


def test_addresses() -> None:
    """Addresses are short and say what they lead to."""
    assert SITE.tree(HEAD) == "/acme/api"
    assert SITE.tree(Ref(4)) == "/acme/api/-/tree/@4"
    assert SITE.tree(HEAD, b"src/auth") == "/acme/api/-/tree/head/src/auth"
    assert SITE.file(Ref(4), b"a b#?%\xe9\n") == "/acme/api/-/file/@4/a%20b%23%3F%25%E9%0A"
    assert SITE.landing(42) == "/acme/api/-/landings/42"


@given(st.lists(st.binary(min_size=1).map(lambda b: b.replace(b"/", b"_").replace(b"\0", b"_")), min_size=1))
def test_every_path_comes_back(parts: list[bytes]) -> None:
    """The bytes of a path survive its address, UTF-8 or not, behind an ASGI server."""
    path = b"/".join(parts)
    raw = SITE.file(HEAD, path).encode("ascii")
    request = RequestFactory().get("/", **{"asgi.scope": {"raw_path": raw}})
    assert path_from_request(request) == path
    assert unquote_to_bytes(raw).endswith(path)


def test_a_plain_server_has_decoded_text() -> None:
    """Without the raw request line the decoded path is used."""
    request = RequestFactory().get("/acme/api/-/file/head/docs/caf%C3%A9.md")
    assert path_from_request(request) == "docs/café.md".encode()


@pytest.mark.parametrize("text", ["", "main", "@", "@-1", "@1x", "@٣", "@1234567890123456789", "@1\n", "HEAD"])
def test_points_that_are_none(text: str) -> None:
    """Anything but `head` and `@N` is not there."""
    with pytest.raises(NotFound):
        parse_ref(text)


def test_points() -> None:
    """`head` and positions are read and written alike."""
    assert parse_ref("head") == HEAD
    assert parse_ref("@42") == Ref(42)
    assert str(parse_ref("@42")) == "@42"
