"""A real S3 server in a process of its own, for tests."""

from __future__ import annotations

import itertools
import subprocess
import sys
import urllib.request
from pathlib import Path

from mic.store.s3_place import S3Place

# The server checks and writes without a lock, so that two writers can win when it serves two at once: one thread.
_SERVE = """
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
print(server.port, flush=True)
server.serve_forever()
"""
ACCESS_KEY = "access-key-of-tests"
SECRET_KEY = "secret-key-of-tests"


class S3Server:
    """moto on a free port, without a bucket. Has `endpoint`."""

    def __init__(self, log: Path) -> None:
        with open(log, "wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", _SERVE], stdout=subprocess.PIPE, stderr=file, text=True
            )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        assert port.isdigit(), log.read_text()
        self.endpoint = f"http://127.0.0.1:{port}"
        self._numbers = itertools.count(1)

    def new_place(self, prefix: str = "") -> S3Place:
        """An empty bucket that takes one pair of keys."""
        bucket = f"bucket-{next(self._numbers)}"
        # Unsigned: the server does not check who asks.
        request = urllib.request.Request(f"{self.endpoint}/{bucket}", data=b"", method="PUT")
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200
        return S3Place(
            bucket,
            "us-east-1",
            self.endpoint,
            prefix=prefix,
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
        )

    def stop(self) -> None:
        """End the process; its objects are gone."""
        self._process.kill()
        self._process.wait(timeout=60)
        assert self._process.stdout is not None
        self._process.stdout.close()
