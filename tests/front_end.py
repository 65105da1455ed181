"""A front end in a process of its own, reduced to the ledger: it lands what it is told to, until somebody kills it.

Reads lines `number base` and lands session `number`, which writes a file of its own;
answers `number position`. Run as `python -m front_end STORE PROJECT [forwarding]`: then it serves the
others through gRPC, and prefers one of them.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path

import grpc

from ledgers import land
from mic.core.errors import Unavailable
from mic.ledger.ledger import Ledger
from mic.rpc.v1 import front_end_pb2_grpc
from mic.store import DirectoryStore
from micelio.edge.rpc.front_ends import FrontEndLandings, begin
from micelio.front_end_place import FrontEndPlace

THREADS = 8


def own_file(number: int) -> bytes:
    """The path that session `number` writes and nobody else."""
    return b"own/%d" % number


SECRET = "between front ends of a test, and of no use elsewhere"


def serve(ledger: Ledger) -> None:
    """Take forwarded landings on a port of its own, and forward. Never stops: this process is killed."""
    server = grpc.server(ThreadPoolExecutor(32))
    port = server.add_insecure_port("127.0.0.1:0")
    place = FrontEndPlace(f"127.0.0.1:{port}", SECRET, (ip_network("127.0.0.0/8"),))
    servicer = FrontEndLandings(place, lambda: ledger)
    front_end_pb2_grpc.add_FrontEndServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]
    server.start()
    begin(place, ledger, pause=0.05)


def main(store: str, name: str, forwarding: bool) -> None:
    ledger = Ledger(DirectoryStore(Path(store)))
    project = ledger.open(name)
    project.head()
    if forwarding:
        serve(ledger)
    speaking = threading.Lock()

    def one(number: int, base: int) -> None:
        try:
            position = land(project, number, base, {own_file(number): b"%d" % number}).position
        except Unavailable:
            position = 0  # not known: whoever asked asks again
        with speaking:
            print(number, position, flush=True)

    print("ready", flush=True)
    with ThreadPoolExecutor(THREADS) as threads:
        for line in sys.stdin:
            number, base = map(int, line.split())
            threads.submit(one, number, base)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "forwarding" in sys.argv[3:])
