"""The gRPC server: its own port, the same process, threads over the same synchronous actions.

Servicers wait on SQLite and the store; grpcio's thread pool serves them with less overhead than hopping
from an event loop to threads and back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from mic.rpc.v1 import mic_pb2, mic_pb2_grpc
from micelio.config import Settings
from micelio.edge.rpc.accounts import Auth, Organizations
from micelio.edge.rpc.projects import Projects
from micelio.edge.rpc.sessions import Sessions

# Streams take at most 48 of them (guard.UPLOADS and DOWNLOADS), so that short calls never wait for slow readers.
THREADS = 64
MAX_MESSAGE = 64 << 20
GRACE = 2.0
_SERVICES = ("AuthService", "OrganizationService", "ProjectService", "SessionService")


async def start(settings: Settings) -> Callable[[], Awaitable[None]]:
    """Listen on the settings' gRPC port; returns what stops it."""
    server = grpc.server(
        futures.ThreadPoolExecutor(THREADS, "rpc"),
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_send_message_length", MAX_MESSAGE),
            ("grpc.max_metadata_size", 16 << 10),
            ("grpc.so_reuseport", 0),
        ],
    )
    mic_pb2_grpc.add_AuthServiceServicer_to_server(Auth(), server)  # type: ignore[no-untyped-call]
    mic_pb2_grpc.add_OrganizationServiceServicer_to_server(Organizations(), server)  # type: ignore[no-untyped-call]
    mic_pb2_grpc.add_ProjectServiceServicer_to_server(Projects(), server)  # type: ignore[no-untyped-call]
    mic_pb2_grpc.add_SessionServiceServicer_to_server(Sessions(), server)  # type: ignore[no-untyped-call]
    names = [mic_pb2.DESCRIPTOR.services_by_name[name].full_name for name in _SERVICES]
    checks = health.HealthServicer()
    for name in ["", *names]:
        checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    reflection.enable_server_reflection([*names, reflection.SERVICE_NAME, health.SERVICE_NAME], server)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    server.add_insecure_port(f"{host}:{settings.grpc_port}")
    server.start()

    async def stop() -> None:
        await asyncio.to_thread(lambda: server.stop(GRACE).wait())

    return stop
