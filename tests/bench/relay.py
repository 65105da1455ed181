"""A relay between `mic` and a forge that counts what the client sends, to the last byte of the protocol."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from forge_process import Forge


class Relay:
    """Stands in for a forge: clients of `instance` find it here, and their gRPC traffic passes through.

    `sent` and `received` are the numbers of bytes that clients sent and got so far.
    """

    def __init__(self, forge: Forge) -> None:
        self.sent = self.received = 0
        self._target = forge.grpc_address.rpartition(":")
        self._door = socket.create_server(("localhost", 0))
        address = f"localhost:{self._door.getsockname()[1]}"

        class Discovery(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the name that the base class asks for
                with urllib.request.urlopen(forge.base_url + self.path) as answer:
                    said = json.load(answer)
                body = json.dumps(said | {"grpc": address}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._web = ThreadingHTTPServer(("localhost", 0), Discovery)
        self.instance = f"http://localhost:{self._web.server_address[1]}"
        threading.Thread(target=self._web.serve_forever, daemon=True).start()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._web.shutdown()
        self._web.server_close()
        self._door.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            forge = socket.create_connection((self._target[0], int(self._target[2])))
            threading.Thread(target=self._pass, args=(client, forge, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(forge, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, count: bool) -> None:
        try:
            while data := source.recv(1 << 18):
                sink.sendall(data)
                if count:
                    self.sent += len(data)
                else:
                    self.received += len(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            sink.close()
