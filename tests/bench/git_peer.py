"""The peer of the Git benchmarks: `git http-backend` behind the thinnest server, which splices what it sends.

Also what a process has used: processor time, and the most memory since it was asked last.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_TICK = os.sysconf("SC_CLK_TCK")


class HttpBackend:
    """Serves the bare repositories below `root`. `cpu` are the seconds that git's own processes took, `peak` bytes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cpu = 0.0
        self.peak = 0
        program = Path(subprocess.check_output(["git", "--exec-path"], text=True).strip()) / "git-http-backend"
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                peer._answer(self, str(program))

            def do_POST(self) -> None:
                peer._answer(self, str(program))

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._lock = threading.Lock()

    def url(self, name: str) -> str:
        """The address of a repository."""
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler, program: str) -> None:
        path, _, query = handler.path.partition("?")
        env = {
            **os.environ, "GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "QUERY_STRING": query, "REQUEST_METHOD": handler.command, "REMOTE_USER": "a", "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": handler.headers.get("Content-Type", ""), "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        process = subprocess.Popen([program], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        for piece in _body(handler):
            process.stdin.write(piece)
        process.stdin.close()
        status, lines = 200, []
        while line := process.stdout.readline().strip():
            name, _, value = line.decode().partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            else:
                lines.append((name, value))
        handler.send_response(status)
        for name, value in lines:
            handler.send_header(name, value)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.flush()
        _splice(process.stdout, handler.connection)
        process.stdout.close()
        _, code, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        with self._lock:
            self.cpu += usage.ru_utime + usage.ru_stime
            self.peak = max(self.peak, usage.ru_maxrss * 1024)
        handler.close_connection = True


def _body(handler: BaseHTTPRequestHandler) -> Any:
    if handler.headers.get("Transfer-Encoding", "") == "chunked":
        while size := int(handler.rfile.readline(), 16):
            yield handler.rfile.read(size)
            handler.rfile.readline()
        handler.rfile.readline()
        return
    left = int(handler.headers.get("Content-Length") or 0)
    while left:
        piece = handler.rfile.read(min(left, 1 << 16))
        left -= len(piece)
        yield piece


def _splice(pipe: Any, connection: socket.socket) -> None:
    connection.sendall(pipe.peek() and pipe.read1())
    while os.splice(pipe.fileno(), connection.fileno(), 1 << 20):
        pass


def cpu_of(pid: int) -> float:
    """Seconds of processor time of a process and of the children that it waited for, so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICK


def forget_peak(pid: int) -> None:
    """Count the most memory from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_of(pid: int) -> int:
    """The most resident bytes since `forget_peak`."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) * 1024
