"""A small S3 server that answers as told, for faults that a real one does not show on demand."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from mic.store.s3_place import S3Place


class Step(NamedTuple):
    """What happens to one request: nothing special, or an answer of ours before or after it was carried out.

    `status` 0 closes the connection without an answer; `cut` sends half of a body; `twice` carries the request out
    again, unseen, and gives the second answer, as a proxy does that repeats what it got no answer to.
    """

    status: int = 200
    code: str = ""
    applied: bool = False
    cut: bool = False
    twice: bool = False
    body: str = ""


PLAIN = Step()


class _Answer(NamedTuple):
    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class ScriptedS3:
    """Serves one bucket. `script` holds the steps of the coming requests, then `dice` is asked; `asked` is what came.

    Without `quotes` it wants If-Match unquoted, as old Ceph does; without `conditions` it ignores them, as s3rver does;
    without `updates` it knows conditional creates and no conditional updates.
    """

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.script: deque[Step] = deque()
        self.dice: Callable[[], Step] = lambda: PLAIN
        self.asked: list[str] = []
        self.quotes = True
        self.conditions = True
        self.updates = True
        self.lock = threading.Lock()
        # While it is clear, requests are taken and get no answer.
        self.answers = threading.Event()
        self.answers.set()
        self._stopped = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else an answer of two writes waits 40 ms for an acknowledgement

            def _serve(self) -> None:
                outer._serve(self)

            do_GET = do_PUT = do_DELETE = _serve

            def log_message(self, format: str, *args: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Clients that went away are part of what is tried here."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        port = self._server.server_address[1]
        self.place = S3Place(
            "bucket",
            "us-east-1",
            f"http://127.0.0.1:{port}",
            access_key_id="AKIA-TEST-KEY",
            secret_access_key="very-secret",
            session_token="token-secret",
        )

    def stop(self) -> None:
        """Close the port; who got no answer gets none, and connections that are kept lead nowhere."""
        self._stopped = True
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        key = unquote(url.path.removeprefix("/bucket").removeprefix("/"))
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        if self._stopped:
            request.close_connection = True
            return
        with self.lock:
            self.asked.append(f"{request.command} {key}".rstrip())
            step = self.script.popleft() if self.script else self.dice()
            plain = step.status == 200
            if plain or step.applied:
                answer = self._apply(request, key, url.query, body)
                if step.twice:
                    answer = self._apply(request, key, url.query, body)
            if not plain:
                answer = _Answer(step.status, (step.body or _error(step.code)).encode())
        if step.status == 0 or not self.answers.is_set():
            self.answers.wait()
            request.close_connection = True
            return
        request.send_response(answer.status)
        for name, value in answer.headers:
            request.send_header(name, value)
        request.send_header("Last-Modified", "Sat, 01 Jan 2022 00:00:00 GMT")
        request.send_header("Content-Length", str(len(answer.body)))
        request.end_headers()
        if step.cut:
            request.wfile.write(answer.body[: len(answer.body) // 2])
            request.close_connection = True
        else:
            request.wfile.write(answer.body)

    def _apply(self, request: BaseHTTPRequestHandler, key: str, query: str, body: bytes) -> _Answer:
        if not key:
            return self._list(parse_qs(query))
        there = self.objects.get(key)
        tag = hashlib.md5(there[0]).hexdigest() if there else ""
        if request.command == "PUT":
            wanted = request.headers.get("If-Match") if self.conditions else None
            if wanted is not None and not self.updates:
                return _Answer(501, _error("NotImplemented").encode())
            if request.headers.get("If-None-Match") == "*" and there and self.conditions:
                return _Answer(412, _error("PreconditionFailed").encode())
            if wanted is not None and not there:
                return _Answer(404, _error("NoSuchKey").encode())
            if wanted is not None and wanted != (f'"{tag}"' if self.quotes else tag):
                return _Answer(412, _error("PreconditionFailed").encode())
            self.objects[key] = (body, request.headers.get("x-amz-meta-mic-write") or "")
            return _Answer(200, b"", (("ETag", f'"{hashlib.md5(body).hexdigest()}"'),))
        if request.command == "DELETE":
            wanted = request.headers.get("If-Match") if self.conditions else None
            if wanted is not None and wanted != (f'"{tag}"' if self.quotes else tag):
                return _Answer(412, _error("PreconditionFailed").encode())
            self.objects.pop(key, None)
            return _Answer(204)
        if there is None:
            return _Answer(404, _error("NoSuchKey").encode())
        if wanted := request.headers.get("Range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            part = there[0][int(first) : int(last) + 1]
            if not part:
                return _Answer(416, _error("InvalidRange").encode())
            where = f"bytes {first}-{int(first) + len(part) - 1}/{len(there[0])}"
            return _Answer(206, part, (("Content-Range", where), ("ETag", f'"{tag}"')))
        stamp = (("x-amz-meta-mic-write", there[1]),) if there[1] else ()
        return _Answer(200, there[0], (("ETag", f'"{tag}"'), *stamp))

    def _list(self, query: dict[str, list[str]]) -> _Answer:
        """Pages of three keys, so that a list takes several."""
        prefix = query.get("prefix", [""])[0]
        after = query.get("continuation-token", query.get("start-after", [""]))[0]
        keys = [key for key in sorted(self.objects) if key.startswith(prefix) and key > after]
        items = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2022-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>x</ETag><Size>{len(self.objects[key][0])}</Size></Contents>"
            for key in keys[:3]
        )
        more = f"<NextContinuationToken>{keys[2]}</NextContinuationToken>" if len(keys) > 3 else ""
        truncated = "true" if more else "false"
        text = f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{more}{items}</ListBucketResult>"
        return _Answer(200, text.encode(), (("Content-Type", "application/xml"),))


def _error(code: str) -> str:
    return f"<Error><Code>{code}</Code><AWSAccessKeyId>AKIA-TEST-KEY</AWSAccessKeyId></Error>" if code else ""
