"""Signing in through a browser, and what is kept of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from browser import Browser
from forge_process import Forge
from forked import MIC
from transcript import Shell


@pytest.fixture
def nobody(forge: Forge, tmp_path: Path) -> Shell:
    """A shell without any sign-in."""
    return Shell(forge, tmp_path / "home")


def _login(shell: Shell, browser: Browser, action: str) -> subprocess.Popen[str]:
    """`mic auth login`, with its code answered in the browser."""
    running = subprocess.Popen(
        [str(MIC), "auth", "login", "--json"],
        cwd=shell.cwd,
        env=shell.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    address = running.stderr.readline().removeprefix("Open ").strip()
    code = running.stderr.readline().removeprefix("and compare the code: ").strip()
    page = address.removeprefix(shell.forge.base_url)
    assert code in browser.get(page).text
    browser.submit(page, action=action)
    return running


def test_the_start_says_how_to_sign_in(forge: Forge) -> None:
    """A forge that is not where `mic` looks by itself says what to add."""
    assert f"Sign in from a terminal: mic auth login --instance {forge.base_url}" in forge.said.splitlines()


def test_several_forges(nobody: Shell, forge: Forge, name: str) -> None:
    """Commands go where one signed in last, until one says otherwise; signing out says where they go then."""
    token = forge.token(f"u{name}")
    other = forge.base_url.replace("localhost", "127.0.0.1")
    del nobody.environment["MICELIO_INSTANCE"]
    for instance in (forge.base_url, other):
        nobody("auth", "login", "--token-stdin", "--instance", instance, stdin=token + "\n")
    assert nobody("auth", "status") == f"u{name} at {other}\nAlso signed in: u{name} at FORGE\n"
    said = nobody.json("auth", "status")
    assert (said["instance"], said["others"]) == (other, [{"instance": forge.base_url, "handle": f"u{name}"}])

    assert nobody("auth", "switch", forge.base_url) == f"Commands go to FORGE now, as u{name}.\n"
    assert nobody("auth", "status").startswith(f"u{name} at FORGE\n")
    assert nobody("auth", "status", "--instance", other) == f"u{name} at {other}\n"
    assert nobody("auth", "switch", "https://forge.example") == (
        "! mic: You are not signed in at https://forge.example.\n"
        "!      Sign in with `mic auth login --instance https://forge.example`.\n[5]\n"
    )
    assert nobody("auth", "status").startswith(f"u{name} at FORGE\n")

    nobody.environment["MICELIO_INSTANCE"] = forge.base_url
    assert nobody("auth", "switch", other) == (
        f"Commands go to {other} now, as u{name}.\n! Not in this shell: MICELIO_INSTANCE is FORGE.\n"
    )
    del nobody.environment["MICELIO_INSTANCE"]
    assert nobody("auth", "logout") == f"Signed out at {other}.\nCommands go to FORGE now, as u{name}.\n"
    assert nobody("auth", "logout") == "Signed out at FORGE.\n"


def test_sign_in_renew_and_sign_out(nobody: Shell, browser: Browser, forge: Forge, name: str) -> None:
    """The device grant; a token about to expire is renewed by itself; signing out revokes it."""
    browser.sign_in_once(forge.once(f"u{name}", "--create"))
    running = _login(nobody, browser, "confirm")
    said, errors = running.communicate(timeout=60)
    assert running.returncode == 0, errors
    assert json.loads(said)["user"]["handle"] == f"u{name}"
    assert nobody("auth", "status") == f"u{name} at FORGE\n"

    path = nobody.home / ".config/mic/credentials.json"
    kept = json.loads(path.read_text())
    first = dict(kept["instances"][forge.base_url])
    assert first["access_token"] not in said + errors
    kept["instances"][forge.base_url]["expires_at"] = 1
    path.write_text(json.dumps(kept))
    assert nobody("auth", "status") == f"u{name} at FORGE\n"
    renewed = json.loads(path.read_text())["instances"][forge.base_url]
    assert renewed["access_token"] != first["access_token"]
    assert renewed["expires_at"] > first["expires_at"] - 60

    assert nobody("auth", "logout") == "Signed out at FORGE.\n"
    nobody.environment["MICELIO_TOKEN"] = renewed["access_token"]
    assert nobody("auth", "status").endswith("[5]\n")


def test_many_commands_share_a_sign_in(nobody: Shell, browser: Browser, forge: Forge, name: str) -> None:
    """Several at once with a token about to end, then one whose clock hides the end: each renewal happens once."""
    browser.sign_in_once(forge.once(f"u{name}", "--create"))
    said, errors = _login(nobody, browser, "confirm").communicate(timeout=60)
    assert json.loads(said)["user"]["handle"] == f"u{name}", errors
    _change(nobody, expires_at=1)
    running = [
        subprocess.Popen(
            [str(MIC), "auth", "status"], cwd=nobody.cwd, env=nobody.environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    said_by_all = {process.communicate(timeout=60)[0] for process in running}
    assert said_by_all == {f"u{name} at {forge.base_url}\n"}
    assert _spent(forge, f"u{name}") == 1

    access = _change(nobody, expires_at=1 << 40)["access_token"]
    digest = hashlib.sha256(access.encode()).hexdigest()
    with forge.database.opened() as rows:
        past = "UPDATE allauth_idp_oidc_token SET expires_at = '2020-01-01 00:00:00' WHERE hash = ?"
        assert rows.change(past, (digest,)) == 1
    assert nobody("auth", "status") == f"u{name} at FORGE\n"
    assert _spent(forge, f"u{name}") == 2

    # A refresh token that is good no more.
    _change(nobody, refresh_token="never", expires_at=1)
    assert nobody("auth", "status") == (
        "! mic: The sign-in at FORGE has expired or was ended.\n!      Sign in with `mic auth login`.\n[5]\n"
    )


def _change(shell: Shell, **fields: object) -> dict[str, str]:
    """Change what is kept of the one sign-in; what it is then."""
    path = shell.home / ".config/mic/credentials.json"
    kept = json.loads(path.read_text())
    credential: dict[str, str] = kept["instances"][shell.forge.base_url]
    credential.update(fields)  # type: ignore[arg-type]
    path.write_text(json.dumps(kept))
    return credential


def _spent(forge: Forge, handle: str) -> int:
    """How many refresh tokens of an account were exchanged."""
    with forge.database.opened() as rows:
        of = "user_id = (SELECT id FROM accounts_user WHERE handle = ?)"
        query = f"SELECT count(*) FROM accounts_familytoken WHERE spent_at IS NOT NULL AND {of}"
        return int(rows.execute(query, (handle,))[0][0])


def test_refused_in_the_browser(nobody: Shell, browser: Browser, forge: Forge, name: str) -> None:
    browser.sign_in_once(forge.once(f"u{name}", "--create"))
    running = _login(nobody, browser, "deny")
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 5
    assert json.loads(said)["error"]["code"] == "permission_denied"
    assert not (nobody.home / ".config/mic/credentials.json").exists()


def test_signed_out(nobody: Shell) -> None:
    said = "! mic: You are not signed in at FORGE.\n!      Sign in with `mic auth login`.\n[5]\n"
    assert nobody("auth", "status") == said
    assert nobody("auth", "logout") == said
    assert nobody.run("auth", "login", "--token-stdin").returncode == 2


def test_a_token_from_the_environment_is_not_written_down(nobody: Shell, forge: Forge, name: str) -> None:
    nobody.environment["MICELIO_TOKEN"] = forge.token(f"u{name}")
    assert nobody("auth", "status") == f"u{name} at FORGE\nThe token is from MICELIO_TOKEN.\n"
    assert nobody("org", "create", name) == f"Made the organization {name}.\n"
    assert nobody("org", "list") == f"{name}  owner\n"
    assert not (nobody.home / ".config/mic/credentials.json").exists()
