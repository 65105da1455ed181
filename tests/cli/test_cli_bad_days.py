"""Days on which the forge, the clock or the disk is not as usual: one sentence, its exit code, and nothing is lost."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from forge_process import Forge
from forked import MIC
from inside import Inside
from mic.rpc import discovery
from transcript import Shell


@pytest.fixture(scope="module")
def home(insider: Inside) -> Inside:
    """Somebody with a working copy `days` of a project at @1."""
    insider.cd(".")
    insider("project", "create", f"{insider.own}/days", "--visibility", "public")
    insider("clone", f"{insider.own}/days", "days")
    insider.cd("days")
    insider.write("a", "1\n")
    assert insider("land", "First").startswith("Landed @1")
    return insider


@pytest.fixture
def days(home: Inside) -> Iterator[Inside]:
    """There, with the environment as it was afterwards."""
    home.cd("days")
    environment = dict(home.environment)
    yield home
    home.environment.clear()
    home.environment.update(environment)


@contextlib.contextmanager
def answering(status: int, body: bytes, kind: str = "application/json") -> Iterator[str]:
    """A web server that says the same to everybody; its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


DESCRIBED = {
    "grpc": "127.0.0.1:1", "grpc_tls": False, "device_authorization_endpoint": "x", "token_endpoint": "x",
    "revocation_endpoint": "x", "client_id": "x", "scope": "x",
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "said", "code"),
    [
        (200, b"<html>hello</html>", "! mic: There is no Micelio forge at", 2),
        (200, b"[1]", "! mic: There is no Micelio forge at", 2),
        (200, b'{"grpc": "127.0.0.1:1"}', "! mic: There is no Micelio forge at", 2),
        (404, b"", "! mic: There is no Micelio forge at", 2),
        (429, b"", "! mic: The forge http://127.0.0.1:", 1),
        (503, b"", "! mic: The forge http://127.0.0.1:", 6),
        (200, json.dumps(DESCRIBED).encode(), "! mic: The forge cannot be reached.", 6),
        (200, json.dumps(DESCRIBED | {"grpc": ":::"}).encode(), "! mic: ", 6),
    ],
)
def test_a_forge_that_answers_wrongly(days: Inside, status: int, body: bytes, said: str, code: int) -> None:
    """What is no forge, one in trouble, and one whose other door is shut."""
    with answering(status, body) as address:
        found = days("log", "--project", f"{address}/acme/garden")
    assert found.startswith(said), found
    assert found.endswith(f"[{code}]\n"), found
    assert "Traceback" not in found


def test_a_forge_of_another_kind_behind_the_right_words(days: Inside) -> None:
    """It says that it is one, and what it speaks at the other door is not what it should be."""
    with answering(200, b"hello") as other:
        told = DESCRIBED | {"grpc": other.removeprefix("http://")}
        with answering(200, json.dumps(told).encode()) as address:
            found = days("log", "--project", f"{address}/acme/garden")
    assert found.startswith("! mic: ")
    assert found.endswith("[6]\n")
    assert len(found.splitlines()) == 3


