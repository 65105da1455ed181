"""A small proxy before several servers: each new connection goes to the next one that takes it."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Sequence


class RoundRobin:
    """Listens on a free port of 127.0.0.1. Has `url`; `given` counts the connections that each server got."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._turns = itertools.cycle(ports)
        self.given = dict.fromkeys(ports, 0)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections; open ones end with whoever uses them."""
        # Closing alone would leave the thread in `accept`.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._next()
            if server is None:
                client.close()
                continue
            for source, to in ((client, server), (server, client)):
                threading.Thread(target=_pour, args=(source, to), daemon=True).start()

    def _next(self) -> socket.socket | None:
        for _ in self.given:
            port = next(self._turns)
            with contextlib.suppress(ConnectionRefusedError):
                server = socket.create_connection(("127.0.0.1", port))
                self.given[port] += 1
                return server
        return None


def _pour(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    with contextlib.suppress(OSError):
        to.shutdown(socket.SHUT_WR)
    if source.fileno() > to.fileno():
        # The later of the two sockets: the answer is over, and with it the exchange.
        source.close()
        to.close()
