"""The gRPC server: its own port, the same process, threads over the same synchronous actions.

Servicers wait on SQLite and the store; grpcio's thread pool serves them with less overhead than hopping
from an event loop to threads and back.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from mic.rpc.v1 import front_end_pb2_grpc, mic_pb2, mic_pb2_grpc
from micelio.config import Settings
from micelio.edge.rpc import front_ends
from micelio.edge.rpc.accounts import Auth, Organizations
from micelio.edge.rpc.malformed import Readable
from micelio.edge.rpc.projects import Projects
from micelio.edge.rpc.sessions import Sessions
from micelio.edge.rpc.tokens import Account
from micelio.edge.tls import Certificate
from micelio.projects.ledgers import ledger

# Streams and waits take at most 56 of them (guard.UPLOADS, DOWNLOADS and WAITS): short calls never wait for those.
# Another 96 are for landings that other front ends forward (front_ends.FORWARDED), which wait for their epoch.
THREADS = 168
MAX_MESSAGE = 64 << 20
GRACE = 2.0
# Calls that wait for a thread. gRPC begins to drop them at random from 1,000 on, in words that say nothing; with 4,000
# clients landing at one moment it dropped 806. One that waits holds a few kilobytes, and its client's deadline ends it.
MAX_WAITING = 100_000
# Connections take at most all descriptors but these, or half of them when there are few: what the store and the
# database open for whoever is connected must not fail because others are, too.
KEPT_DESCRIPTORS = 2_048
# A client that vanished without a word is noticed after these, in milliseconds, and its descriptor is free again.
PING_AFTER, PING_WAIT = 300_000, 20_000
_SERVICES = ("AuthService", "AccountService", "OrganizationService", "ProjectService", "SessionService")


def most_connections() -> int:
    """How many clients may be connected at once. Further connections are closed before their first call."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return MAX_WAITING
    return max(descriptors // 2, descriptors - KEPT_DESCRIPTORS)


async def start(settings: Settings, certificate: Certificate | None = None) -> Callable[[], Awaitable[None]]:
    """Listen on the settings' gRPC port; returns what stops it."""
    server = grpc.server(
        futures.ThreadPoolExecutor(THREADS, "rpc"),
        interceptors=[Readable()],
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_send_message_length", MAX_MESSAGE),
            ("grpc.max_metadata_size", 16 << 10),
            ("grpc.so_reuseport", 0),
            ("grpc.server.max_pending_requests", MAX_WAITING),
            ("grpc.server.max_pending_requests_hard_limit", MAX_WAITING),
            ("grpc.max_allowed_incoming_connections", most_connections()),
            ("grpc.keepalive_time_ms", PING_AFTER),
            ("grpc.keepalive_timeout_ms", PING_WAIT),
        ],
    )
    mic_pb2_grpc.add_AuthServiceServicer_to_server(Auth(), server)  # type: ignore[no-untyped-call]
    mic_pb2_grpc.add_AccountServiceServicer_to_server(Account(), server)  # type: ignore[no-untyped-call]
    mic_pb2_grpc.add_OrganizationServiceServicer_to_server(Organizations(), server)  # type: ignore[no-untyped-call]
    mic_pb2_grpc.add_ProjectServiceServicer_to_server(Projects(), server)  # type: ignore[no-untyped-call]
    mic_pb2_grpc.add_SessionServiceServicer_to_server(Sessions(), server)  # type: ignore[no-untyped-call]
    if settings.front_end is not None:
        servicer = front_ends.FrontEndLandings(settings.front_end, ledger)
        front_end_pb2_grpc.add_FrontEndServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]
    names = [mic_pb2.DESCRIPTOR.services_by_name[name].full_name for name in _SERVICES]
    checks = health.HealthServicer()
    for name in ["", *names]:
        checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    reflection.enable_server_reflection([*names, reflection.SERVICE_NAME, health.SERVICE_NAME], server)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    if certificate is None:
        server.add_insecure_port(f"{host}:{settings.grpc_port}")
    else:
        server.add_secure_port(f"{host}:{settings.grpc_port}", certificate.grpc_credentials())
    server.start()

    async def stop() -> None:
        # Whoever balances calls sends no more here while those that are under way come to their end.
        checks.enter_graceful_shutdown()
        await asyncio.to_thread(lambda: server.stop(GRACE).wait())

    return stop
