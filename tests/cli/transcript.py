"""A person at a terminal: runs the real `mic` in directories of their own and shows what it said."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import forked
from forge_process import Forge

_CLEAN = ("MICELIO_", "MIC_", "GIT_", "XDG_")


class Shell:
    """`shell("mic status")` gives output, errors and the exit code as one transcript, with times and ids masked."""

    def __init__(self, forge: Forge, home: Path, handle: str = "") -> None:
        self.forge, self.home, self.cwd = forge, home, home
        home.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_CLEAN)}
        self.environment = kept | {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "MICELIO_INSTANCE": forge.base_url,
            "TZ": "UTC",
            # Nothing that a test starts outlives it.
            "MIC_DAEMON": "off",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": "2024-05-06T07:08:09+00:00",
            "GIT_COMMITTER_DATE": "2024-05-06T07:08:09+00:00",
        }
        for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
            self.environment[name] = "Ada"
        for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
            self.environment[name] = "ada@example.org"
        if handle:
            self.sign_in(handle)

    def sign_in(self, handle: str) -> None:
        """Sign in as an account, made when there is none: what `mic auth login` leaves, where it left nothing yet."""
        kept = self.home / ".config/mic/credentials.json"
        if kept.exists():
            done = self.run("auth", "login", "--token-stdin", stdin=self.forge.token(handle) + "\n")
            assert done.returncode == 0, done.stderr
            return
        kept.parent.mkdir(0o700, parents=True)
        there = {"access_token": self.forge.token(handle), "handle": handle}
        text = json.dumps({"default": self.forge.base_url, "instances": {self.forge.base_url: there}}, indent=2)
        kept.write_text(text + "\n", encoding="utf-8")
        kept.chmod(0o600)

    def cd(self, where: str | Path) -> Path:
        """Go to a directory, relative to home."""
        self.cwd = self.home / where
        return self.cwd

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """`mic` with these arguments, here."""
        return forked.run(arguments, self.cwd, self.environment, stdin)

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """The transcript: standard output, then lines of standard error behind `! `, then `[code]` unless it is 0."""
        done = self.run(*arguments, stdin=stdin)
        said = done.stdout + "".join(f"! {line}\n" for line in done.stderr.splitlines())
        return self.mask(said) + (f"[{done.returncode}]\n" if done.returncode else "")

    def json(self, *arguments: str) -> dict[str, Any]:
        """The one JSON document that a command printed."""
        done = self.run(*arguments, "--json")
        lines = done.stdout.splitlines()
        assert len(lines) == 1, done.stdout + done.stderr
        found = json.loads(lines[0])
        assert isinstance(found, dict)
        assert ("error" in found) == bool(done.returncode)
        return found

    def mask(self, text: str) -> str:
        """Without what differs from run to run."""
        text = text.replace(str(self.home), "HOME").replace(self.forge.base_url, "FORGE")
        text = re.sub(r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "SESSION", text)
        return re.sub(r"\b20\d\d-\d\d-\d\d \d\d:\d\d\b", "WHEN", text)

    def write(self, path: str, text: str) -> None:
        """Put a file here."""
        target = self.cwd / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def read(self, path: str) -> str:
        """A file here."""
        return (self.cwd / path).read_text(encoding="utf-8")

    def git(self, *arguments: str) -> str:
        """The real git, here."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.cwd, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def make_garden(shell: Shell, name: str = "garden-git") -> Path:
    """A small Git repository with three commits, a symlink and an executable file."""
    folder = shell.home / name
    folder.mkdir()
    shell.cd(name)
    shell.git("init", "-q", "-b", "main")
    shell.write("README.md", "# Garden\n\nRoses.\n")
    shell.write("src/water.py", "AT = 12\n")
    shell.git("add", "-A")
    shell.git("commit", "-qm", "Plant")
    os.symlink("README.md", folder / "link")
    shell.write("run.sh", "#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    shell.git("add", "-A")
    shell.git("commit", "-qm", "Link and run")
    shell.write("README.md", "# Garden\n\nRoses.\n\nMore roses.\n")
    shell.git("commit", "-qam", "Grow\n\nThey grow.")
    shell.cd(".")
    return folder
