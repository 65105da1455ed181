"""git with the sign-in of mic: set up, used, renewed, and taken out again."""

from __future__ import annotations

import subprocess

import pytest

from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller
from transcript import Shell


@pytest.fixture
def private(shell: Shell, forge: Forge, name: str) -> str:
    """The address of a private project."""
    assert "garden" in shell("project", "create", f"{name}/garden", "--visibility", "private")
    return f"{forge.base_url}/{name}/garden.git"


def _git(shell: Shell, *arguments: str, data: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments],
        cwd=shell.cwd,
        env=shell.environment | {"GIT_TERMINAL_PROMPT": "0"},
        input=data,
        capture_output=True,
        text=True,
        check=False,
    )


def test_git_uses_the_sign_in(shell: Shell, forge: Forge, private: str, name: str) -> None:
    """Clone, push and fetch without a question; the token is in no file but mic's own."""
    assert "could not read Username" in _git(shell, "clone", private).stderr
    assert shell("auth", "setup-git") == "git asks mic for the token of FORGE.\n"
    assert shell("auth", "setup-git") == "git asks mic for the token of FORGE.\n"
    assert _git(shell, "clone", "-q", private, "garden").returncode == 0
    shell.cd("garden")
    assert _git(shell, "commit", "-q", "--allow-empty", "-m", "one").returncode == 0
    pushed = _git(shell, "push", "-q", "origin", "HEAD:main")
    assert pushed.returncode == 0, pushed.stderr
    assert _git(shell, "ls-remote", "origin", "main").stdout.endswith("refs/heads/main\n")
    token = forge.token(f"u{name}")
    holding = [path.name for path in shell.home.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    assert holding == ["credentials.json"]
    assert token not in (shell.home / ".gitconfig").read_text()

    shell.cd(".")
    assert shell("auth", "setup-git", "--undo") == "git no longer asks mic for the token of FORGE.\n"
    assert "credential" not in _git(shell, "config", "--global", "--list").stdout
    assert "could not read Username" in _git(shell, "clone", private, "again").stderr


def test_git_asks_with_an_agents_token(shell: Shell, forge: Forge, private: str, name: str) -> None:
    """MICELIO_TOKEN comes before what is stored, here as everywhere."""
    shell("auth", "setup-git")
    with Caller(forge.grpc_address, forge.token(f"u{name}")) as caller:
        request = pb.CreateTokenRequest(name="git", scopes=["project:read"], projects=[f"{name}/garden"], days=1)
        made = caller("AccountService.CreateToken", request)
    shell.environment["MICELIO_TOKEN"] = made.value
    said = _git(shell, "ls-remote", private)
    assert "403" in said.stderr  # the commits hold sessions, which this token may not read


def test_what_git_is_told(shell: Shell, forge: Forge, name: str) -> None:
    """Only the forge that one is signed in at gets a token, and only by its own scheme, host and port."""
    scheme, _, host = forge.base_url.partition("://")
    token = forge.token(f"u{name}")
    asked = f"protocol={scheme}\nhost={host}\n\n"
    assert shell("auth", "git-credential", "get", stdin=asked) == f"username=u{name}\npassword={token}\n"
    named = f"protocol={scheme}\nhost={host}\nusername=me\n\n"
    assert shell("auth", "git-credential", "get", stdin=named) == f"username=me\npassword={token}\n"
    for other in (
        f"protocol=https\nhost={host}\n\n",
        f"protocol={scheme}\nhost=evil.example\n\n",
        f"protocol={scheme}\nhost={host}.evil.example\n\n",
        f"protocol={scheme}\nhost=evil.example/{host}\n\n",
        f"protocol=ssh\nhost={host}\n\n",
        "\n",
        "",
        "protocol\nhost\n\n",
    ):
        assert shell("auth", "git-credential", "get", stdin=other) == ""
    assert shell("auth", "git-credential", "store", stdin=f"{asked[:-1]}password=x\n\n") == ""
    assert shell("auth", "git-credential", "erase", stdin=f"{asked[:-1]}password=x\n\n") == ""
    assert shell("auth", "status") == f"u{name} at FORGE\n"


def test_set_up_before_the_sign_in(forge: Forge, shell: Shell) -> None:
    """It can be done in any order, and says what is missing."""
    shell("auth", "logout")
    said = shell("auth", "setup-git")
    assert said == (
        "git asks mic for the token of FORGE.\n! You are not signed in there yet. Sign in with `mic auth login`.\n"
    )
    found = shell.json("auth", "setup-git")
    assert found["instance"] == forge.base_url
    assert found["key"] == f"credential.{forge.base_url}.helper"
    assert found["helper"].endswith("mic auth git-credential")


def test_without_git(shell: Shell) -> None:
    """A sentence, no traceback."""
    shell.environment["PATH"] = "/nonexistent"
    assert "git is not installed here" in shell("auth", "setup-git")
