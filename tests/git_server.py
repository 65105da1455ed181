"""Git's door in this process on a free port, over repositories that a test made; and git as a client of it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

import uvicorn
from starlette.responses import PlainTextResponse

from mic.core.errors import NotFound
from mic.git.serving import GitRepositoryView
from micelio.accounts.actor import Actor
from micelio.edge.git import GitDoor


class GitServer:
    """Serves `repositories`, by `owner/project`, to everybody. What is no Git request is answered 404 by `behind`."""

    def __init__(self, repositories: Mapping[str, GitRepositoryView]) -> None:
        self.repositories = repositories
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        app = GitDoor(PlainTextResponse("behind", 404), self._open, self._open)
        config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none", http="httptools")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([self._socket])))
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, and wait for its threads."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _open(self, actor: Actor, owner: str, project: str) -> GitRepositoryView:
        found = self.repositories.get(f"{owner}/{project}")
        if found is None:
            raise NotFound(f"There is no project {owner}/{project}.")
        return found


class GitClient:
    """git with no configuration but what a test gives it, and nobody to ask for a password."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "A U Thor",
            "GIT_AUTHOR_EMAIL": "author@example.com",
            "GIT_COMMITTER_NAME": "A U Thor",
            "GIT_COMMITTER_EMAIL": "author@example.com",
            "LC_ALL": "C",
            **environment,
        }

    def run(self, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """git's output, errors and exit code."""
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, input=data, capture_output=True, env=self.environment, check=False
        )

    def __call__(self, *arguments: str, data: bytes = b"") -> str:
        """What git prints; it must succeed."""
        done = self.run(*arguments, data=data)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="surrogateescape").strip()

    def fails(self, *arguments: str) -> str:
        """What git says on standard error; it must fail."""
        done = self.run(*arguments)
        assert done.returncode != 0, done.stdout
        return done.stderr.decode(errors="replace")
