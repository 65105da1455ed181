"""The service between front ends through real gRPC: who may call, and what a bad message gets."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network

import grpc
import pytest

from ledgers import REGULAR, check_history, contents, land, request
from mic.core.errors import Conflicted, Unauthenticated, Unavailable
from mic.ledger.effects import Forward
from mic.ledger.forwarded import encode_landings
from mic.ledger.land import Landed
from mic.ledger.ledger import Ledger
from mic.rpc.v1 import front_end_pb2 as pb
from mic.rpc.v1 import front_end_pb2_grpc
from mic.store import MemoryStore
from micelio.edge.rpc.front_ends import Caller, FrontEndLandings, begin, caller_host
from micelio.edge.rpc.seal import WINDOW_MS, Seal
from micelio.front_end_place import FrontEndPlace

SECRET = "s" * 32
HERE = (ip_network("127.0.0.0/8"),)


class Front:
    """A ledger behind the service on a port of its own."""

    def __init__(self, store: MemoryStore, secret: str = SECRET, networks: tuple[object, ...] = HERE) -> None:
        self.ledger = Ledger(store)
        self.server = grpc.server(ThreadPoolExecutor(8))
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.place = FrontEndPlace(f"127.0.0.1:{port}", secret, networks)  # type: ignore[arg-type]
        servicer = FrontEndLandings(self.place, lambda: self.ledger)
        front_end_pb2_grpc.add_FrontEndServiceServicer_to_server(servicer, self.server)  # type: ignore[no-untyped-call]
        self.server.start()


@pytest.fixture
def front() -> Iterator[Front]:
    """One with project `p`."""
    found = Front(MemoryStore())
    found.ledger.open("p").create()
    yield found
    found.server.stop(0).wait()


def _wish(front: Front, number: int, data: bytes = b"one") -> Forward:
    wish = request(front.ledger.open("p"), number, 0, {b"a": data})
    return Forward(front.place.address, "p", (wish,))


def test_a_landing_and_a_clash_go_there_and_back(front: Front) -> None:
    call = Caller(front.place)
    (landed,) = call(_wish(front, 1))
    assert isinstance(landed, Landed)
    assert (landed.position, landed.already) == (1, False)
    (again,) = call(_wish(front, 1))
    assert isinstance(again, Landed)
    assert (again.position, again.already) == (1, True)
    (clash,) = call(_wish(front, 2, b"two"))
    assert isinstance(clash, Conflicted)
    assert [found.path for found in clash.details["clashes"]] == [b"a"]
    call.close()


def test_another_secret_another_network_and_nobody_there(front: Front) -> None:
    wish = _wish(front, 1)
    for place in (
        FrontEndPlace(front.place.address, "t" * 32, HERE),
        FrontEndPlace(front.place.address, SECRET, (ip_network("10.0.0.0/8"),)),
    ):
        with pytest.raises(Unavailable):
            Caller(place)(wish)
    with pytest.raises(Unavailable):
        Caller(front.place)(wish._replace(address="127.0.0.1:1"))
    assert front.ledger.open("p").head().position == 0


def test_callers_from_elsewhere_are_refused() -> None:
    front = Front(MemoryStore(), networks=(ip_network("10.0.0.0/8"),))
    front.ledger.open("p").create()
    asked = Seal(SECRET).ask(encode_landings("p", front.place.address, _wish(front, 1).requests))
    with pytest.raises(grpc.RpcError) as caught:
        _raw(front, asked)
    assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
    front.server.stop(0).wait()


def _raw(front: Front, message: pb.Sealed) -> pb.Sealed:
    with grpc.insecure_channel(front.place.address) as channel:
        stub = front_end_pb2_grpc.FrontEndServiceStub(channel)  # type: ignore[no-untyped-call]
        return stub.Land(message, timeout=10)  # type: ignore[no-any-return]


def test_a_request_counts_once_and_only_where_it_was_sent_to(front: Front) -> None:
    seal, wish = Seal(SECRET), _wish(front, 1)
    asked = seal.ask(encode_landings("p", front.place.address, wish.requests))
    _raw(front, asked)
    changed = pb.Sealed(body=asked.body + b"x", at_ms=asked.at_ms, nonce=asked.nonce, mac=asked.mac)
    elsewhere = seal.ask(encode_landings("p", "127.0.0.1:1", wish.requests))
    nonsense = seal.ask(b"\x00")
    codes = []
    for message in (asked, changed, elsewhere, nonsense, pb.Sealed()):
        with pytest.raises(grpc.RpcError) as caught:
            _raw(front, message)
        codes.append(caught.value.code())
    assert codes == [
        grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAUTHENTICATED,
    ]  # fmt: skip


def test_old_requests_and_answers_to_others_are_refused() -> None:
    now = [1_000_000]
    seal = Seal(SECRET, lambda: now[0])
    old, other = seal.ask(b"old"), seal.ask(b"other")
    assert seal.open_answer(old, seal.answer(old, b"said")) == b"said"
    for asked, said in (
        (other, seal.answer(old, b"x")),
        (old, seal.ask(b"x")),
        (old, Seal("t" * 32).answer(old, b"x")),
    ):
        with pytest.raises(Unauthenticated):
            seal.open_answer(asked, said)
    now[0] += WINDOW_MS + 1
    with pytest.raises(Unauthenticated, match="too long ago"):
        seal.open_request(old)


def test_callers_are_known_by_their_number() -> None:
    said = [caller_host(peer) for peer in ("ipv4:10.0.0.1:5000", "ipv6:%5Bfd00::1%5D:5000", "unix:/tmp/x", "")]
    assert [str(host) for host in said] == ["10.0.0.1", "fd00::1", "None", "None"]
    assert str(caller_host("ipv6:%5B::ffff:10.0.0.1%5D:50")) in ("10.0.0.1", "None")


def test_two_front_ends_find_each_other_and_part() -> None:
    """Beats, beacons and calls as in production: one lands for both; when it is gone, the other does."""
    store = MemoryStore()
    fronts = [Front(store), Front(store)]
    stops = [begin(front.place, front.ledger, pause=0.01) for front in fronts]
    seen = [front.ledger.driver.front_ends for front in fronts]
    while not all(ends is not None and ends.live for ends in seen):
        pass
    name = next(n for n in map(str, range(99)) if seen[0] is not None and seen[0].preferred(n) is not None)
    here, other = (front.ledger.open(name) for front in fronts)
    here.create()
    assert land(here, 1, 0, {b"a": b"one"}).position == 1
    assert other.line.own is not None
    assert here.line.own is None
    stops[1]()
    fronts[1].server.stop(0).wait()
    assert land(here, 2, 1, {b"b": b"two"}).position == 2
    assert here.line.own is not None
    check_history(here)
    assert contents(here) == {b"a": (REGULAR, b"one"), b"b": (REGULAR, b"two")}
    stops[0]()
    fronts[0].server.stop(0).wait()
    assert not list(store.list("front-ends/"))
