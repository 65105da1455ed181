"""Processes that have nothing to load: forked from one that has loaded all of it, and is asked through a socket.

What such a process sees is what a process sees: descriptors, environment, folder, exit code. A script loads what its
processes need, then calls `serve`; whoever wants the processes makes `Forks` of that script.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import json
import os
import posix
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn


class Fork:
    """One process, with what of `subprocess.Popen` is used."""

    def __init__(self, asked: socket.socket) -> None:
        self._asked = asked
        # Not a byte more than the line, for what follows it is waited for.
        with asked.makefile("rb", buffering=0) as said:
            self.pid = int(said.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, negative after a signal. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._asked], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            with self._asked, self._asked.makefile("rb") as said:
                self.returncode = int(said.read())
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Nothing when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forks:
    """The processes of one script, which is started at the first one and ends with this process."""

    def __init__(self, script: Path) -> None:
        self._script = script
        self._path = ""
        # What the script was started with.
        self.environment: dict[str, str] = {}

    def start(
        self,
        arguments: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        files: Sequence[int],
    ) -> Fork:
        """A process; `files` are the descriptors of its standard input, output and error."""
        self.begin()
        asking = socket.socket(socket.AF_UNIX)
        try:
            asking.connect(self._path)
            request = json.dumps([list(arguments), str(cwd), dict(environment)]).encode()
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))]
            asking.sendmsg([len(request).to_bytes(4, "big")], rights)
            asking.sendall(request)
            return Fork(asking)
        except BaseException:
            asking.close()
            raise

    def run(
        self, arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], stdin: str
    ) -> subprocess.CompletedProcess[str]:
        """A process from its start to its end."""
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as said,
            tempfile.TemporaryFile() as complained,
        ):
            given.write(stdin.encode())
            given.seek(0)
            files = [file.fileno() for file in (given, said, complained)]
            code = self.start(arguments, cwd, environment, files).wait()
            texts = []
            for file in (said, complained):
                file.seek(0)
                texts.append(file.read().decode().replace("\r\n", "\n"))
        return subprocess.CompletedProcess(list(arguments), code, *texts)

    def begin(self) -> None:
        """Start the script, unless it runs."""
        if self._path:
            return
        path = os.path.join(tempfile.mkdtemp(prefix="mic-forks-"), "socket")
        self.environment = dict(os.environ)
        process = subprocess.Popen(
            [sys.executable, str(self._script), path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        atexit.register(_end, process)
        self._path = path


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def serve(path: str, run: Callable[[list[str]], object]) -> None:
    """In a script that has loaded everything: fork until standard input ends. `run` gives or raises the exit code."""
    # Another thread would not be in the fork, but the locks that it holds would.
    assert len(os.listdir("/proc/self/task")) == 1
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(16)
        os.write(1, b"ready\n")
        while True:
            ready, _, _ = select.select([listening, 0], [], [])
            if 0 in ready:
                os.unlink(path)
                os.rmdir(os.path.dirname(path))
                return
            asked, _ = listening.accept()
            if not os.fork():
                listening.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _answer(asked, run)
            asked.close()


def _answer(asked: socket.socket, run: Callable[[list[str]], object]) -> NoReturn:
    """Says the process's number, then what became of it."""
    size, rights, _, _ = asked.recvmsg(4, socket.CMSG_SPACE(12))
    files = array.array("i", rights[0][2])
    with asked.makefile("rb") as stream:
        arguments, folder, environment = json.loads(stream.read(int.from_bytes(size, "big")))
    child = os.fork()
    if not child:
        asked.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        _become(arguments, folder, environment, run)
    for file in (*files, 0, 1, 2):
        os.close(file)
    with contextlib.suppress(BrokenPipeError):
        asked.sendall(b"%d\n" % child)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        asked.sendall(b"%d" % code)
    os._exit(0)


def _become(
    arguments: list[str], folder: str, environment: dict[str, str], run: Callable[[list[str]], object]
) -> NoReturn:
    code: object = 1
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        posix.environ.clear()
        posix.environ.update({os.fsencode(name): os.fsencode(value) for name, value in environment.items()})
        time.tzset()
        code = run(arguments)
    except SystemExit as error:
        code = error.code
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)
