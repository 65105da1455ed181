"""What waits in the cache for a person - codes of devices above all - opens nothing for whoever reads the database."""

from __future__ import annotations

import base64
import re

import httpx
import pytest
from django.core.cache import cache
from django.db import connection

from browser import Browser
from forge_process import Forge

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def _readable(dump: bytes) -> bytes:
    """A dump, and what its texts in base64 say: the cache of the framework keeps pickles so."""
    texts = re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", dump)
    return b"\n".join([dump, *(base64.b64decode(text[: len(text) // 4 * 4]) for text in texts)])


def test_a_copy_of_the_database_has_no_code_of_a_device(forge: Forge, browser: Browser) -> None:
    """Neither the device's nor the one that people type, before the approval and after it; and both still work."""
    browser.sign_in_once(forge.once("cody", "--create"))
    asked = httpx.post(
        f"{forge.base_url}/-/oauth/device/code", data={"client_id": "mic-cli", "scope": "mic"}, trust_env=False
    ).json()
    typed = asked["user_code"]
    hidden = [asked["device_code"], typed, typed.replace("-", ""), typed.lower(), "oidc.device_code", "oidc.user_code"]
    page = str(asked["verification_uri_complete"]).removeprefix(forge.base_url)
    for step in ("asked for", "approved"):
        if step == "approved":
            assert "Connected" in browser.submit(page, action="confirm").text
        found = _readable(forge.database.dump())
        assert b"mic-cli" in found  # the dump is one of this forge
        assert [code for code in hidden if code.encode() in found] == [], step
    data = {"client_id": "mic-cli", "grant_type": GRANT, "device_code": asked["device_code"]}
    granted = httpx.post(f"{forge.base_url}/-/oauth/token", data=data, trust_env=False)
    assert granted.json()["scope"] == "mic"


@pytest.mark.django_db
def test_rows_of_the_cache_are_sealed_where_they_lie() -> None:
    """Named by 64 digits, sealed, bound to their row; counting, adding and taking away go on as they did."""
    cache.set("a plain name", {"code": "a plain value"}, 60)
    assert cache.get("a plain name") == {"code": "a plain value"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM micelio_cache")
        rows = cursor.fetchall()
    assert [bool(re.fullmatch("[0-9a-f]{64}", key)) for key, _ in rows] == [True]
    assert rows[0][1] != ""
    assert b"plain" not in _readable(repr(rows).encode())
    cache.set("another name", 1, 60)
    with connection.cursor() as cursor:  # a value that somebody put into another row
        cursor.execute("UPDATE micelio_cache SET value = %s", [rows[0][1]])
    assert cache.get("another name", "none") == "none"
    assert cache.get_many(["a plain name", "another name"]) == {"a plain name": {"code": "a plain value"}}
    assert cache.add("number", 1, 60)
    assert not cache.add("number", 5, 60)
    assert cache.incr("number") == 2
    assert cache.touch("number", 60)
    assert cache.get("number") == 2
    assert cache.delete("number")
    assert cache.get("number") is None
