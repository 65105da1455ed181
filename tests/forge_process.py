"""A real forge in a process of its own, for tests that come through a door."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

from forge_database import Database, new_database

READY = "Press Ctrl-C to stop."
# Commands one after the other in one process: a process for each takes a second. One JSON document a line, both ways.
_COMMANDS = """
import contextlib, gc, io, json, sys
gc.set_threshold(50_000, 20, 20)  # as `python -m micelio`
from micelio.command import main
asked, told = sys.stdin, sys.stdout
for line in asked:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(json.loads(line))
    from django.db import connections
    connections.close_all()
    print(json.dumps([code, out.getvalue(), err.getvalue()]), file=told, flush=True)
"""


class Forge:
    """A running `micelio serve` on free ports. Has base_url, grpc_address, data_dir, once_link (or ""), said, database.

    Its rows are in SQLite, or in a new database of the run's PostgreSQL where there is one; `database` says otherwise.
    `settings` count at the next start.
    """

    # Soft and hard limit of open files, None for what this process has.
    descriptors: tuple[int, int] | None = None

    def __init__(self, data_dir: Path, *arguments: str, database: Database | None = None, **settings: str) -> None:
        self.database = database or new_database(data_dir)
        self._arguments = arguments
        self.data_dir = data_dir
        self.base_url = ""
        self.grpc_address = ""
        self.once_link = ""
        self.said = ""
        self.settings = settings
        self._ports = {"PORT": "0", "GRPC_PORT": "0"}
        self._tokens: dict[str, str] = {}
        self._log = data_dir.with_name(data_dir.name + ".log")
        self._commands: subprocess.Popen[str] | None = None
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
            self.process = subprocess.Popen(
                [sys.executable, "-m", "micelio", "serve", *self._arguments],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self.data_dir.parent,
                preexec_fn=self._limit if self.descriptors else None,
            )
        assert self.process.stdout is not None
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
        assert self.process.stdout is not None
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

    def run(self, *arguments: str) -> str:
        """The standard output of a `micelio` command for this data directory."""
        done = subprocess.run(
            [sys.executable, "-m", "micelio", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.data_dir.parent,
        )
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
            self._commands = subprocess.Popen(
                [sys.executable, "-c", _COMMANDS],
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=self.data_dir.parent,
            )
        assert self._commands.stdin is not None
        assert self._commands.stdout is not None
        print(json.dumps(arguments), file=self._commands.stdin, flush=True)
        code, said, errors = json.loads(self._commands.stdout.readline())
        assert code == 0, errors
        return str(said).strip()

    def _end_commands(self) -> None:
        if self._commands is not None:
            try:
                self._commands.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                self._commands.kill()
                raise
            finally:
                self._commands = None

    def log(self) -> str:
        """All that the server wrote to its standard error."""
        return self._log.read_text(encoding="utf-8", errors="replace")
