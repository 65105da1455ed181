"""Tokens that should open nothing, and claims that are not proof: incidents of earlier forges, one test each."""

from __future__ import annotations

import hashlib
import time

import httpx
import pytest

from browser import Browser
from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, World, landing, session_id

ME = ("AuthService.GetCurrentUser", pb.GetCurrentUserRequest())


def _rows(forge: Forge, statement: str, *values: object) -> int:
    with forge.database.opened() as rows:
        return rows.change(statement, values)


def _opens(forge: Forge, token: str) -> tuple[bool, bool]:
    """Whether the token is taken by the typed surface and by the OAuth endpoint that says who somebody is."""
    with Caller(forge.grpc_address, token) as caller:
        call = caller.start(*ME)
        typed = call.exception() is None
    answer = httpx.get(f"{forge.base_url}/-/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})
    return typed, answer.status_code == 200


def test_expired_or_revoked_access_token_is_accepted(forge: Forge) -> None:
    """Each door looks at the row, each time."""
    token = forge.token("sec-expired")
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert _opens(forge, token)[0]
    expire = "UPDATE allauth_idp_oidc_token SET expires_at = '2020-01-01 00:00:00' WHERE hash = ?"
    assert _rows(forge, expire, digest) == 1
    assert _opens(forge, token) == (False, False)
    token = forge.token("sec-revoked")
    assert _opens(forge, token)[0]
    httpx.post(f"{forge.base_url}/-/oauth/revoke", data={"client_id": "mic-cli", "token": token}).raise_for_status()
    assert _opens(forge, token) == (False, False)


def test_scopes_are_ignored(forge: Forge) -> None:
    """A token that only says who somebody is may not act as them; nor may a refresh token."""
    token = forge.token("sec-scope")
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert _rows(forge, "UPDATE allauth_idp_oidc_token SET scopes = 'openid\nprofile' WHERE hash = ?", digest) == 1
    assert _opens(forge, token) == (False, True)
    assert _rows(forge, "UPDATE allauth_idp_oidc_token SET scopes = 'mic', type = 'rt' WHERE hash = ?", digest) == 1
    assert _opens(forge, token) == (False, False)


def test_revoking_a_device_leaves_its_access_token(forge: Forge, browser: Browser) -> None:
    """Signing out hands in the refresh token; the access token of the same grant ends with it, and the other way."""
    browser.sign_in_once(forge.once("sec-device", "--create"))
    for handed_in in ("refresh_token", "access_token"):
        tokens = _device_tokens(forge, browser)
        assert _opens(forge, tokens["access_token"])[0]
        data = {"client_id": "mic-cli", "token": tokens[handed_in], "token_type_hint": handed_in}
        httpx.post(f"{forge.base_url}/-/oauth/revoke", data=data).raise_for_status()
        assert _opens(forge, tokens["access_token"]) == (False, False)


def _device_tokens(forge: Forge, browser: Browser) -> dict[str, str]:
    """What the device grant hands out once a person has approved it."""
    asked = httpx.post(f"{forge.base_url}/-/oauth/device/code", data={"client_id": "mic-cli", "scope": "mic"}).json()
    browser.submit(asked["verification_uri_complete"].removeprefix(forge.base_url), action="confirm")
    data = {
        "client_id": "mic-cli",
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": asked["device_code"],
    }
    while True:
        time.sleep(asked["interval"])  # the protocol's own pace
        answer = httpx.post(f"{forge.base_url}/-/oauth/token", data=data)
        if answer.status_code == 200:
            return dict(answer.json())
        assert answer.json()["error"] in ("authorization_pending", "slow_down")


def test_user_id_is_trusted_without_a_token(world: World) -> None:
    """Whatever headers claim, nobody is who they say without a token."""
    with Caller(world.forge.grpc_address, world.forge.token("rita")) as caller:
        user = caller(*ME).user
    claims = {
        "user-id": user.id,
        "x-user-id": user.id,
        "x-user": "rita",
        "x-forwarded-user": "rita",
        "user_id": user.id,
    }
    with Caller(world.forge.grpc_address, **claims) as caller:
        assert caller.refused(*ME).code == "unauthenticated"
        assert caller.refused("SessionService.LandSession", landing(world.open, {b"a": b"a"})).code == "unauthenticated"
    with Browser(world.forge.base_url) as browser:
        headers = {"X-User-Id": user.id, "Remote-User": "rita", "X-Remote-User": "rita", "X-Forwarded-User": "rita"}
        assert browser.get("/-/account", headers=headers).status_code == 302


def test_any_member_lands_or_abandons_the_sessions_of_others(world: World) -> None:
    """A session belongs to whoever started it; and a page changes nothing, whoever asks."""
    own = session_id()
    world.max("SessionService.StartSession", pb.StartSessionRequest(project=world.open, session_id=own, goal="Mine"))
    for call, request in (
        ("SessionService.LandSession", landing(world.open, {b"taken": b"x"}, id=own, base_position=1)),
        ("SessionService.AbandonSession", pb.AbandonSessionRequest(project=world.open, session_id=own)),
    ):
        assert world.rita.refused(call, request).code == "permission_denied"
        assert world.stan.refused(call, request).code == "permission_denied"
        assert world.nobody.refused(call, request).code == "unauthenticated"
    with Browser(world.forge.base_url) as browser:
        for path in ("", "/-/landings", "/-/landings/1", "/-/sessions", "/-/tree/head", "/-/file/head/readme.txt"):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                address = f"/{world.organization}/open{path}"
                assert browser.request(method, address).status_code in (403, 405), (method, path)
    kept = world.max("SessionService.GetSession", pb.GetSessionRequest(project=world.open, session_id=own)).session
    assert (kept.state, kept.goal) == ("active", "Mine")


def test_a_session_id_becomes_a_key_of_another_object(world: World) -> None:
    """Ids are bytes of one length, spelled in hexadecimal in the store: none can leave its folder."""
    folder = world.forge.data_dir / "store"
    for name in (b"../../../../head", b"/etc/passwd\x00\x00\x00\x00\x00", b"\x00" * 16, b"....//....//...."):
        request = pb.StartSessionRequest(project=world.closed, session_id=name, goal="Try")
        world.max("SessionService.StartSession", request)
        assert [path.parent.name for path in folder.rglob(f"*{name.hex()}*")] == ["sessions"]
    strange = [path for path in world.forge.data_dir.rglob("*") if ".." in path.name or "passwd" in path.name]
    assert strange == []


def test_session_fixation(forge: Forge) -> None:
    """A cookie that was planted before the once-link is used is not the one that is signed in afterwards."""
    with Browser(forge.base_url) as victim:
        planted = "a" * 32
        victim.cookies.set("sessionid", planted)
        victim.sign_in_once(forge.once("sec-fixed", "--create"))
        cookies = [cookie.value for cookie in victim.cookies.jar if cookie.name == "sessionid"]
        assert planted not in cookies[-1:]
        with Browser(forge.base_url) as attacker:
            attacker.cookies.set("sessionid", planted)
            assert attacker.get("/-/account").status_code == 302


def test_tokens_are_kept_or_logged(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With every line logged: no token, link, code or password in the log, in the database, or in any other file."""
    forge = Forge(tmp_path_factory.mktemp("secrets") / "data", MICELIO_ACCESS_LOG="on")
    password = "correct horse battery staple"
    try:
        secrets = {"link": forge.once_link.rpartition("/")[2], "token": forge.token("sam"), "password": password}
        with Browser(forge.base_url) as browser:
            browser.sign_in_once(forge.once_link)
            assert browser.set_password(password).status_code == 302
            secrets |= _device_tokens(forge, browser)
            browser.get(f"/-/device?code={secrets['token']}")
            browser.get(f"/-/sign-in?next=/x?token={secrets['token']}")
        world = World(forge)
        secrets["rita"] = forge.token("rita")
        world.land(world.rita, world.open, {b"new": b"x"}, base_position=1)
        personal = pb.CreateTokenRequest(name="script", scopes=["project:read"])
        secrets["personal"] = world.rita("AccountService.CreateToken", personal).value
        agent = pb.CreateSessionTokenRequest(project=world.open, session_id=session_id())
        secrets["agent"] = world.rita("AccountService.CreateSessionToken", agent).value
        for name in ("personal", "agent"):
            with Caller(forge.grpc_address, secrets[name]) as caller:
                assert caller(*ME).user.handle == "rita"
        world.close()
        with Caller(forge.grpc_address, secrets["token"] + "x") as wrong:
            assert wrong.refused(*ME).code == "unauthenticated"
    finally:
        forge.stop()
    secrets = {name: value for name, value in secrets.items() if isinstance(value, str) and len(value) > 12}
    assert {"link", "token", "password", "access_token", "refresh_token", "rita", "personal", "agent"} <= set(secrets)
    assert "GET /-/sign-in/once/... HTTP/1.1" in forge.log()
    written = [forge.log().encode()] + [path.read_bytes() for path in forge.data_dir.rglob("*") if path.is_file()]
    told = [name for name, value in secrets.items() if any(value.encode() in data for data in written)]
    assert told == []
