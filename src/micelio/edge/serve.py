"""`micelio serve`: the whole forge in one process, from the first check to the last connection."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
import uvloop

from mic.core.errors import MicError
from mic.store.refused import RefusedStore
from micelio import config
from micelio.cluster.presence import Presence
from micelio.cluster.server import examine
from micelio.config import Settings
from micelio.databases import let_go
from micelio.edge import instance
from micelio.edge.tls import Certificate, certificate_of
from micelio.sentences import for_people, one_line

if TYPE_CHECKING:
    from micelio.accounts.models import User

# Where `mic` looks when it is told nothing (`mic.cli.forge.credentials`).
DEFAULT_INSTANCE = "http://localhost:4000"

# Seconds that open requests get to end after Ctrl-C.
GRACE = 3


class PortTaken(MicError):
    """A port that cannot be listened on. The message names it and its setting."""

    code = "port_in_use"


# Descriptors to have: a connection takes one, and the usual soft limit of 1,024 is for programs that call select().
_DESCRIPTORS = 65_536


def serve(settings: Settings, first_project: Path | None) -> int:
    """Run until a signal; returns the exit code. Raises MicError when it cannot start, having made nothing."""
    # Before the ports: who starts a second forge by mistake wants to know that it runs, not which ports it holds.
    instance.check_free(settings)
    certificate = certificate_of(settings)
    web, probe = _listen(settings.host, {"PORT": settings.port, "GRPC_PORT": settings.grpc_port})
    # gRPC binds by itself and would share the port with another process in silence; that was looked at here.
    with probe:
        grpc_port = probe.getsockname()[1]
    port = web.getsockname()[1]
    base_url = config.with_port(settings.base_url, settings.port, port)
    settings = replace(settings, port=port, grpc_port=grpc_port, base_url=base_url)
    with web, instance.prepare(settings), _present(settings) as presence:
        config.install(settings)
        _raise_limit()
        try:
            lines = _prepare(settings, presence, first_project)
        except Exception as error:
            if _is_full(error):
                raise instance.full(settings.data_dir) from error
            raise
        return _run(settings, web, lines, certificate)


def _raise_limit() -> None:
    """As many descriptors as this process may have without asking anybody."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextlib.contextmanager
def _present(settings: Settings) -> Iterator[Presence | None]:
    """This forge among those of its database; None over SQLite, which has one."""
    if settings.postgres is None:
        yield None
        return
    examine(settings.postgres)
    presence = Presence(settings.postgres)
    try:
        yield presence
    finally:
        presence.close()


