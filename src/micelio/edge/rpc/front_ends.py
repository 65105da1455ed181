"""Front ends among themselves: taking forwarded landings, forwarding, and the thread that keeps the beacon.

Whatever goes wrong here costs time only: whoever forwards lands by itself when there is no good answer.
"""

from __future__ import annotations

import ipaddress
import logging
import secrets
import threading
from collections.abc import Callable
from urllib.parse import unquote

import grpc

from mic.core.beacon import host_of
from mic.core.errors import Busy, InvalidInput, MicError, PermissionDenied, Unavailable
from mic.ledger.effects import Forward
from mic.ledger.forwarded import decode_landings, decode_outcomes, encode_landings, encode_outcomes
from mic.ledger.front_ends import PAUSE, FrontEnds
from mic.ledger.land import Outcome
from mic.ledger.ledger import Ledger
from mic.rpc.status import from_rpc_error, to_status
from mic.rpc.v1 import front_end_pb2 as pb
from mic.rpc.v1 import front_end_pb2_grpc
from micelio.config import Settings
from micelio.edge.rpc.seal import Seal
from micelio.front_end_place import FrontEndPlace

_log = logging.getLogger("micelio.front_ends")

# Forwarded landings at once. Each holds a thread until its epoch is in, and short calls need some too.
FORWARDED = threading.BoundedSemaphore(96)
# Seconds for an answer. A landing takes a few round trips to the bucket; after this one's own are faster.
PATIENCE = 5.0
_MAX_BYTES = 64 << 20
# A message travels percent-encoded in the trailing metadata, of which clients take 8 KiB.
_MAX_MESSAGE = 500


def caller_host(peer: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address in gRPC's name of a caller, as `ipv4:10.0.0.1:5000` or `ipv6:%5Bfd00::1%5D:5000`."""
    host = host_of(unquote(peer.partition(":")[2]))
    mapped = getattr(host, "ipv4_mapped", None)
    return mapped or host


class FrontEndLandings(front_end_pb2_grpc.FrontEndServiceServicer):
    """Lands for others that know the secret and call from a network of front ends."""

    def __init__(self, place: FrontEndPlace, of: Callable[[], Ledger]) -> None:
        self._place, self._seal, self._ledger = place, Seal(place.secret), of

    def Land(self, request: pb.Sealed, context: grpc.ServicerContext) -> pb.Sealed:
        try:
            if not self._place.allows(caller_host(context.peer())):
                raise PermissionDenied("landings are taken from front ends only")
            came = decode_landings(self._seal.open_request(request))
            if came.receiver != self._place.address:
                raise InvalidInput("these landings are for another front end")
            if not FORWARDED.acquire(blocking=False):
                raise Busy("as many landings of other front ends as there is room for")
            try:
                outcomes = self._ledger().open(came.project).land_forwarded(came.requests)
            finally:
                FORWARDED.release()
            return self._seal.answer(request, encode_outcomes(outcomes))
        except MicError as error:
            code, message, trailing = to_status(error)
            context.set_trailing_metadata(trailing)
            context.abort(code, message[:_MAX_MESSAGE])
            raise AssertionError from error  # abort raises


class Caller:
    """Calls other front ends, each over a channel that is kept."""

    def __init__(self, place: FrontEndPlace) -> None:
        self._place, self._seal = place, Seal(place.secret)
        self._lock = threading.Lock()
        self._channels: dict[str, grpc.Channel] = {}

    def __call__(self, wanted: Forward) -> list[Outcome]:
        """What another front end says; Unavailable for everything that is no answer."""
        if not self._place.allows(host_of(wanted.address)):
            raise Unavailable(f"{wanted.address} is in no network of front ends")
        asked = self._seal.ask(encode_landings(wanted.project, wanted.address, wanted.requests))
        stub = front_end_pb2_grpc.FrontEndServiceStub(self._channel(wanted.address))  # type: ignore[no-untyped-call]
        try:
            said: pb.Sealed = stub.Land(asked, timeout=PATIENCE)
            return decode_outcomes(self._seal.open_answer(asked, said))
        except grpc.RpcError as error:
            problem = from_rpc_error(error)
            _log.warning("front end %s took no landing: %s: %s", wanted.address, problem.code, problem.message)
            raise Unavailable(f"front end {wanted.address} gave no answer") from error
        except MicError as error:
            _log.warning("front end %s gave no good answer: %s", wanted.address, error.message)
            raise Unavailable(f"front end {wanted.address} gave no good answer") from error

    def _channel(self, address: str) -> grpc.Channel:
        with self._lock:
            channel = self._channels.get(address)
            if channel is None:
                options = [
                    ("grpc.max_send_message_length", _MAX_BYTES),
                    ("grpc.max_receive_message_length", _MAX_BYTES),
                ]
                # Beacons come and go with every start; nobody has that many at once.
                while len(self._channels) >= 64:
                    self._channels.pop(next(iter(self._channels))).close()
                channel = self._channels[address] = grpc.insecure_channel(address, options)
            return channel

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            for channel in self._channels.values():
                channel.close()
            self._channels.clear()


def start(settings: Settings) -> Callable[[], None]:
    """Make this front end known and look for the others, if the settings ask for it; returns what stops it."""
    if settings.front_end is None:
        return lambda: None
    from micelio.projects.ledgers import ledger

    return begin(settings.front_end, ledger())


def begin(place: FrontEndPlace, data: Ledger, pause: float = PAUSE) -> Callable[[], None]:
    """The thread that beats, and the driver told whom to ask; returns what stops it and takes the beacon away."""
    front_ends, call = FrontEnds(secrets.token_bytes(16), place.address), Caller(place)
    stopped = threading.Event()
    data.driver.call, data.driver.front_ends = call, front_ends

    def beat() -> None:
        while True:
            try:
                data.driver.run(front_ends.beat())
            except MicError as error:
                _log.warning("the other front ends could not be looked for: %s", error.message)
            except Exception:  # the thread lives as long as the forge
                _log.exception("looking for the other front ends failed")
            if stopped.wait(pause):
                return

    thread = threading.Thread(target=beat, name="front-ends", daemon=True)
    thread.start()

    def stop() -> None:
        stopped.set()
        thread.join()
        data.driver.front_ends = None
        try:
            data.driver.run(front_ends.leave())
        except MicError as error:
            _log.warning("the beacon stays behind: %s", error.message)
        call.close()

    return stop
