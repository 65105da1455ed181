"""`micelio admin purge` beside a running forge, and what is left of a content for whoever reads, clones or lands it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx

from forge_process import Forge
from transcript import Shell

LETTER = "Dear Ada,\nthis is nobody's business.\n"
HASH = hashlib.sha256(LETTER.encode()).hexdigest()


def admin(forge: Forge, *arguments: str) -> str:
    """What `micelio admin` said."""
    done = forge.command("admin", *arguments)
    return done.stdout + done.stderr


def _land(shell: Shell, goal: str) -> str:
    return shell("land", goal)


def test_a_content_is_erased_and_says_so_everywhere(shell: Shell, name: str, tmp_path: Path) -> None:
    forge = shell.forge
    shell("project", "create", f"{name}/box", "--visibility", "public")
    shell("clone", f"{name}/box")
    shell.cd("box")
    shell.write("letter.txt", LETTER)
    shell.write("other.txt", "stays\n")
    assert "Landed @1" in _land(shell, "Put both in")
    shell.write("other.txt", "stays, changed\n")
    assert "Landed @2" in _land(shell, "Change the other")
    found = admin(forge, "purge", f"{name}/box", "--path", "letter.txt@1")
    assert f"named by {name}/box @1 letter.txt" in found
    assert "nothing was changed" in found
    assert "needs a reason" in admin(forge, "purge", f"{name}/box", "--path", "letter.txt@1", "--do")
    done = admin(forge, "purge", f"{name}/box", "--path", "letter.txt@1", "--reason", "ticket 7", "--do")
    assert f"{HASH}\t{name}/box\tsecret\terased\tasked by" in done
    assert "was erased" in admin(forge, "purge", f"{name}/box", "--content", HASH)
    assert "never had" in admin(forge, "purge", f"{name}/box", "--content", "0" * 64)
    # Somebody whose machine has none of it.
    other = Shell(forge, tmp_path / "other", f"x{name}")
    cloned = other("clone", f"{name}/box")
    assert f"Cloned {name}/box @3" in cloned
    assert "erased: letter.txt (the file says who did it, and when)" in cloned
    text = (other.home / "box/letter.txt").read_text()
    assert text.startswith("This content was erased (a leaked secret) by ")
    assert text.endswith(f" and the SHA-256 {HASH}.\n")
    assert (other.home / "box/other.txt").read_text() == "stays, changed\n"
    other.cd("box")
    assert "letter.txt" not in other("status")
    assert other("cat", "letter.txt") == other.mask(text)
    assert "Erase a content: a leaked secret" in other("log")
    (other.home / "box/letter.txt").touch()
    assert "letter.txt" not in other("status")
    # Pages, raw, REST.
    raw = httpx.get(f"{forge.base_url}/{name}/box/-/raw/@3/letter.txt", follow_redirects=True)
    assert (raw.status_code, raw.text) == (410, text)
    page = httpx.get(f"{forge.base_url}/{name}/box/-/file/@3/letter.txt", follow_redirects=True)
    assert (page.status_code, "was erased" in page.text) == (200, True)
    # It does not come back.
    shell.write("again.txt", LETTER)
    assert "was erased" in _land(shell, "Bring it back")
    verified = forge.command("verify", f"{name}/box")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert admin(forge, "purges").count(HASH) == 1
