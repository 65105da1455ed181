"""Runs `mic` as a process of its own that did not have to load anything: forked from one that has loaded all of it.

Most of what a command costs that asks a forge are imports, and the tests have ten thousand of them. What it sees is
what a process sees: descriptors, environment, folder, exit code. The start itself is tested with the real script;
PROCESSES=1 has each command started so.
"""

from __future__ import annotations

import array
import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

MIC = Path(sys.executable).with_name("mic")
# What decides at the start of an interpreter, before anybody could be forked.
_EARLY = ("LANG", "LC_ALL", "LC_CTYPE", "PYTHONUTF8", "PYTHONIOENCODING")


def run(
    arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], stdin: str
) -> subprocess.CompletedProcess[str]:
    """`mic` with these arguments."""
    if os.environ.get("PROCESSES") or any(environment.get(name) != os.environ.get(name) for name in _EARLY):
        return subprocess.run(
            [str(MIC), *arguments], cwd=cwd, env=environment, input=stdin, capture_output=True, text=True, check=False
        )
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        given.write(stdin.encode())
        given.seek(0)
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(_server())
            request = json.dumps([list(arguments), str(cwd), dict(environment)]).encode()
            files = array.array("i", [given.fileno(), said.fileno(), complained.fileno()])
            asking.sendmsg([len(request).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
            asking.sendall(request)
            answer = asking.makefile("rb").read()
        texts = []
        for file in (said, complained):
            file.seek(0)
            texts.append(file.read().decode().replace("\r\n", "\n"))
    return subprocess.CompletedProcess(["mic", *arguments], int(answer), *texts)


@cache
def _server() -> str:
    """Where the one that has loaded everything listens; it ends with this process."""
    path = os.path.join(tempfile.mkdtemp(prefix="mic-forked-"), "socket")
    process = subprocess.Popen(
        [sys.executable, __file__, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    atexit.register(_end, process)
    return path


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def _serve(path: str) -> None:
    import importlib
    import select
    import signal
    import threading

    from mic.cli.table import COMMANDS

    for module in {place.partition(":")[0] for place, _ in COMMANDS.values()}:
        importlib.import_module(module)
    import mic.rpc.client  # noqa: F401  # most commands ask a forge

    assert threading.active_count() == 1
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
                _answer(asked)
            asked.close()


def _answer(asked: socket.socket) -> None:
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
        _become(arguments, folder, environment)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    asked.sendall(str(code).encode())
    os._exit(0)


def _become(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    import posix
    import threading
    import time
    import traceback

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    posix.environ.clear()
    posix.environ.update({os.fsencode(name): os.fsencode(value) for name, value in environment.items()})
    time.tzset()
    sys.argv = ["mic", *arguments]
    from mic.cli.main import main

    sys.path.append(os.path.dirname(__file__))
    import killed

    count = None
    if killed.AT in environment:
        count = killed.end_before(int(environment[killed.AT]), calls=killed.CALLS in environment)
    code: object = 1
    try:
        code = main(arguments)
    except SystemExit as error:
        code = error.code
    except BaseException:
        traceback.print_exc()
    if count is not None:
        killed.tell(count)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    del sys.path[0]  # this folder
    _serve(sys.argv[1])
