"""Every address, asked by a visitor and by an administrator: each answer carries what shuts browsers' doors."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from browser import Browser
from forge_process import Forge
from rpc_world import World, added, frame, landing

CSP = (
    "default-src 'none'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
WITH_SCRIPT = CSP.replace("; style", "; script-src 'self'; style", 1)
# Alone: with that of the pages it would be drawn without its own styles.
OF_AN_SVG = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "sandbox"
)
DIFFERENCES = re.compile(r"/[^/]+/[^/]+/-/(landings|sessions|compare)/.")
ONE_SCRIPT = re.compile(r" script-src http://(localhost|127\.0\.0\.1):\d+/-/keys-[0-9a-f]{12}\.js;")
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
SAMPLES = {
    "owner": "OWNER", "handle": "open", "ref": "head", "path": "evil.svg", "position": "1", "number": "1",
    "digest": "000000000000", "token": "spent", "name": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "pk": "1",
    "token_id": "00000000-0000-4000-8000-000000000000",
}  # fmt: skip
# Asked by code elsewhere: its own tests. A walk that signs itself out would see less from there on.
SKIPPED = {"/-/sign-out", "/-/oauth/logout"}


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for item in resolver.url_patterns:
        route = before + str(item.pattern)
        if isinstance(item, URLResolver):
            yield from _routes(item, route)
        elif isinstance(item, URLPattern):
            yield "/" + route


def _addresses(owner: str) -> list[str]:
    def sample(found: re.Match[str]) -> str:
        name = found[1].rpartition(":")[2]
        if found[1].startswith("uuid:"):
            return "00000000-0000-4000-8000-000000000000"
        return owner if name == "owner" else SAMPLES.get(name, "1")

    known = [re.sub(r"<([^>]+)>", sample, route) for route in _routes(get_resolver())]
    native = ["/health", "/health/ready", "/-/cdn/0/x", "/-/nothing/of/the/kind", "/%2e%2e/x", "/api/none", "//x"]
    return [address for address in known if address not in SKIPPED] + native


@pytest.fixture(scope="module")
def world(forge: Forge) -> Iterator[World]:
    made = World(forge)
    files = {
        b"evil.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"evil.html": b"<script>alert(document.domain)</script>",
        b"evil.pdf": b"%PDF-1.4\n",
        b"evil.xml": b"<?xml version='1.0'?><x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
        b"evil.css": b"*{background:url(//evil.example)}",
        b"evil.js": b"alert(1)",
        b"evil.png": b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
        b"evil.gif": b"GIF89a/*<script>*/=1;alert(1)",
        b"utf16.html": "<script>alert(1)</script>".encode("utf-16"),
    }
    request = landing(made.open, {}, base_position=1, changes=[added(path, data) for path, data in files.items()])
    request.frames.extend(frame(data) for data in files.values())
    made.rita("SessionService.LandSession", request)
    yield made
    made.close()


def _check(answer: httpx.Response, address: str) -> None:
    found = {name: answer.headers.get(name) for name in ALWAYS}
    # Cards are pictures for pages of other sites, as badges are.
    shared = {"cross-origin-resource-policy": "cross-origin"} if address.startswith("/-/people/") else {}
    assert found == ALWAYS | (shared if "/card/" in address else {}), address
    policies = answer.headers.get_list("content-security-policy")
    ours = WITH_SCRIPT if address.startswith(("/-/sign-in/with-passkey", "/-/account/second-factor")) else CSP
    if DIFFERENCES.match(address):
        # One file, by its whole address.
        policies = [ONE_SCRIPT.sub("", policy, count=1) for policy in policies]
    if answer.headers.get("content-type") == "image/svg+xml":
        assert policies == [OF_AN_SVG], address
        policies = []
    else:
        assert ours in policies, address
    assert not any("unsafe" in policy or "*" in policy for policy in policies), address
    permissions = answer.headers["permissions-policy"]
    assert "camera=()" in permissions
    assert "geolocation=()" in permissions
    # Over plain http nobody is told to use https only.
    assert "strict-transport-security" not in answer.headers
    assert answer.status_code < 500, (address, answer.text[:500])


@pytest.mark.parametrize("who", ["visitor", "administrator"])
def test_every_address_carries_the_headers(world: World, who: str) -> None:
    """Whatever the answer is: a page, a redirect, a refusal, nothing at all."""
    with Browser(world.forge.base_url) as browser:
        if who == "administrator":
            browser.sign_in_once(world.forge.once("walker", "--create", "--admin"))
        asked = _addresses(world.organization)
        assert len(asked) > 60
        for address in asked:
            for method in ("GET", "POST", "DELETE") if who == "visitor" else ("GET",):
                _check(browser.request(method, address), address)


@pytest.mark.parametrize("name", ["svg", "html", "pdf", "xml", "css", "js", "png", "gif"])
def test_raw_files_are_never_documents_of_our_origin(world: World, name: str) -> None:
    """Text, a picture or a download; in a sandbox that is an origin of its own, whatever a browser makes of them."""
    with Browser(world.forge.base_url) as visitor:
        answer = visitor.get(f"/{world.organization}/open/-/raw/head/evil.{name}")
    allowed = {"text/plain; charset=utf-8", "application/octet-stream", "image/png", "image/gif"}
    assert answer.status_code == 200
    assert answer.headers["content-type"] in ({"image/svg+xml"} if name == "svg" else allowed)
    own = OF_AN_SVG if name == "svg" else "default-src 'none'; sandbox"
    assert own in answer.headers.get_list("content-security-policy")
    assert "allow-" not in answer.headers["content-security-policy"]


NEXT = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "https://evil.example/",
    "https:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/\r\nLocation: https://evil.example",
    " //evil.example",
    "\x00//evil.example",
    "http://localhost@evil.example/",
]


@pytest.mark.parametrize("target", NEXT)
def test_signing_in_sends_nobody_elsewhere(world: World, target: str) -> None:
    """`next` is a path of this forge, or it is not followed."""
    password = "an even quieter long phrase"
    with Browser(world.forge.base_url) as browser:
        browser.sign_in_once(world.forge.once("nextor", "--create"))
        if "Current password" not in browser.get("/-/account").text:
            browser.submit("/-/account", name="", email="", password=password)
    with Browser(world.forge.base_url) as browser:
        answer = browser.submit("/-/sign-in", login="nextor", password=password, next=target)
        where = answer.headers.get("location", "/")
        assert answer.status_code in (200, 302)
        assert where.startswith("/"), where
        assert not where.startswith(("//", "/\\")), where
        assert "evil" not in where or where.startswith("/-/"), where


FORMS = ["/-/account", "/-/account/tokens", "/-/account/browsers", "/-/device", "/-/sign-out", "/-/sign-in"]


@pytest.mark.parametrize("address", FORMS)
def test_a_form_from_another_page_is_not_accepted(world: World, address: str) -> None:
    """Neither without the token nor with the origin of another site, the device approval included."""
    with Browser(world.forge.base_url) as browser:
        browser.sign_in_once(world.forge.once("walker", "--create", "--admin"))
        assert browser.post(address, data={"user_code": "ABCDEFGH", "action": "confirm"}).status_code == 403
        token = browser.hidden("/-/account")["csrfmiddlewaretoken"]
        foreign = {"Origin": "https://evil.example"}
        answer = browser.post(address, data={"csrfmiddlewaretoken": token}, headers=foreign)
        assert answer.status_code == 403
