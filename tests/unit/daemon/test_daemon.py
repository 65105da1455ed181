"""The daemon: whom it answers, what it says, and that nothing goes wrong when it is gone, stale or not to be had."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mic.cli import hot
from mic.cli.program import daemon as program
from mic.cli.program.daemon_answers import ANSWERS
from mic.core.errors import Unavailable
from mic.daemon import door, inotify, mounts, server
from mic.daemon.server import Server
from mic.daemon.watched import NotWatched, Watched
from mic.version import VERSION
from mic.workspace.checkout import Checkout
from mic.workspace.place import clock_now
from mic.workspace.workspace import Config, Workspace

if sys.platform != "linux":
    pytest.skip("inotify is Linux's", allow_module_level=True)

OTHERS: server.Others = {}
CLEAN = "acme/rocket at landing 7, from http://forge.example\nNo session is open.\n"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A finished clone of no files."""
    made = Workspace.create(str(tmp_path / "work"), Config("http://forge.example", "acme", "rocket", 7, "ab" * 32))
    checkout = Checkout(made)
    checkout.plan([])
    checkout.finish()
    made.finish_clone()
    return made


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the socket is to be; the path of a socket has at most 107 bytes, those of tests may be longer."""
    folder = Path(f"/tmp/mic-{os.getpid()}-{abs(hash(str(tmp_path))) % 10**8}")
    folder.mkdir(mode=0o700)
    monkeypatch.setitem(os.environb, b"XDG_RUNTIME_DIR", os.fsencode(folder))
    monkeypatch.setitem(door.posix.environ, b"XDG_RUNTIME_DIR", os.fsencode(folder))
    monkeypatch.delitem(door.posix.environ, b"MIC_DAEMON", raising=False)
    return folder / "mic"


def begin(idle: float = 60.0) -> threading.Thread:
    """A daemon in a thread of this process, that answers."""
    thread = threading.Thread(target=Server(ANSWERS, OTHERS, idle).run)
    thread.start()
    wait(lambda: door.ask(b"state") is not None)
    return thread


@pytest.fixture
def daemon(place: Path) -> Iterator[Path]:
    """A daemon, ended afterwards."""
    thread = begin()
    yield place
    door.ask(b"stop")
    thread.join(10)
    assert not thread.is_alive()
    assert not (place / "daemon.sock").exists()


def wait(condition) -> None:  # type: ignore[no-untyped-def]
    """Until it is so; ten seconds at most."""
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def status(ws: Workspace, form: bytes = b"text") -> str:
    """What the daemon says of a working copy, once it says something."""
    said: list[str] = []

    def answered() -> bool:
        answer = door.ask(b"status", os.fsencode(ws.root), form, patience=5)
        assert answer is not None
        if answer[0] == door.FINISHED:
            said.append(answer[1].decode())
        return bool(said)

    wait(answered)
    return said[0]


def test_the_version_is_that_of_the_distribution() -> None:
    lines = Path(__file__).parents[3].joinpath("pyproject.toml").read_text().splitlines()
    assert f'version = "{VERSION}"' in lines


def test_it_says_what_status_says(ws: Workspace, daemon: Path) -> None:
    """In text, in colour and in JSON; a change is seen by the very next question."""
    assert status(ws) == CLEAN + "Nothing changed.\n"
    Path(ws.root, "new").write_bytes(b"")
    assert status(ws) == CLEAN + "  A new\n"
    assert status(ws, b"colour") == CLEAN + "  \x1b[32mA\x1b[0m new\n"
    root = os.fsencode(ws.root)
    assert status(ws, b"json") == hot.status_text(hot.View(root), True, False)
    answer = door.ask(b"bare", root, b"text")
    assert answer == (door.FINISHED, hot.bare_text(hot.View(root), False, False).encode())
    Path(ws.root, "new").unlink()
    assert status(ws) == CLEAN + "Nothing changed.\n"


def test_it_says_what_a_scan_finds(ws: Workspace, daemon: Path) -> None:
    """For the commands that do something with it, each change with its numbers; for another index, nothing."""
    Path(ws.root, "caf\udce9").write_bytes(b"")
    Path(ws.root, "run").write_bytes(b"")
    Path(ws.root, "run").chmod(0o755)
    status(ws)
    check = ws.index().columns.check
    assert door.changes(os.fsencode(ws.root), check) == [(b"caf\xe9", 0, 0o100644, -1), (b"run", 0, 0o100755, -1)]
    assert door.changes(os.fsencode(ws.root), check ^ 1) is None
    assert (
        door.encode_changes([(b"x", 2, 0, 7)], 1).hex() == "00000000000000010200000000000000000000000800000001" + "78"
    )


def test_a_file_that_tells_what_to_ignore(ws: Workspace, daemon: Path) -> None:
    Path(ws.root, "x.log").write_bytes(b"")
    assert status(ws) == CLEAN + "  A x.log\n"
    Path(ws.root, ".gitignore").write_bytes(b"*.log\n")
    assert status(ws) == CLEAN + "  A .gitignore\n"


def test_a_working_copy_that_moved(ws: Workspace, daemon: Path) -> None:
    """And another one in its place: each is told as what it is."""
    Path(ws.root, "old").write_bytes(b"")
    assert status(ws) == CLEAN + "  A old\n"
    moved = Path(ws.root).rename(ws.root + "-moved")
    assert door.ask(b"status", os.fsencode(ws.root), b"text") == (door.NOTHING, b"")
    assert status(Workspace(str(moved), ws.config)) == CLEAN + "  A old\n"
    again = Workspace.create(ws.root, ws.config)
    checkout = Checkout(again)
    checkout.plan([])
    checkout.finish()
    again.finish_clone()
    assert status(again) == CLEAN + "Nothing changed.\n"


def test_a_folder_above_that_moved(ws: Workspace, daemon: Path) -> None:
    """Nothing inside tells of it."""
    above = Path(ws.root).parent / "above"
    above.mkdir()
    Path(ws.root).rename(above / "work")
    inside = Workspace(str(above / "work"), ws.config)
    assert status(inside) == CLEAN + "Nothing changed.\n"
    above.rename(above.with_name("elsewhere"))
    answer = door.ask(b"status", os.fsencode(inside.root), b"text")
    assert answer is not None
    assert answer[0] == door.NOTHING


def test_a_full_queue_is_a_new_look(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(os.fsencode(ws.root))
    watched.build()
    monkeypatch.setattr(inotify.Inotify, "read", lambda self: [(-1, inotify.OVERFLOW, b"")])
    assert watched.seen() is None
    monkeypatch.undo()
    watched.build()
    assert watched.seen() is not None
    watched.close()


def test_without_watches_it_says_so_once(ws: Workspace, daemon: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def add(self: object, path: bytes) -> int:
        raise inotify.NoWatches("the watches of this machine are used up")

    monkeypatch.setattr(inotify.Inotify, "add", add)
    said = []

    def told() -> bool:
        said.append(door.ask(b"status", os.fsencode(ws.root), b"text"))
        return said[-1] != (door.NOTHING, b"")

    wait(told)
    assert said[-1] == (door.SENTENCE, b"the watches of this machine are used up")
    for _ in range(3):
        assert door.ask(b"status", os.fsencode(ws.root), b"text") == (door.NOTHING, b"")


def test_second_names_are_not_watched(ws: Workspace) -> None:
    """What is written by the other name would not be told here."""
    data = Path(ws.root, "file")
    data.write_bytes(b"x")
    index = ws.index()
    columns = index.columns
    columns.paths, columns.flags, columns.modes, columns.bits = [b"file"], bytearray(1), [0o100644], [0o100000]
    columns.hashes, columns.sizes, columns.kinds = bytes(32), [1], bytearray(1)
    columns.mtimes, columns.ctimes, columns.disk_sizes, columns.inodes = [0], [0], [0], [0]
    ws.save_index(type(index)(columns))
    os.link(data, Path(ws.root).parent / "other")
    with pytest.raises(NotWatched, match="second names"):
        Watched(os.fsencode(ws.root)).build()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"1 0 8:1 / / rw - ext4 /dev/a rw", ""),
        (b"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:9 / /home rw - nfs4 host:/ rw", "on nfs4"),
        (b"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:9 / /home/ad\\040a rw - fuse.sshfs h:/ rw", ""),
        (b"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 / /home/ada/work/sub rw - ext4 /dev/b rw", "mounted inside"),
        (b"", "does not tell"),
    ],
)
def test_where_changes_come_unseen(line: bytes, why: str) -> None:
    found = mounts.unwatchable(b"/home/ada/work", line)
    assert (why in found) if why else found == ""


def test_a_mount_elsewhere_is_nothing_and_one_inside_is(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(os.fsencode(ws.root))
    watched.build()
    table = mounts.mounts()
    for line, answers in ((b"9 1 0:9 / /elsewhere rw - ext4 a rw\n", True), (b"", False)):
        line = line or b"9 1 0:9 / %b/sub rw - ext4 a rw\n" % os.fsencode(ws.root)
        monkeypatch.setattr("mic.daemon.watched.mounts", lambda line=line: table + line)
        assert (watched.seen() is not None) == answers
    watched.close()


def test_another_version_is_not_used_and_ends(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = begin()
    monkeypatch.setattr(door, "IDENTITY", b"mic-daemon 1 0.0.1")

    def old(*_: object) -> tuple[bytes, bytes] | None:
        connection = socket.socket(socket.AF_UNIX)
        with connection:
            connection.connect(os.fspath(place / "daemon.sock"))
            request = b"mic-daemon 0 9.9.9\x00status\x00/\x00text"
            connection.sendall(len(request).to_bytes(4, "big") + request)
            said = connection.recv(100)
        return said[4:5], said[5:]

    assert old() == (door.OTHER, b"")
    thread.join(10)
    assert not thread.is_alive()
    assert door.ask(b"state") is None


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1", b"\x00stop", b"mic\x00stop"])
def test_what_no_mic_says_does_not_end_it(place: Path, said: bytes) -> None:
    thread = begin()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.fspath(place / "daemon.sock"))
        connection.sendall(len(said).to_bytes(4, "big") + said)
        assert connection.recv(100)[4:] == door.NOTHING
    assert door.ask(b"state", patience=10) is not None
    assert door.ask(b"stop", patience=10) is not None
    thread.join(10)


def test_it_ends_when_nobody_asks(place: Path) -> None:
    thread = threading.Thread(target=Server(ANSWERS, OTHERS, 0.0).run)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert not (place / "daemon.sock").exists()


def test_one_at_a_time(daemon: Path) -> None:
    with pytest.raises(Unavailable, match="runs already"):
        Server(ANSWERS, OTHERS).run()


def test_a_start_beside_one_that_runs_did_not_fail(daemon: Path) -> None:
    """Two commands that start one at once, or an old one that still ends: the next start need not rest for an hour."""
    with pytest.raises(SystemExit):
        program.serve()
    assert not (daemon / "failed").exists()


def test_a_start_that_works_is_the_end_of_a_failure(place: Path) -> None:
    place.mkdir(mode=0o755)
    place.chmod(0o755)
    with pytest.raises(SystemExit):
        program.serve()
    assert (place / "failed").exists()
    place.chmod(0o700)
    thread = begin()
    assert not (place / "failed").exists()
    door.ask(b"stop")
    thread.join(10)


def test_a_folder_that_others_may_enter_is_not_used(place: Path) -> None:
    place.mkdir(mode=0o755)
    place.chmod(0o755)
    with pytest.raises(Unavailable, match="not yours alone"):
        Server(ANSWERS, OTHERS).run()
    listening = socket.socket(socket.AF_UNIX)
    with listening:
        listening.bind(os.fspath(place / "daemon.sock"))
        listening.listen()
        assert door.ask(b"state") is None


def test_who_may_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel says whose process it is at the other end; on both sides."""
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert server.asker(one) == os.getpid()
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        assert server.asker(one) is None
        raw = other.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        assert struct.unpack("3i", raw)[0] == os.getpid()


