"""Forges of other versions, proxies in between and lines that break: one sentence, its exit code, nothing lost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from between import Between, Cut, Ended, html_page
from forge_process import Forge
from inside import Inside
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from transcript import Shell

# A field that no version has: number 2000, five bytes.
UNKNOWN_FIELD = b"\x82\x7d\x05later"
READING = (
    "log", "show @1", "diff @1..@2", "ls -r --at @1", "cat a @1", "blame a", "branch list", "session list",
    "search roses", "org list", "project list", "project show OWN/versions", "auth status", "auth token list",
    "export list", "import status OWN/versions",
)  # fmt: skip
WRITING = (
    "land", "sync", "session push", "session resume --latest", "branch create other", "goto @1",
    "clone OWN/versions elsewhere", "org create OWN-other", "export json OWN/versions x.jsonl",
    "project update OWN/versions --description x",
)  # fmt: skip


@pytest.fixture(scope="module")
def between(forge: Forge) -> Iterator[Between]:
    made = Between(forge)
    yield made
    made.end()


@pytest.fixture(scope="module")
def home(between: Between, tmp_path_factory: pytest.TempPathFactory) -> Inside:
    """Somebody whose forge is behind it: a working copy `w` of OWN/versions at @2, and a session with a change."""
    handle = f"ver{os.getpid()}"
    person = Inside(between, tmp_path_factory.mktemp("versions") / "home", handle)  # type: ignore[arg-type]
    person.own = f"{handle}-org"
    own, project = person.own, f"{person.own}/versions"
    for words in (("org", "create", own), ("project", "create", project), ("clone", project, "w")):
        done = person.run(*words)
        assert done.returncode == 0, done.stderr
    person.cd("w")
    for goal, text in (("One", "1\nroses\n"), ("Two", "2\nroses\n")):
        person.write("a", text)
        assert person("land", goal).startswith("Landed")
    person("session", "start", "Mine")
    person.write("a", "3\nroses\n")
    # What landed is made searchable in the background: what a test compares with is said once it is.
    until = time.monotonic() + 60
    while not person("search", "roses").startswith("Code\n"):
        assert time.monotonic() < until
        time.sleep(0.05)
    return person


@pytest.fixture
def here(home: Inside, between: Between) -> Iterator[Inside]:
    home.cd("w")
    yield home
    between.plain()


def said(here: Inside, line: str) -> tuple[int, str]:
    """Exit code and errors of a command, which leaves everything as it is, and is followed by one that works."""
    before = here.json("status"), here.read("a"), sorted(os.listdir(here.cwd))
    done = here.run(*line.replace("OWN", here.own).split())
    assert "Traceback" not in done.stderr, (line, done.stderr)
    assert (here.json("status"), here.read("a"), sorted(os.listdir(here.cwd))) == before, line
    return done.returncode, done.stderr


OLDER = (
    "mic: The forge does not know what this mic asks for: it is of an older version.\n"
    "     Whoever runs it can bring it up to date; `mic --version` says what is here.\n"
)
PAGE = (
    "mic: Something between here and the forge answered {} in its place.\n"
    "     Is a proxy in the way? Try again, or ask whoever runs it.\n"
)
UNREAD = (
    "mic: The forge has sent what cannot be read here.\n"
    "     Try again. If it stays so, this mic may be too old: `mic update --check`.\n"
)
GONE = "mic: The forge cannot be reached.\n     Is it running? Then try again.\n"
LATE = "mic: The forge took too long to answer.\n     Try again.\n"


def test_a_forge_that_cannot_do_it(here: Inside, between: Between) -> None:
    """It is older, or a proxy answers in its place: every command says so, and all stays as it is."""
    between.unknown = None
    for line in (*READING, *WRITING):
        assert said(here, line) == (1, OLDER), line
    between.unknown = set()
    listening, address = html_page(403)
    with listening:
        between.described = {"grpc": address}
        for line in (*READING, *WRITING):
            assert said(here, line) == (6, PAGE.format(403)), line


def test_a_newer_forge(here: Inside, between: Between) -> None:
    """What it says more is passed over: each command says what it said, and a session goes through its life."""
    expected = {line: here(*line.replace("OWN", here.own).split()) for line in READING}
    between.change = lambda method, number, message: message + UNKNOWN_FIELD
    between.described = {"protocol": 99, "features": {"later": True}, "grpc_tls_roots": ["later"]}
    for line, text in expected.items():
        assert here(*line.replace("OWN", here.own).split()) == text, line
    here.cd(".")
    assert here("clone", f"{here.own}/versions", "newer").startswith(f"Cloned {here.own}/versions @2 ")
    here.cd("newer")
    here("session", "start", "There")
    here.write("b", "there\n")
    assert here("session", "push").startswith("Pushed: There (1 file)\n")
    assert here("session", "switch", "--none") == "Put aside: There\n"
    assert here("session", "resume", "--latest").startswith("Resumed: There\n")
    assert here("land") == "Landed @3: There (1 file)\n"
    assert here.run("goto", "@1").returncode == 0
    assert here("sync").startswith("Synced @1 to @3")


def test_a_word_that_only_a_newer_forge_has(here: Inside, between: Between) -> None:
    """An operation and a state of a session that nobody here knows are shown, or said to be unknown; no traceback."""

    def later(method: str, number: int, message: bytes) -> bytes:
        if method != "GetSession":
            return message
        answer = pb.SessionResponse.FromString(message)
        if answer.session.landed_position:
            answer.session.state = "dreaming"
        for change in answer.session.changes:
            change.op = 99  # type: ignore[assignment]
        return answer.SerializeToString()

    assert here.run("session", "push", "--force").returncode == 0
    between.change = later
    assert "  ? a" in here("show", "@1")
    assert here.json("show", "@1")["session"]["changes"][0]["op"] == "unknown"
    assert said(here, "session resume --latest") == (
        2,
        "mic: What the session did to a is not known to this mic.\n     It may be too old: `mic update --check`.\n",
    )


def test_a_forge_that_is_too_slow(here: Inside, between: Between, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait has an end; a landing waits for a better day, and lands once."""
    call, stream = Client.call, Client.stream
    monkeypatch.setattr(Client, "call", lambda *given, **ways: call(*given, **ways | {"seconds": 0.5}))
    monkeypatch.setattr(Client, "stream", lambda *given, **ways: stream(*given, **ways | {"seconds": 0.5}))
    between.silent = None
    for line in ("branch list", "diff @1..@2", "org list", "project list", "clone OWN/versions elsewhere"):
        assert said(here, line) == (6, LATE), line
    monkeypatch.undo()


