"""A real forge in a process of its own, for tests that come through a door."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import forked_forge
from forge_database import Database, new_database

READY = "Press Ctrl-C to stop."


class Forge:
    """A running `micelio serve` on free ports. Has base_url, grpc_address, data_dir, once_link (or ""), said, database.

    Its rows are in SQLite, or in a new database of the run's PostgreSQL where there is one; `database` says otherwise.
    `settings` count at the next start. `whole`: started by its command, for tests that are about that.
    """

    # Soft and hard limit of open files, None for what this process has.
    descriptors: tuple[int, int] | None = None

    def __init__(
        self, data_dir: Path, *arguments: str, database: Database | None = None, whole: bool = False, **settings: str
    ) -> None:
        self.database = database or new_database(data_dir)
        self._arguments = arguments
        self._whole = whole
        self.data_dir = data_dir
        self.base_url = ""
        self.grpc_address = ""
        self.once_link = ""
        self.said = ""
        self.settings = settings
        self._ports = {"PORT": "0", "GRPC_PORT": "0"}
        self._tokens: dict[str, str] = {}
        self._log = data_dir.with_name(data_dir.name + ".log")
        self._commands: Any = None
        self._one_command = threading.Lock()
        self.start()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of `micelio` commands for this forge."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MICELIO_")}
        # Tests ask nobody outside; who tests that names a server of the test's own.
        # Tests that share a forge send bad tokens by the hundred; those that are about limits set their own.
        own = {
            "MICELIO_DATA_DIR": str(self.data_dir),
            "MICELIO_PASSWORD_BREACHES": "off",
            "MICELIO_LIMITS": "sign-in=off",
        } | self.database.settings
        return clean | own | self._ports | self.settings

    def start(self) -> None:
        """Start the server and wait until it says that it is ready."""
        with open(self._log, "ab") as log:
            self.process = forked_forge.start(
                ["serve", *self._arguments],
                self.data_dir.parent,
                self.environment,
                log,
                whole=self._whole,
                first=self._limit if self.descriptors else None,
            )
        self.process.stdin.close()
        said = ""
        for line in self.process.stdout:
            said += line
            if line.strip() == READY:
                break
        else:
            self.process.wait()
            raise AssertionError(f"The forge did not start:\n{said}\n{self.log()}")
        self.said = said
        self.base_url = re.findall(r"ready at (\S+)/$", said, re.M)[0]
        self.grpc_address = re.findall(r"at (\S+) \(gRPC\)", said)[0]
        self.once_link = "".join(re.findall(r"\S+/-/sign-in/once/\S+", said))
        self._ports = {"PORT": self.base_url.rpartition(":")[2], "GRPC_PORT": self.grpc_address.rpartition(":")[2]}

    def _limit(self) -> None:
        assert self.descriptors is not None
        resource.setrlimit(resource.RLIMIT_NOFILE, self.descriptors)

    def stop(self, with_signal: int = signal.SIGINT) -> int:
        """Stop the server like Ctrl-C. Returns its exit code."""
        self._end_commands()
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        return code

    def end(self) -> None:
        """Stop the server for good, and let go of its database."""
        self.stop()
        self.database.drop()

    def restart(self) -> None:
        """Stop and start again, on the same ports and data."""
        self.stop()
        self.start()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A `micelio` command for this data directory, whatever comes of it."""
        return forked_forge.run(arguments, self.data_dir.parent, self.environment)

    def run(self, *arguments: str) -> str:
        """The standard output of a `micelio` command that must succeed."""
        done = self.command(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def token(self, handle: str) -> str:
        """An access token of the account `handle`, which is made when there is none. Kept for later calls."""
        if handle not in self._tokens:
            self._tokens[handle] = self._command("token", handle, "--create", "--whole-account")
        return self._tokens[handle]

    def once(self, handle: str, *options: str) -> str:
        """A link that signs an account in, once; `options` as `micelio link` has them."""
        return self._command("link", handle, *options)

    def _command(self, *arguments: str) -> str:
        """As `run`, in the process for commands: for what tests need and are not about."""
        with self._one_command:
            return self._say(arguments)

    def _say(self, arguments: tuple[str, ...]) -> str:
        if self._commands is None:
            self._commands = forked_forge.start([forked_forge.COMMANDS], self.data_dir.parent, self.environment)
        print(json.dumps(arguments), file=self._commands.stdin, flush=True)
        code, said, errors = json.loads(self._commands.stdout.readline())
        assert code == 0, errors
        return str(said).strip()

    def _end_commands(self) -> None:
        if self._commands is not None:
            try:
                self._commands.stdin.close()
                self._commands.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._commands.kill()
                raise
            finally:
                self._commands.stdout.close()
                self._commands = None

    def log(self) -> str:
        """All that the server wrote to its standard error."""
        return self._log.read_text(encoding="utf-8", errors="replace")