def test_a_forge_that_says_nothing(days: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the call and never answers: the wait has an end, and what was meant waits for it."""
    monkeypatch.setattr(discovery, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        begun = time.monotonic()
        found = days("log", "--project", f"{address}/acme/garden")
        assert time.monotonic() - begun < 10
    assert found.startswith(f"! mic: The forge {address} cannot be reached: timed out.\n")
    assert found.endswith("[6]\n")


def test_a_project_that_is_deleted_meanwhile(days: Inside) -> None:
    """Looking and landing say that it is not there; what stands here stays, and local work goes on."""
    days.cd(".")
    days("project", "create", f"{days.own}/brief")
    days("clone", f"{days.own}/brief", "brief")
    days.cd("brief")
    days.write("a", "1\n")
    days("land", "First")
    days("session", "start", "More")
    days.write("a", "2\n")
    assert days.run("project", "delete", f"{days.own}/brief", "--yes").returncode == 0
    for command in (("land",), ("sync",), ("session", "push"), ("log",), ("branch", "list")):
        said = days(*command)
        assert said.startswith("! mic: "), (command, said)
        assert said.endswith("[4]\n"), (command, said)
    assert days.read("a") == "2\n"
    assert "M a" in days("status")
    assert days("session", "note", "It is gone").startswith("Noted")
    assert days.run("project", "restore", f"{days.own}/brief").returncode == 0
    assert days("land").startswith("Landed @2: More")


def test_a_project_that_is_private_meanwhile(days: Inside, forge: Forge, tmp_path: Path) -> None:
    """To who may not see it any more it is not there; their work stays on their disk."""
    other = Inside(forge, tmp_path / "other", f"o{os.getpid()}")
    other("clone", f"{days.own}/days", "d")
    other.cd("d")
    other.write("a", "theirs\n")
    days("project", "update", f"{days.own}/days", "--private")
    try:
        for command in (("sync",), ("log",), ("session", "start", "x")):
            assert other(*command).endswith("[4]\n"), command
        assert other("land", "x").endswith("[4]\n")
        assert other.read("a") == "theirs\n"
        assert other.json("status")["changes"] == [
            {"path": "a", "op": "modified", "mode": "100644", "old_mode": "100644"}
        ]
    finally:
        days("project", "update", f"{days.own}/days", "--public")


@pytest.mark.parametrize("years", [-30, 60])
def test_a_clock_that_jumps(days: Inside, monkeypatch: pytest.MonkeyPatch, years: int) -> None:
    """Sessions, landings and difference work with a clock of another year, and afterwards with the right one."""
    days("session", "abandon")
    real, real_ns = time.time, time.time_ns
    offset = years * 365 * 86_400

    def jumped(of: str) -> int:
        # As the system's clock: what libraries measure by it inside of this process would see another jump.
        return offset if of.startswith("mic.") else 0

    monkeypatch.setattr(time, "time", lambda: real() + jumped(sys._getframe(1).f_globals["__name__"]))
    monkeypatch.setattr(time, "time_ns", lambda: real_ns() + jumped(sys._getframe(1).f_globals["__name__"]) * 10**9)
    number = days.json("status")["position"]
    assert days("session", "start", f"In {years} years").endswith("\n")
    days.write("a", f"{years}\n")
    assert "M a" in days("status")
    assert days("session", "note", "late or early").startswith("Noted")
    assert days("land").startswith(f"Landed @{number + 1}: In {years} years")
    monkeypatch.undo()
    days.write("a", "now\n")
    assert "M a" in days("status")
    assert days("land", "Now").startswith(f"Landed @{number + 2}: Now")
    assert [item["position"] for item in days.json("log", "-n", "2")["landings"]] == [number + 2, number + 1]


def test_words_keep_their_order_when_the_clock_is_put_back(days: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said later stands behind what was said before, a decision behind the words that it answers; undo goes by
    the order in which commands were given.
    """
    real = time.time_ns

    def put(seconds: int) -> None:
        monkeypatch.setattr(
            time, "time_ns",
            lambda: real() + (seconds * 10**9 if sys._getframe(1).f_globals["__name__"].startswith("mic.") else 0),
        )  # fmt: skip

    days("session", "abandon")
    days("session", "start", "Put back")
    for hours, command in (
        (0, ("note", "One")), (24 * 365, ("note", "Two")), (0, ("note", "Three")), (-1, ("decide", "D", "--why", "w")),
        (-2, ("note", "Four")),
    ):  # fmt: skip
        put(hours * 3600)
        days("session", *command)
    session = days.json("session", "status")["session"]
    assert [turn["text"] for turn in session["conversation"]] == ["One", "Two", "Three", "Four"]
    times = [turn["at"] for turn in session["conversation"]]
    assert times == sorted(times)
    assert times[2] <= session["decisions"][0]["at"] <= times[3]
    assert [item["command"] for item in days.json("op", "log", "-n", "5")["operations"]] == [
        "mic session note", "mic session decide", "mic session note", "mic session note", "mic session note",
    ]  # fmt: skip
    put(-5 * 3600)
    days("undo")
    days("undo")
    put(3600)
    session = days.json("session", "status")["session"]
    assert ([turn["text"] for turn in session["conversation"]], session["decisions"]) == (["One", "Two", "Three"], [])
    days("redo")
    assert days.json("session", "status")["session"]["decisions"][0]["what"] == "D"
    days.write("a", f"{real()}\n")
    assert days("land").startswith("Landed @")
    shown = days.json("show", "HEAD")
    assert [turn["text"] for turn in shown["session"]["conversation"]] == ["One", "Two", "Three"], shown


def test_a_long_unknown_command(days: Inside) -> None:
    """It is said back shortly, in one sentence; so is one of a group, and one of odd letters."""
    for words in (("x" * 300,), ("session", "y" * 300), ("\x1b]0;" + "z" * 300,)):
        found = days(*words)
        assert found.endswith("[2]\n")
        assert len(found.splitlines()) == 3
        assert "\x1b" not in found
        assert len(found) < 500


def test_settings_of_a_working_copy_that_are_damaged(days: Inside) -> None:
    """It is named, and the way out that is said works: every file stands as it stood."""
    days.cd(".")
    days("clone", f"{days.own}/days", "damaged")
    days.cd("damaged")
    days.write("mine", "mine\n")
    (days.cwd / ".mic/config").write_bytes(b"{")
    for command in (("status",), ("land", "x"), ("log",), ("sync",), ("session", "start", "x")):
        assert days(*command) == (
            "! mic: HOME/damaged/.mic/config has no 'instance'.\n"
            "!      Move .mic out of this folder, then `mic link ORG/PROJECT` here: it writes none of your files.\n"
            "[1]\n"
        ), command
    (days.cwd / ".mic").rename(days.home / "damaged.mic")
    assert days("link", f"{days.own}/days").startswith("Linked HOME/damaged to ")
    assert days.json("status")["changes"] == [
        {"path": "mine", "op": "added", "mode": "100644", "old_mode": None},
    ]


def test_a_bucket_that_nobody_opens(days: Inside) -> None:
    """Which one it is, and what says who asks."""
    with answering(403, b"", "text/html") as address:
        days.environment |= {
            "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": address,
        }  # fmt: skip
        days("remote", "add", "bucket", "s3://roses/here")
        said = days("push", "bucket")
    assert said.startswith("! mic: s3://roses/here cannot be read: remote.json: the store answered 403")
    assert said.endswith("AWS_ENDPOINT_URL say who asks, and where.\n[6]\n")
    days("remote", "remove", "bucket")


WRITING = (
    ("session", "start", "Goal"), ("land", "x"), ("goto", "@1"), ("sync",), ("remote", "add", "r", "/nowhere"),
    ("sparse", "all"), ("sparse", "set", "/"), ("undo",), ("redo",), ("session", "push"), ("session", "note", "x"),
    ("session", "decide", "x"), ("session", "undecide"), ("session", "wrote"), ("session", "abandon"),
    ("session", "switch", "--none"), ("session", "resume", "--latest"), ("branch", "switch", "main"), ("revert", "@1"),
    ("resolve",), ("pending", "drop", "1"), ("link", "OWN/days"),
)  # fmt: skip


# With nothing to do there, they say so and write nothing.
NOTHING = (("branch", "switch", "main"), ("resolve",))


def limited(days: Inside, bytes_: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`mic` here where no file can be longer than so many bytes, as on a full disk."""

    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))

    code = "import sys; from mic.cli.main import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=days.cwd, env=days.environment, capture_output=True, text=True,
        check=False, preexec_fn=full,
    )  # fmt: skip


def test_no_room_for_what_is_written(days: Inside) -> None:
    """Where a file cannot be written to its end the command says which one, and everything stands as before."""
    days("session", "abandon")
    days.write("a", "roomy\n")
    before = days.json("status")
    here, settings = r"/[^ ]+/days/\.mic", r"/[^ ]+/\.config/mic"
    for command, file in (
        (("session", "start", "Goal"), rf"{here}/[^ ]+"),
        (("land", "x"), rf"{here}/[^ ]+"),
        (("sparse", "set", "/"), rf"{here}/[^ ]+"),
        (("remote", "add", "r", "/nowhere"), rf"{here}/remotes\.toml"),
        (("remote", "add", "r", "/nowhere", "--global"), rf"{settings}/config\.toml"),
        (("config", "set", "cache.max_size_gb", "4"), rf"{settings}/config\.toml"),
        (("config", "set", "daemon.enabled", "false", "--workspace"), rf"{here}/(lock|config\.toml)"),
        (("export", "json", "FILE"), r"/[^ ]+/FILE"),
    ):
        arguments = [str(days.home / "FILE") if word == "FILE" else word for word in command]
        done = limited(days, 1, *arguments)
        assert done.returncode == 1, (command, done.stdout, done.stderr)
        said = f"mic: {file}: File too large\\.\n     Make room there, then repeat\\.\n"
        assert re.fullmatch(said, done.stderr), (command, done.stderr)
    assert days.json("status") == before
    assert days("remote", "list").count("\n") == 1
    assert [path.name for path in days.home.iterdir() if path.name.startswith("FILE")] == []
    left = {path.name for path in (days.home / ".config/mic").iterdir() if not path.name.endswith(".lock")}
    assert left == {"credentials.json"}
    assert days("session", "start", "Goal").startswith("Started")
    days("session", "abandon")
    days.write("a", "now\n")


@pytest.mark.parametrize(
    "command",
    [
        ("config", "list"),
        ("config", "list", "--json"),
        ("--version",),
        ("help",),
        ("status",),
        ("status", "--json"),
        ("nonsense",),
    ],
)
def test_output_that_has_no_room(days: Inside, command: tuple[str, ...]) -> None:
    """`mic ... > file` on a full disk: one sentence, and the code of other writes there."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [str(MIC), *command], cwd=days.cwd, env=days.environment, stdout=full, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip
    if command == ("nonsense",):
        assert (done.returncode, done.stderr.splitlines()[0]) == (2, "mic: There is no command `mic nonsense`.")
        return
    said = "mic: Standard output: No space left on device.\n     Make room there, then repeat.\n"
    assert (done.returncode, done.stderr) == (6, said)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("command", "code"), [("status", 0), ("log -n 1", 0), ("nonsense", 2)])
def test_a_standard_file_that_is_closed(days: Inside, closed: str, command: str, code: int) -> None:
    """What would be said there is nowhere; the rest is as ever."""
    done = subprocess.run(
        ["sh", "-c", f'"$0" {command} {closed}', str(MIC)], cwd=days.cwd, env=days.environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_errors_that_have_no_room(days: Inside) -> None:
    """The code alone says it."""
    for command, code in (("nonsense", 2), ("log", 0), ("show @99", 4)):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [str(MIC), *command.split()], cwd=days.cwd, env=days.environment, stdout=subprocess.DEVNULL,
                stderr=full, check=False,
            )  # fmt: skip
        assert done.returncode == code, command


def mounted(days: Shell, mount: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`mic` here behind a mount that no other process sees."""
    code = "import sys; from mic.cli.main import main; sys.exit(main(sys.argv[1:]))"
    script = f'{mount} && exec "$0" "$@"'
    return subprocess.run(
        ["unshare", "-m", "sh", "-ec", script, sys.executable, "-c", code, *arguments], cwd=days.cwd,
        env=days.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.root
def test_a_workspace_that_is_read_only(days: Inside) -> None:
    """Looking works; what would write says that it cannot, and changes nothing."""
    days.write("a", "read only\n")
    mount = f"mount --bind {days.cwd} {days.cwd} && mount -o remount,ro,bind {days.cwd} && cd {days.cwd}"
    for command in (("status",), ("diff",), ("log",), ("branch", "list"), ("session", "list"), ("op", "log")):
        done = mounted(days, mount, *command)
        assert done.returncode == 0, (command, done.stderr)
    for command in WRITING:
        done = mounted(days, mount, *command)
        assert done.returncode in (1, 2, 4, 0 if command in NOTHING else 1), (command, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, command
        assert len(done.stderr.splitlines()) <= 3, (command, done.stderr)
    for url in ("/nowhere", "."):
        days("remote", "add", "mirror", url)
        for command in (("fetch", "--all"), ("fetch", "mirror"), ("push", "mirror"), ("fetch", "origin")):
            done = mounted(days, mount, *command)
            assert done.returncode == 1, (command, done.stdout, done.stderr)
            assert "Read-only file system" in done.stderr, (command, done.stderr)
            assert "It is mounted for reading only; work where you may write." in done.stderr, (command, done.stderr)
        # The second time git's repository is there already.
        days("fetch", "origin")
        days("remote", "remove", "mirror")
    assert days.read("a") == "read only\n"
    days.write("a", "now\n")


@pytest.mark.root
def test_a_disk_that_is_full(days: Inside) -> None:
    """A clone into a tiny file system ends with a sentence; what is there is finished when there is room."""
    days.write("large", "x" * 200_000)
    days("land", "Large")
    room = days.home / "room"
    room.mkdir()
    done = mounted(days, f"mount -t tmpfs -o size=64k tmpfs {room} && cd {room}", "clone", f"{days.own}/days", "there")
    assert done.returncode == 6, done.stderr
    assert "o space left" in done.stderr
    assert "Traceback" not in done.stderr
    # Words in a working copy on a full disk: which disk, and the code of the table.
    mount = f"mount -t tmpfs -o size=4m tmpfs {room} && cp -r .mic {room} && cd {room}"
    days("session", "start", "Full")
    done = mounted(days, f"{mount} && ! cat /dev/zero 2>/dev/null > fill", "session", "note", "x" * 5000)
    days("session", "abandon")
    said = r"mic: /.+/room/\.mic/[^ ]+: No space left on device\.\n     Make room there, then repeat\.\n"
    assert (done.returncode, bool(re.fullmatch(said, done.stderr))) == (6, True), done.stderr
    # Settings of this machine on one: which file.
    mount = f"mount -t tmpfs -o size=64k tmpfs {room} && cp -r {days.home}/.config/mic {room}"
    mount = f"{mount} && export XDG_CONFIG_HOME={room} && ! cat /dev/zero 2>/dev/null > {room}/fill"
    for command in (("config", "set", "cache.max_size_gb", "4"), ("remote", "add", "r", "/nowhere", "--global")):
        done = mounted(days, mount, *command)
        said = r"mic: /.+/room/mic/config\.toml: No space left on device\.\n     Make room there, then repeat\.\n"
        assert (done.returncode, bool(re.fullmatch(said, done.stderr))) == (6, True), (command, done.stderr)