def test_an_answer_that_breaks_off(here: Inside, between: Between) -> None:
    """A clone whose contents stop, with or without a word, is no clone; the same command completes it."""
    here.cd(".")
    for at, error in enumerate((Cut, Ended)):
        folder = f"broken{at}"

        def breaks(method: str, number: int, message: bytes, error: type[Exception] = error) -> bytes:
            if method == "StreamBlobs":
                raise error
            return message

        between.change = breaks
        assert here.run("cache", "clear").returncode == 0
        done = here.run("clone", f"{here.own}/versions", folder)
        assert done.returncode in (1, 6), done.stderr
        assert len(done.stderr.splitlines()) == 2, done.stderr
        assert not (here.home / folder / "a").exists()
        between.plain()
        assert here.run("clone", f"{here.own}/versions", folder).returncode == 0
        assert (here.home / folder / "a").read_text() == "2\nroses\n"


def test_what_cannot_be_read(here: Inside, between: Between) -> None:
    between.change = lambda method, number, message: b"\xff\xff<html>"
    for line in ("log", "diff @1..@2", "org list", "project list", "sync", "session push"):
        assert said(here, line) == (1, UNREAD), line


def test_nothing_of_it_reaches_the_terminal(here: Inside, between: Between) -> None:
    """In a process of its own, where gRPC would write a traceback."""
    between.change = lambda method, number, message: b"\xff\xff<html>"
    done = Shell.run(here, "log")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", UNREAD)


def test_a_gateway_without_a_forge(here: Inside, between: Between) -> None:
    """502 is a forge that is not reached: what lands waits for it, once, and comes there."""
    listening, address = html_page(502)
    with listening:
        between.described = {"grpc": address}
        assert said(here, "branch list") == (6, GONE)
        assert here("session", "push").startswith("Waits to push: Mine (1 file)\n")
    between.plain()
    listening, address = html_page(403)
    with listening:
        between.described = {"grpc": address}
        # Not the forge has said no: it goes on waiting.
        assert here("sync").endswith("[6]\n")
        assert here.json("status")["pending"] == 1
    between.plain()
    assert here("sync").startswith("Pushed: Mine\n")
    assert here.json("status")["pending"] == 0
