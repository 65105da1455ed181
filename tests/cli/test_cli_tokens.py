"""`mic auth token`: made once, used by somebody else, listed, renewed, revoked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from forge_process import Forge
from forked import MIC
from transcript import Shell


@pytest.fixture
def program(forge: Forge, tmp_path: Path) -> Shell:
    """A shell of a script or an agent: not signed in, its token comes in the environment."""
    return Shell(forge, tmp_path / "program")


def _as(program: Shell, value: str) -> Shell:
    program.environment["MICELIO_TOKEN"] = value
    return program


def test_a_token_for_a_script(shell: Shell, program: Shell, name: str) -> None:
    """Reads what it is for, writes nothing, and is over when it is revoked."""
    shell("project", "create", f"{name}/garden")
    shell("project", "create", f"{name}/other")
    done = shell.run("auth", "token", "create", "--name", "Nightly", "--scope", "project:read", "--project",
                     f"{name}/garden", "--days", "7")  # fmt: skip
    value = done.stdout.strip()
    assert done.returncode == 0, done.stderr
    assert shell.mask(done.stderr) == (f"This is shown once. Nightly: project:read; {name}/garden; good until WHEN.\n")
    assert _as(program, value)("auth", "status") == f"u{name} at FORGE\nThe token is from MICELIO_TOKEN.\n"
    assert f"{name}/garden" in program("project", "list")
    assert f"{name}/other" not in program("project", "list")
    assert program("project", "show", f"{name}/other").endswith("[4]\n")
    said = program.json("project", "create", f"{name}/third")["error"]
    assert (said["code"], said["message"]) == ("permission_denied", "The token in use lacks the scope project:write.")
    assert program("auth", "token", "list") == (
        "! mic: A token cannot change its account, nor make, list or revoke tokens.\n"
        "!      Sign in with `mic auth login`.\n[5]\n"
    )

    (listed,) = shell.json("auth", "token", "list")["tokens"]
    assert (listed["name"], listed["scopes"], listed["projects"]) == ("Nightly", ["project:read"], [f"{name}/garden"])
    assert listed["last_used_at"] is not None
    assert value not in shell("auth", "token", "list")
    assert shell("auth", "token", "revoke", listed["id"]) == "Revoked.\n"
    assert shell("auth", "token", "list") == "You have no token. `mic auth token create` makes one.\n"
    assert program("auth", "status") == (
        "! mic: The access token is not valid here.\n!      MICELIO_TOKEN is set; unset it or replace it.\n[5]\n"
    )


def test_quiet_shows_the_token_alone(shell: Shell, program: Shell, name: str) -> None:
    """It can never be seen again, so it is no word beside the result."""
    done = shell.run("auth", "token", "create", "--name", "Script", "--scope", "project:read", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert _as(program, done.stdout.strip())("auth", "status").startswith(f"u{name} at FORGE\n")
    assert done.stdout == f"{done.stdout.strip()}\n"


def test_a_token_that_was_not_shown_is_replaced(shell: Shell, program: Shell) -> None:
    """The command whose output was lost, given again, makes no second one; given once more, it does."""
    words = ("auth", "token", "create", "--name", "CI", "--scope", "project:read")
    with open("/dev/full", "wb") as full:
        command = [str(MIC), *words]
        lost = subprocess.run(command, cwd=shell.home, env=shell.environment, stdout=full, check=False)
    assert lost.returncode == 6
    (unseen,) = shell.json("auth", "token", "list")["tokens"]
    value = shell.run(*words).stdout.strip()
    (token,) = shell.json("auth", "token", "list")["tokens"]
    assert token["id"] == unseen["id"]
    assert "The token is from MICELIO_TOKEN" in _as(program, value)("auth", "status")
    assert shell.run(*words).returncode == 0
    assert len(shell.json("auth", "token", "list")["tokens"]) == 2
    assert "The token is from MICELIO_TOKEN" in program("auth", "status")


def test_a_token_in_use_is_not_replaced(shell: Shell, program: Shell) -> None:
    """Killed when it had been shown: what has the token goes on."""
    words = ("auth", "token", "create", "--name", "CI", "--scope", "project:read")
    folder = shell.home / ".config/mic"
    with open("/dev/full", "wb") as full:
        subprocess.run([str(MIC), *words], cwd=shell.home, env=shell.environment, stdout=full, check=False)
    (kept,) = folder.glob("making-*")
    raw = kept.read_bytes()
    value = shell.run(*words).stdout.strip()
    assert "The token is from MICELIO_TOKEN" in _as(program, value)("auth", "status")
    kept.write_bytes(raw)
    assert shell.run(*words).returncode == 0
    assert len(shell.json("auth", "token", "list")["tokens"]) == 2
    assert "The token is from MICELIO_TOKEN" in program("auth", "status")
    assert list(folder.glob("making-*")) == []


def test_an_agent_lands_the_session_it_was_given(shell: Shell, program: Shell, name: str) -> None:
    """Its maker's session, from a workspace of its maker's; then neither another session nor another project."""
    shell("project", "create", f"{name}/garden")
    shell("clone", f"{name}/garden", "one")
    shell.cd("one")
    assert shell("auth", "token", "create", "--for-session").startswith("! mic: No session is open here.\n")
    shell("session", "start", "Water at dawn")
    value = shell.run("auth", "token", "create", "--for-session", "--name", "gardener").stdout.strip()
    assert value.startswith("mic_agt_")
    (listed,) = shell.json("auth", "token", "list")["tokens"]
    assert shell("auth", "token", "renew", listed["id"]) == "gardener is good until WHEN.\n"
    shell.write("water.py", "AT = 5\n")
    _as(program, value).cwd = shell.cwd
    landed = program("land")
    assert "Landed" in landed, landed
    assert "Water at dawn" in program("log")
    refused = program("session", "start", "Something else")
    assert "The token in use is for one session, and not for this one." in refused
    assert program.json("project", "create", f"{name}/third")["error"]["code"] == "permission_denied"
    late = shell("auth", "token", "renew", listed["id"])
    assert "has landed already" in late


def test_what_makes_no_token(shell: Shell, name: str) -> None:
    """Each with its way out."""
    shell("project", "create", f"{name}/open", "--visibility", "public")
    shell("project", "create", f"{name}/shut")
    assert shell("auth", "token", "create").startswith("! mic: A token needs a name and a scope.\n")
    assert "'admin' is not a scope" in shell("auth", "token", "create", "--name", "x", "--scope", "admin")
    mixed = ("auth", "token", "create", "--name", "x", "--scope", "project:read,session:write",
             "--project", f"{name}/open", "--project", f"{name}/shut")  # fmt: skip
    assert shell(*mixed).startswith("! mic: This token would read private projects and write public ones.\n")
    assert shell.run(*mixed, "--mix-private-and-public").returncode == 0
    assert "'x' is not the id of a token" in shell("auth", "token", "revoke", "x")
    assert shell("auth", "token", "create", "--for-session", "--scope", "org:read").endswith("[2]\n")