def test_killed_and_begun_anew(ws: Workspace, place: Path) -> None:
    """A socket whose daemon was killed is nobody's: status works alone, and the next daemon takes its place."""
    source = str(Path(hot.__file__).parents[2])
    code = f"import sys; sys.path.insert(0, {source!r}); from mic.cli.program.daemon import serve; serve()"
    environment = {"XDG_RUNTIME_DIR": os.fspath(place.parent), "HOME": os.fspath(place.parent)}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    wait(lambda: door.ask(b"state") is not None)
    assert status(ws) == CLEAN + "Nothing changed.\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (place / "daemon.sock").exists()
    assert door.ask(b"status", os.fsencode(ws.root), b"text") is None
    thread = begin()
    assert status(ws) == CLEAN + "Nothing changed.\n"
    door.ask(b"stop")
    thread.join(10)


def test_what_a_killed_one_left_keeps_none_from_starting(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket in the cache of mic outlives even the machine."""
    begun: list[int] = []
    monkeypatch.setattr("mic.cli.program.daemon_start.spawn", lambda: begun.append(1))
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(place.parent))
    place.mkdir(mode=0o700)
    left = socket.socket(socket.AF_UNIX)
    with left:
        left.bind(os.fspath(place / "daemon.sock"))
        left.listen()
        hot.start_daemon_where_it_pays(20_000)
        assert begun == []
    hot.start_daemon_where_it_pays(19_999)
    assert begun == []
    hot.start_daemon_where_it_pays(20_000)
    assert begun == [1]


def test_status_starts_one_though_it_has_loaded_next_to_nothing(place: Path) -> None:
    """As `scripts/mic` begins in a checkout: of all packages the sources of mic alone can be found."""
    source = str(Path(hot.__file__).parents[2])
    code = f"import sys; sys.path[:0] = [{source!r}]; from mic.cli.program.daemon_start import spawn; spawn()"
    environment = {"XDG_RUNTIME_DIR": os.fspath(place.parent), "HOME": os.fspath(place.parent)}
    subprocess.run([sys.executable, "-I", "-S", "-c", code], env=environment, check=True)
    wait(lambda: door.ask(b"state") is not None)
    door.ask(b"stop")
    wait(lambda: door.ask(b"state") is None)


@pytest.mark.parametrize("said", [b"", b"\x00", b"\xff" * 5, b"\x00\x00\x00\x09=abc"])
def test_nonsense_is_no_answer(place: Path, said: bytes) -> None:
    """A command does its work itself, whatever sits at the socket."""
    place.mkdir(mode=0o700)
    listening = socket.socket(socket.AF_UNIX)
    with listening:
        listening.bind(os.fspath(place / "daemon.sock"))
        listening.listen()

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        assert door.ask(b"status", b"/", b"text") is None
        thread.join()


@pytest.mark.parametrize("asked", [b"", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x00\x00\x00\x05hello"])
def test_nonsense_asked(daemon: Path, asked: bytes) -> None:
    """Nothing that this user sends keeps it from answering the next; what names no version of it ends it."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.fspath(daemon / "daemon.sock"))
        connection.sendall(asked)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(100)


def test_the_clock_of_a_file_system_is_left_alone(ws: Workspace) -> None:
    """Watching writes nothing into a working copy."""
    before = sorted(os.listdir(ws.folder))
    clock_now(os.fsencode(ws.root))
    watched = Watched(os.fsencode(ws.root))
    watched.build()
    assert watched.seen() is not None
    watched.close()
    assert sorted(os.listdir(ws.folder)) == before
