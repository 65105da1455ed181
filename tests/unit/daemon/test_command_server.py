"""A command that the command server carries out cannot tell that, and neither can whoever started it."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mic

if sys.platform != "linux":
    pytest.skip("what it asks of the kernel, Linux has", allow_module_level=True)

PROGRAM = Path(__file__).with_name("served_program.py")
PYTHON = [sys.executable, "-I", "-S", "-c"]
# As `scripts/mic` starts it: without site, with the places of modules as they are here.
SOURCE = str(Path(mic.__file__).parents[1])
CODE = (
    f"import sys; sys.path[:0] = {[SOURCE, str(PROGRAM.parent), *(p for p in sys.path if 'site-packages' in p)]!r};"
    "from served_program import main; main()"
)
# All that a command which is carried out elsewhere may load here, on top of a bare `python -I -S`.
ALLOWED = {
    "__future__", "_socket", "mic", "mic.cli", "mic.cli.main", "mic.cli.served", "mic.daemon",
    "mic.daemon.command_door", "mic.daemon.door", "mic.version",
}  # fmt: skip
PATIENT = "from mic.daemon import command_door; command_door.PATIENCE = 20"
NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS


class Served:
    """A command server, and the ways to run its program."""

    def __init__(self, folder: Path) -> None:
        self.run = folder / "run"
        self.run.mkdir(mode=0o700)
        (self.run / "mic").mkdir(mode=0o700)
        self.path = self.run / "mic/commands.sock"
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("MIC", "XDG", "PYTHON"))
        } | {"XDG_RUNTIME_DIR": str(self.run)}
        self.beside, theirs = socket.socketpair()
        self.process = subprocess.Popen([*PYTHON, CODE, "serve"], stdin=theirs.fileno(), env=self.environment)
        theirs.close()
        self.beside.settimeout(20)
        assert self.beside.recv(1) == b"r"

    def begin(self, how: str, *words: str, **options: Any) -> subprocess.Popen[str]:
        """The program: asked for (`ask`) or started (`alone`)."""
        given = {"env": self.environment, "stdin": subprocess.PIPE} | options
        return subprocess.Popen(
            [*PYTHON, CODE, how, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **given
        )

    def ended(self, how: str, *words: str, given: str = "", **options: Any) -> tuple[str, str, int]:
        """What it said, what it complained of, its exit code."""
        process = self.begin(how, *words, **options)
        said, complained = process.communicate(given, timeout=30)
        return said, complained, process.returncode

    def end(self) -> None:
        """As the daemon ends."""
        self.beside.close()
        self.process.wait(10)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server of its own."""
    found = Served(tmp_path)
    yield found
    found.end()


def _waits(process: subprocess.Popen[str]) -> tuple[int, int]:
    """The process that carries it out, and its child, once it waits."""
    assert process.stdout is not None
    own, child = process.stdout.readline().split()
    return int(own), int(child)


def _until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.005)


