"""Questions that a command asks through the daemon's connection, against a real server that answers anything."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from mic.cli.forge import told
from mic.cli.forge.told import passed_on_by_daemon, surroundings
from mic.cli.program.daemon_answers import Connections
from mic.core.errors import NotFound
from mic.daemon import door, peer
from mic.rpc import passed_on
from mic.rpc.client import Client
from mic.rpc.discovery import Forge
from mic.rpc.v1 import mic_pb2 as pb

REQUEST = pb.BlameFileRequest(path=b"a\x00b", first_line=7)


class Door(grpc.GenericRpcHandler):
    """Remembers what it was asked: the call's name, its bytes, and the token. Answers with a position."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes, str]] = []
        self.moved = self.missing = False

    def service(self, details: Any) -> Any:
        name = details.method.rpartition("/")[2]
        token = dict(details.invocation_metadata).get("authorization", "")

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            self.asked.append((name, request, token))
            if self.moved:
                context.set_trailing_metadata((("mic-project-moved-bin", b"a b c d"),))
            if self.missing:
                context.set_trailing_metadata((("mic-error-code", "not_found"),))
                context.abort(grpc.StatusCode.NOT_FOUND, "There is no such file.")
            return pb.BlameFileResponse(position=len(self.asked)).SerializeToString()

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def forge() -> Iterator[tuple[Forge, Door]]:
    """It listens at the address that the first says."""
    asked = Door()
    server = grpc.server(ThreadPoolExecutor(4), handlers=(asked,))
    port = server.add_insecure_port("localhost:0")
    server.start()
    yield Forge("http://localhost", f"localhost:{port}", False, "d", "t", "r", "c", "s"), asked
    server.stop(None).wait()


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes | None]]:
    """The daemon's part, in this process: what it said to each question."""
    connections, said = Connections(), list[bytes | None]()
    until = time.monotonic() + 20
    while not connections._loaded():
        assert time.monotonic() < until

    def ask(verb: bytes, *fields: bytes, patience: float) -> tuple[bytes, bytes]:
        # As they arrive over the socket.
        said.append(connections.call(b"\x00".join((verb, *fields)).split(b"\x00")))
        return (door.NOTHING, b"") if said[-1] is None else (door.FINISHED, said[-1])

    monkeypatch.setattr(told.door, "ask", ask)
    yield said
    connections.close()


def _client(forge: Forge) -> Client:
    return Client(forge.grpc, "secret", insecure=True, pass_on=passed_on_by_daemon(forge))


def test_a_question_needs_no_connection_of_its_own(forge: tuple[Forge, Door], daemon: list[bytes | None]) -> None:
    there, door_of_forge = forge
    with _client(there) as client:
        assert client.call(client.sessions.BlameFile, REQUEST).position == 1
        assert client._channel._made is None  # type: ignore[attr-defined]
    assert door_of_forge.asked == [("BlameFile", REQUEST.SerializeToString(), "Bearer secret")]
    assert daemon == [pb.BlameFileResponse(position=1).SerializeToString()]


def test_what_changes_something_is_never_passed_on(forge: tuple[Forge, Door], daemon: list[bytes | None]) -> None:
    there, door_of_forge = forge
    with _client(there) as client:
        for method in (client.sessions.StartSession, client.projects.DeleteProject, client.sessions.AwaitLanding):
            client.call(method, pb.GetSessionRequest())
    assert [name for name, _, _ in door_of_forge.asked] == ["StartSession", "DeleteProject", "AwaitLanding"]
    assert daemon == []


def test_what_is_to_be_said_beside_an_answer_the_command_hears(
    forge: tuple[Forge, Door], daemon: list[bytes | None]
) -> None:
    there, door_of_forge = forge
    moves: list[object] = []
    with _client(there) as client:
        client.on_move = moves.append
        door_of_forge.moved = True
        client.call(client.sessions.BlameFile, REQUEST)
        assert moves == [("a", "b", "c", "d")]
    door_of_forge.missing = True
    with _client(there) as client, pytest.raises(NotFound, match="There is no such file"):
        client.call(client.sessions.BlameFile, REQUEST)
    assert daemon == [None, None]


def test_whoever_had_to_connect_asks_over_that_connection(
    forge: tuple[Forge, Door], daemon: list[bytes | None]
) -> None:
    """Each question that the forge refuses or tells more about would be asked twice, and counted twice."""
    there, door_of_forge = forge
    door_of_forge.moved = True
    with _client(there) as client:
        for _ in range(3):
            client.call(client.sessions.BlameFile, REQUEST)
    assert daemon == [None]
    assert len(door_of_forge.asked) == 4


