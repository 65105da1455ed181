"""Pages of lists that are at hand whole, and what a forge that ends says of its health."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mic.core.errors import InvalidInput
from mic.rpc.v1 import mic_pb2 as pb
from micelio import config
from micelio.edge.rpc import server
from micelio.edge.rpc.guard import page_of


def test_pages_of_a_short_list() -> None:
    """Each thing is on one page; without a size all of it is on one; a token that was made up is refused."""
    found = [f"n{number}" for number in range(5)]

    def page(size: int, token: str = "") -> tuple[list[str], str]:
        some, more = page_of(found, pb.ListTokensRequest(page_size=size, page_token=token), str)
        return list(some), more

    assert page(0) == (found, "")
    assert page(2) == (["n0", "n1"], "n1")
    assert page(2, "n1") == (["n2", "n3"], "n3")
    assert page(2, "n3") == (["n4"], "")
    assert page(5) == (found, "")
    with pytest.raises(InvalidInput, match="page token"):
        page(2, "else")


def test_a_forge_that_ends_says_so() -> None:
    """SERVING, for the server and each service, until it begins to end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    async def story() -> list[int]:
        stop = await server.start(replace(config.current(), host="127.0.0.1", grpc_port=port))
        said = []

        def watch() -> None:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
                said.append(stub.Check(health_pb2.HealthCheckRequest(service="mic.v1.ProjectService")).status)
                for answer in stub.Watch(health_pb2.HealthCheckRequest()):
                    said.append(answer.status)
                    if answer.status != health_pb2.HealthCheckResponse.SERVING:
                        return
                    loop.call_soon_threadsafe(watching.set)

        loop, watching = asyncio.get_running_loop(), asyncio.Event()
        watcher = asyncio.create_task(asyncio.to_thread(watch))
        await watching.wait()
        await stop()
        await watcher
        return said

    serving, ended = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    assert asyncio.run(story()) == [serving, serving, ended]