def _state(process: int) -> str:
    """The kernel's letter for what a process does; "" when there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _as_no_other_is() -> None:
    os.umask(0o027)
    resource.setrlimit(resource.RLIMIT_NOFILE, (123, 456))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(3)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGUSR2})


def test_it_finds_everything_as_if_it_was_started(served: Served, tmp_path: Path) -> None:
    folder = tmp_path / "the folder"
    folder.mkdir()
    served.environment |= {"TZ": "Asia/Kolkata", "ODD": "\udcff=\n", "HOME": "/nowhere"}
    options: dict[str, Any] = {"cwd": folder, "given": "three\nlines\n", "preexec_fn": _as_no_other_is}
    alone, there = (served.ended(how, "tell", "a", "", "\udcfe", **options) for how in ("alone", "ask"))
    assert there[1:] == alone[1:] == ("complaint\n", 7)
    found, expected = json.loads(there[0]), json.loads(alone[0])
    assert found == expected
    assert (found["zone"], found["mask"], found["limits"][0]) == ("IST", 0o027, [123, 456])
    assert found["environment"]["ODD"] == "\udcff=\n"
    assert found["folder"] == str(folder)
    assert {"SIGINT", "SIGHUP", "SIGUSR1"} < set(found["ignored"])
    assert served.beside.recv(16) == b"u"


def test_whoever_asks_loads_next_to_nothing(served: Served) -> None:
    code = (
        f"import sys; sys.path.insert(0, {SOURCE!r}); {PATIENT}; from mic.cli.main import main; code = main(['show'])"
    )
    show = "import sys; print(' '.join(sys.modules))"
    loaded = [
        subprocess.run([*PYTHON, each, "show"], env=served.environment, capture_output=True, text=True, check=True)
        for each in (f"{code}; {show}; sys.exit(code)", show)
    ]
    extra = set(loaded[0].stdout.split()) - set(loaded[1].stdout.split())
    assert {"mic.daemon.command_door"} < extra <= ALLOWED


@pytest.mark.parametrize("words", [["leave"], ["leave", "a sentence"], ["fail"]])
def test_it_ends_as_if_it_was_started(served: Served, words: list[str]) -> None:
    alone, there = (served.ended(how, *words) for how in ("alone", "ask"))
    assert (there[0], there[2]) == (alone[0], alone[2])
    assert there[1].splitlines()[-1:] == alone[1].splitlines()[-1:]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_signals_end_it_as_if_it_was_started(served: Served, number: int) -> None:
    ends = []
    for how in ("alone", "ask"):
        process = served.begin(how, "wait")
        own, _ = _waits(process)
        process.send_signal(number)
        said, complained = process.communicate(timeout=20)
        ends.append((said, complained, process.returncode))
        _until(lambda own=own: _state(own) in ("", "Z"))  # type: ignore[misc]
    assert ends[0] == ends[1]
    assert ends[1] == (("interrupted\n", "", 130) if number == signal.SIGINT else ("", "", -number))


def test_what_a_terminal_sends_reaches_all_that_it_has_started(served: Served) -> None:
    process = served.begin("ask", "wait", "with a child")
    _, child = _waits(process)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "interrupted\n"
    _until(lambda: _state(child) in ("", "Z"))


def test_it_stops_and_goes_on(served: Served) -> None:
    process = served.begin("ask", "wait")
    own, _ = _waits(process)
    process.send_signal(signal.SIGTSTP)
    _until(lambda: (_state(own), _state(process.pid)) == ("T", "T"))
    process.send_signal(signal.SIGCONT)
    _until(lambda: "T" not in (_state(own), _state(process.pid)))
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "interrupted\n"


def test_when_the_one_that_works_is_killed_its_asker_ends_so(served: Served) -> None:
    process = served.begin("ask", "wait")
    own, _ = _waits(process)
    os.kill(own, signal.SIGKILL)
    assert process.wait(20) == -signal.SIGKILL


def test_a_killed_server_ends_nothing_that_runs(served: Served) -> None:
    process = served.begin("ask", "nap")
    _waits(process)
    served.process.kill()
    served.process.wait()
    assert served.beside.recv(16) == b"u"
    assert served.beside.recv(16) == b""  # which the daemon notices
    assert process.wait(20) == 5
    # Its socket is still there, and is not asked for long.
    assert served.path.exists()
    assert served.ended("ask", "tell")[1:] == ("nobody\n", 1)


def test_when_server_and_command_are_killed_nobody_knows_how_it_ended(served: Served) -> None:
    process = served.begin("ask", "wait")
    own, _ = _waits(process)
    served.process.kill()
    served.process.wait()
    os.kill(own, signal.SIGKILL)
    said, complained = process.communicate(timeout=20)
    assert (said, process.returncode) == ("", 137)
    assert complained.startswith("mic: The process that carried this command out is gone")


def test_several_at_once(served: Served) -> None:
    begun = [served.begin("ask", "nap") for _ in range(8)]
    assert [process.wait(20) for process in begun] == [5] * 8
    _until(lambda: len(os.listdir(f"/proc/{served.process.pid}/fd")) < 8)


def _no_more_rights() -> None:
    assert ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0


def test_it_works_for_nobody_who_is_unlike_it(served: Served) -> None:
    nobody = ("", "nobody\n", 1)
    assert served.ended("ask", "tell", preexec_fn=_no_more_rights) == nobody
    for more in ({"LC_ALL": "C"}, {"LD_PRELOAD": ""}, {"MIC_DAEMON": "off"}, {"GRPC_VERBOSITY": "debug"}):
        assert served.ended("ask", "tell", env=served.environment | more) == nobody
    (served.run / "mic").chmod(0o755)
    assert served.ended("ask", "tell") == nobody
    (served.run / "mic").chmod(0o700)
    assert served.ended("ask", "tell")[2] == 7


@pytest.mark.parametrize(
    ("old", "new", "answer"),
    [(b"mic-commands 1 ", b"mic-commands 1 9", b"v"), (b"python", b"snake", b"-"), (b"\x00", b"\x00\x00", b"-")],
)
def test_what_another_program_asks(served: Served, old: bytes, new: bytes, answer: bytes) -> None:
    from mic.daemon import command_door

    asked = command_door.request(["nap"]).replace(old, new, 1)
    assert _raw(served, asked) == answer


def _raw(served: Served, asked: bytes, go: bytes = b"") -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(served.path))
        connection.sendall(len(asked).to_bytes(4, "big") + asked + go)
        said = b""
        while part := connection.recv(64):
            said += part
        return said


def test_a_request_that_is_none(served: Served) -> None:
    from mic.daemon import command_door

    environment = {os.fsencode(name): os.fsencode(value) for name, value in served.environment.items()}
    known = (command_door.PROTOCOL, command_door.this_mic(), command_door.early(environment))
    assert _raw(served, b"mic-commands") == b""
    assert _raw(served, b"\x00".join((*known, b"not a number", b"leave"))) == b""
    # It waits for the files, which do not come with that byte.
    assert _raw(served, b"\x00".join((*known, b"1", b"leave")), b"g")[:1] == b"+"
    assert served.ended("ask", "leave")[2] == 0


def test_whoever_loses_patience_has_lost_nothing(tmp_path: Path) -> None:
    """A server that takes the question and says nothing: the command begins here, after half a second."""
    folder = tmp_path / "run/mic"
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "commands.sock"))
        listening.listen()
        environment = os.environ | {
            "XDG_RUNTIME_DIR": str(tmp_path / "run"),
            "MIC_DAEMON": "on",
            "SERVED_PATIENCE": "0.5",
        }
        asking = subprocess.Popen(
            [*PYTHON, CODE, "ask", "tell"], env=environment, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        asked, _ = listening.accept()
        with asked:
            assert asking.communicate(timeout=20)[1] == b"nobody\n"
            data = b""
            while part := asked.recv(1 << 16):
                data += part
            assert not data.endswith(b"g")