def test_both_ways_together_take_the_time_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forge that does not answer in time is not waited for twice; the second way has some seconds in any case."""
    now = [100.0]
    given: list[float] = []

    class Own:
        def unary_unary(self, *_: Any, **__: Any) -> Own:
            return self

        def with_call(self, request: Any, timeout: float, metadata: Any) -> tuple[Any, Any]:
            given.append(timeout)
            return request, None

    def passed(method: str, request: bytes, seconds: float, metadata: Any) -> None:
        now[0] += 40.0

    monkeypatch.setattr(passed_on, "monotonic", lambda: now[0])
    for seconds in (60.0, 42.0, 2.0):
        channel = passed_on.PassedOn(passed, Own)  # type: ignore[arg-type]
        channel.unary_unary("/x/GetIt", request_serializer=bytes).with_call(b"", timeout=seconds, metadata=())
    assert given == [20.0, 5.0, 2.0]


@pytest.mark.parametrize(
    "name",
    [
        "grpc_proxy",
        "no_grpc_proxy",
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
        "GRPC_NOT_USE_SYSTEM_SSL_ROOTS",
        "SSL_CERT_DIR",
    ],
)
def test_what_grpc_and_python_read_themselves_decides_as_well(name: str) -> None:
    """Other authorities, and proxies for gRPC alone, have names of their own."""
    assert surroundings({name.encode(): b"/x"}) != surroundings({})


def test_without_an_answer_that_can_be_read_it_asks_itself(
    forge: tuple[Forge, Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    there, door_of_forge = forge
    for answer in (None, (door.FINISHED, b"\xff\xff\xff"), (door.OTHER, b"")):
        monkeypatch.setattr(told.door, "ask", lambda *_, answer=answer, **__: answer)
        with _client(there) as client:
            assert client.call(client.sessions.BlameFile, REQUEST).position == len(door_of_forge.asked)
    assert len(door_of_forge.asked) == 3


def test_a_forge_that_is_started_anew_is_asked_at_once(forge: tuple[Forge, Door], daemon: list[bytes | None]) -> None:
    """gRPC itself would wait for longer and longer before it tries a connection again."""
    there, door_of_forge = forge
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    passed = passed_on_by_daemon(there._replace(grpc=f"localhost:{port}"))
    for _ in range(3):
        assert passed("/x/GetIt", b"", 5.0, ()) is None
    server = grpc.server(ThreadPoolExecutor(1), handlers=(door_of_forge,))
    assert server.add_insecure_port(f"localhost:{port}") == port
    server.start()
    assert passed("/x/GetIt", b"", 5.0, ()) is not None
    server.stop(None).wait()


def test_it_asks_for_nobody_who_goes_another_way(
    forge: tuple[Forge, Door], daemon: list[bytes | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    there, door_of_forge = forge
    mine = surroundings(os.environb)
    monkeypatch.setattr(told, "surroundings", lambda _: [*mine[:-1], b"elsewhere"])
    with _client(there) as client:
        assert client.call(client.sessions.BlameFile, REQUEST).position == 1
    assert daemon == [None]
    assert len(door_of_forge.asked) == 1


def test_too_large_a_question_goes_its_own_way(forge: tuple[Forge, Door], daemon: list[bytes | None]) -> None:
    there, _ = forge
    with _client(there) as client:
        assert client.missing(pb.ProjectRef(), [bytes(32)]) == set()
        client.call(client.sessions.BlameFile, pb.BlameFileRequest(path=bytes(1 << 19)))
    assert len(daemon) == 1


def test_who_may_have_something_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stands elsewhere than the daemon, as in a sandbox without a network, gets nothing through it."""
    with peer.held(os.getppid()) as lives, peer.held(0) as never:
        assert peer.is_like_this(os.getppid(), lives)
        assert not peer.is_like_this(0, never)
        kept = peer._status
        monkeypatch.setattr(
            peer, "_status", lambda process: kept(process) | ({} if process == "self" else {"NoNewPrivs": "1"})
        )
        assert not peer.is_like_this(os.getppid(), lives)


def test_a_process_that_has_ended_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number may be another one's by now, who may do more."""
    held_open, end = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(end)
        os.read(held_open, 1)
        os._exit(0)
    monkeypatch.setattr(peer, "_require_like_this", lambda process: {})
    with peer.held(process) as lives:
        assert peer.is_like_this(process, lives)
        os.close(end)
        os.waitpid(process, 0)
        assert not peer.is_like_this(process, lives)
    with peer.held(process) as lives:
        assert not peer.is_like_this(process, lives)
    os.close(held_open)