def _prepare(settings: Settings, presence: Presence | None, first_project: Path | None) -> list[str]:
    """Schema, first administrator, first project. Returns the lines to print once the server answers."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "micelio.django_settings"
    django.setup()
    from micelio.accounts import actions, queries
    from micelio.accounts.policy import OPERATOR
    from micelio.cluster import keys
    from micelio.edge import schema
    from micelio.edge.shared_store import check_store
    from micelio.texts.blog import blog

    _open_store(settings)
    with presence.starting() if presence is not None else contextlib.nullcontext():
        schema.ensure()
        if presence is not None:
            keys.agree(settings, alone=presence.alone)
            check_store(settings)
        actions.ensure_client()
        admin = actions.ensure_administrator(OPERATOR)
        if first_project is not None:
            _import_first(first_project, admin)
    if presence is not None:
        presence.watch()
    lines = [f"Micelio is ready at {settings.base_url}/", f"mic talks to it at {settings.grpc_address} (gRPC)."]
    if settings.base_url != DEFAULT_INSTANCE:
        lines.append(f"Sign in from a terminal: mic auth login --instance {settings.base_url}")
    if not queries.administrator_has_password():
        token = actions.make_sign_in_link(OPERATOR, admin)
        lines.append(f"Sign in as {admin.handle}, once, within 24 hours: {settings.base_url}/-/sign-in/once/{token}")
    let_go()
    if settings.postgres is not None:
        lines.append(f"People and permissions are in the database {settings.postgres.address}")
    if settings.s3 is not None:
        lines.append(f"Projects are in the bucket {settings.s3.address}")
    lines += blog().skipped
    return [*lines, f"Data is in {settings.data_dir}.", "Press Ctrl-C to stop."]


def _open_store(settings: Settings) -> None:
    """Before anything is written. A store that is not safe to land on is told, and read."""
    from micelio.projects.ledgers import ledger
    from micelio.projects.stores import good_report

    if settings.s3 is not None and good_report(settings) is None:
        print("Examining the bucket, which takes some seconds ...", file=sys.stderr, flush=True)
    store = ledger().driver.store
    if isinstance(store, RefusedStore):
        print(f"{store.reason} Projects can be read; nothing lands.", file=sys.stderr, flush=True)


def _is_full(error: Exception) -> bool:
    """Was it SQLite that found no room?"""
    cause = error.__cause__
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL


def _import_first(path: Path, admin: User) -> None:
    """Bring a checkout's history in while the forge holds no landing. A failure is told and does not stop the start.

    One project without a landing is what an import leaves that was interrupted; it is taken up again.
    """
    from micelio.accounts.actor import actor_of
    from micelio.edge.first_project import import_checkout
    from micelio.projects import registry
    from micelio.projects.ledgers import open_ledger
    from micelio.projects.queries import all_project_ids, project_name

    known = all_project_ids()
    if len(known) > 1:
        return
    if not known and next(registry.entries(), None) is not None:
        print("The store holds projects that the database does not know; run `micelio rebuild`.", file=sys.stderr)
        return
    try:
        if any(open_ledger(project).head().position for project in known):
            return
        import_checkout(path, actor_of(admin, "command"))
    except MicError as error:
        told = one_line(for_people(error, project_name))
        print(f"The first project was not imported: {told}", file=sys.stderr)


def _run(settings: Settings, web: socket.socket, lines: list[str], certificate: Certificate | None) -> int:
    from micelio.edge.app import build

    server = _Server(
        uvicorn.Config(
            build(certificate),
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=settings.access_log,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE,
            ssl_context_factory=(lambda *_: certificate.context()) if certificate is not None else None,
        ),
        lines,
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve(sockets=[web]))
    except SystemExit:
        # uvicorn has logged which part did not start.
        return 1
    return 0


class _Server(uvicorn.Server):
    """uvicorn, told when to speak and how to end."""

    def __init__(self, settings: uvicorn.Config, lines: list[str]) -> None:
        super().__init__(settings)
        self._lines = lines

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # What is loaded stays, and is not looked through again; how seldom the rest is: `micelio.__main__`.
            gc.freeze()
            print("\n".join(self._lines), flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Both signals end the server in order and with exit code 0; uvicorn would raise them again at the end."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self._stop)
        try:
            yield
        finally:
            # The handlers stay until the process ends: `make` and the terminal may send the same Ctrl-C twice.
            for name in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(name)
                signal.signal(name, signal.SIG_IGN)

    def _stop(self) -> None:
        self.should_exit = True


def _listen(host: str, ports: dict[str, int]) -> list[socket.socket]:
    """A listener for each setting and its port. Raises PortTaken, which names all that cannot be used."""
    listeners: list[socket.socket] = []
    refused: list[str] = []
    for setting, port in ports.items():
        try:
            listeners.append(_listen_at(host, port))
        except OSError as error:
            refused.append(f"Port {port} ({setting}) on {host} cannot be used: {error.strerror or error}.")
    if refused:
        for listener in listeners:
            listener.close()
        hint = f"Stop what uses {'it' if len(refused) == 1 else 'them'}, or set PORT and GRPC_PORT to two free ports."
        raise PortTaken(" ".join(refused), hint=hint)
    return listeners


def _listen_at(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortTaken(f"MICELIO_HOST is {host}, which is no address of this machine.", hint="Correct it.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
        listener.set_inheritable(False)
    except OSError:
        listener.close()
        raise
    return listener
