"""64 clients landing disjoint files in one project through gRPC, beside 64 clones pushing to one Git repository.

Git's clients do what its users do: push, and when somebody was faster, fetch, rebase and push again, over
`git http-backend`. Both lie on the same disk and are run one after the other.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import CGIHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc

from bench.client import GIT, MIC, environment
from bench.measure import Row, ms, p95, run
from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from mic.rpc.v1 import mic_pb2_grpc

CLIENTS = 64
LANDINGS = 15  # of each client
PUSHES = 1


def rows() -> Iterator[Row]:
    """Landings a second, their latency, and what Git does with as many clients."""
    home = Path(tempfile.mkdtemp(prefix="micelio-bench-"))
    forge = Forge(home / "data")
    try:
        env = environment(forge, home)
        run([MIC, "org", "create", "bench"], env)
        run([MIC, "project", "create", "bench/busy"], env)
        alone, _ = _land(forge, 1, 40)
        rate, times = _land(forge, CLIENTS, LANDINGS)
    finally:
        forge.stop()
    peer = _push(home / "git")
    shutil.rmtree(home, ignore_errors=True)
    yield Row(
        f"{CLIENTS} clients landing in one project, through gRPC", f"{rate:,.0f} landings/s",
        f"{CLIENTS} clones pushing, git http-backend: {peer:,.1f}/s", f"{rate / peer:,.0f}x", ">= 20x",
        rate / peer >= 20,
    )  # fmt: skip
    yield Row(
        f"latency of those {CLIENTS}", f"p50 {ms(sorted(times)[len(times) // 2])}",
        f"one client: {alone:,.0f} landings/s",
        f"p95 {ms(p95(times))}", "", None,
    )  # fmt: skip


def _land(forge: Forge, clients: int, landings: int) -> tuple[float, list[float]]:
    """Landings a second of so many clients, and the seconds that each landing took."""
    tests = Path(__file__).parents[2]
    paths = os.pathsep.join((str(tests), str(tests.parent / "src")))
    command = [sys.executable, "-m", "bench.ledger.concurrent", forge.grpc_address, forge.token("admin")]
    processes = max(1, clients // 32)
    start = time.perf_counter()
    running = [
        subprocess.Popen(
            [*command, str(clients // processes), str(landings)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        for _ in range(processes)
    ]
    said = [process.communicate()[0] for process in running]
    seconds = time.perf_counter() - start
    assert all(process.returncode == 0 for process in running)
    times = [float(line) for text in said for line in text.split()[1:]]
    # What a process says first is when its first call left, so that its start-up does not count.
    began = min(float(text.split()[0]) for text in said)
    assert len(times) == clients * landings, said
    return len(times) / (start + seconds - began), times


def _client(address: str, token: str, clients: int, landings: int) -> None:
    """One process with so many clients, each with a channel of its own."""
    times: list[float] = []
    ready = threading.Barrier(clients + 1)

    def one() -> None:
        channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
        metadata = [("authorization", f"Bearer {token}")]
        ref = pb.ProjectRef(organization="bench", handle="busy")
        projects, sessions = mic_pb2_grpc.ProjectServiceStub(channel), mic_pb2_grpc.SessionServiceStub(channel)
        base = projects.GetProject(pb.GetProjectRequest(project=ref), metadata=metadata).project.head_position
        ready.wait()
        for number in range(landings):
            request = pb.LandSessionRequest(project=ref)
            request.session.CopyFrom(pb.Session(id=os.urandom(16), goal=f"Round {number}", base_position=base))
            name = os.urandom(8).hex().encode()
            path, data = b"src/%s/%s.txt" % (name[:2], name), name * 40
            digest = hashlib.sha256(data).digest()
            request.frames.add(hash=digest, size=len(data), length=len(data), data=data)
            request.session.changes.add(path=path, op=pb.Change.ADDED, mode=0o100644, hash=digest, size=len(data))
            start = time.perf_counter()
            base = sessions.LandSession(request, metadata=metadata).position
            times.append(time.perf_counter() - start)
        channel.close()

    threads = [threading.Thread(target=one) for _ in range(clients)]
    for thread in threads:
        thread.start()
    ready.wait()
    print(time.perf_counter())
    for thread in threads:
        thread.join()
    print(*times)


def _push(home: Path) -> float:
    """Pushes a second of as many clones, each trying until it gets through."""
    home.mkdir()
    bare = home / "busy.git"
    env = {**os.environ, **GIT, "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
           "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_EDITOR": "true"}  # fmt: skip

    def git(folder: Path, *arguments: str) -> bool:
        done = subprocess.run(["git", "-C", str(folder), *arguments], env=env, capture_output=True, check=False)
        return done.returncode == 0

    assert git(home, "init", "-q", "--bare", "-b", "main", str(bare))
    assert git(bare, "config", "http.receivepack", "true")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(home))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/git-http-backend/busy.git"
    assert git(home, "clone", "-q", url, "first")
    assert git(home / "first", "commit", "-q", "--allow-empty", "-m", "first")
    assert git(home / "first", "push", "-q", "origin", "HEAD:main")
    clones = [home / f"c{number}" for number in range(CLIENTS)]
    for clone in clones:
        assert git(home, "clone", "-q", url, str(clone))
    done: list[int] = []

    def one(clone: Path) -> None:
        for number in range(PUSHES):
            (clone / f"{clone.name}-{number}.txt").write_text("x" * 640)
            assert git(clone, "add", "-A")
            assert git(clone, "commit", "-q", "-m", "one")
            while not git(clone, "push", "-q", "origin", "HEAD:main"):
                git(clone, "pull", "-q", "--rebase", "origin", "main")
            done.append(number)

    threads = [threading.Thread(target=one, args=(clone,)) for clone in clones]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    server.shutdown()
    assert len(done) == CLIENTS * PUSHES
    return len(done) / seconds


def _handler(root: Path) -> Callable[..., Any]:
    """Serves repositories below `root` through git's own CGI program."""
    program = Path(subprocess.check_output(["git", "--exec-path"], text=True).strip()) / "git-http-backend"

    class Handler(CGIHTTPRequestHandler):
        have_fork = False

        def do_GET(self) -> None:
            self._backend()

        def do_POST(self) -> None:
            self._backend()

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _backend(self) -> None:
            path, _, query = self.path.removeprefix("/git-http-backend").partition("?")
            env = {
                **os.environ, "GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
                "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": "a", "REMOTE_ADDR": "127.0.0.1",
                "CONTENT_TYPE": self.headers.get("Content-Type", ""), "SERVER_PROTOCOL": "HTTP/1.1",
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }  # fmt: skip
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = subprocess.run([str(program)], input=body, env=env, stdout=subprocess.PIPE, check=False).stdout
            head, _, content = answer.partition(b"\r\n\r\n")
            lines = [line.split(b": ", 1) for line in head.split(b"\r\n") if b": " in line]
            status = next((int(value.split()[0]) for name, value in lines if name == b"Status"), 200)
            self.send_response(status)
            for name, value in lines:
                if name != b"Status":
                    self.send_header(name.decode(), value.decode())
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


if __name__ == "__main__":
    _client(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
