"""How much is said, and where it goes: --quiet, and a pager on a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import threading
import time
from pathlib import Path

import pytest

from between import Between
from forge_process import Forge
from forked import MIC
from inside import Inside
from terminal import Terminal


@pytest.fixture(scope="module")
def made(insider: Inside) -> Inside:
    """Somebody with a working copy `said` at @1."""
    insider.cd(".")
    insider("project", "create", f"{insider.own}/said")
    insider("clone", f"{insider.own}/said", "said")
    insider.cd("said")
    insider.write("a", "1\n")
    insider("land", "First")
    return insider


@pytest.fixture
def here(made: Inside) -> Inside:
    made.cd("said")
    return made


def test_quiet(here: Inside) -> None:
    """Nothing but errors, contents and exit codes; the document comes when it is asked for."""
    here.write("a", "2\n")
    assert here("land", "Second", "--quiet") == ""
    assert here("land", "Third", "--quiet").startswith("! mic: There is nothing to land")
    assert here("status", "--quiet") == ""
    assert here("cat", "a", "--quiet") == "2\n"
    assert here.json("log", "--quiet", "-n", "1")["landings"][0]["goal"] == "Second"
    assert here("project", "list", here.own, "--quiet") == ""
    assert here("nothing", "--quiet").endswith("[2]\n")


def test_a_project_by_host_and_colon(here: Inside) -> None:
    """As ssh and git write it."""
    host = here.forge.base_url.partition("://")[2]
    assert here("show", "@1", "--project", f"{host}:{here.own}/said").startswith("@1 First\n")
    assert here("show", "@1", "--project", f"{host}/{here.own}/said").startswith("@1 First\n")


def on_a_terminal(here: Inside, *arguments: str, **more: str) -> str:
    """What a terminal gets of a command."""
    master, slave = pty.openpty()
    environment = here.environment | {"TERM": "xterm", "COLUMNS": "100", "LINES": "30"} | more
    process = subprocess.Popen(
        [str(MIC), *arguments], cwd=here.cwd, env=environment, stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    seen, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                seen += os.read(master, 65536)
            except OSError:
                break
        elif process.poll() is not None:
            break
    assert process.wait(60) == 0
    os.close(master)
    return seen.decode().replace("\r\n", "\n")


def test_a_pager(here: Inside, tmp_path: Path) -> None:
    """What is read goes through it, in colour; what is short to say, or asked for by a program, does not."""
    script = tmp_path / "page"
    script.write_text("#!/bin/sh\necho PAGED\ncat\n")
    script.chmod(0o755)
    said = on_a_terminal(here, "show", "@1", MIC_PAGER=str(script))
    assert said.startswith("PAGED\n")
    assert "\x1b[33m@1\x1b[0m" in said
    assert "PAGED" not in on_a_terminal(here, "show", "@1", MIC_PAGER="cat", PAGER=str(script))
    assert "PAGED" not in on_a_terminal(here, "status", MIC_PAGER=str(script))
    assert "PAGED" not in on_a_terminal(here, "show", "@1", "--json", MIC_PAGER=str(script))
    assert on_a_terminal(here, "show", "@1", MIC_PAGER=str(tmp_path / "nowhere")).startswith("\x1b[33m@1")
    assert "PAGED" not in here("show", "@1")


def test_a_reader_that_has_enough(here: Inside, tmp_path: Path) -> None:
    """The code of the table, and not a word, however much there is to say."""
    here.write("long", "line\n" * 100_000)
    for command in ("diff", "diff --json", "log", "diff --help", "--help", "help diff", "--version", "status"):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [str(MIC), *command.split()], cwd=here.cwd, env=here.environment, stdout=writer, stderr=subprocess.PIPE,
            check=False,
        )  # fmt: skip
        os.close(writer)
        assert (done.returncode, done.stderr) == (141, b""), command
    script = tmp_path / "page"
    script.write_text("#!/bin/sh\nhead -n 1\n")
    script.chmod(0o755)
    with Terminal(here.cwd, here.environment, "diff", MIC_PAGER=str(script)) as at:
        assert at.end() == 141
    (here.cwd / "long").unlink()


@pytest.mark.parametrize("what", ["project", "org"])
def test_interrupted_where_a_name_is_to_be_typed(here: Inside, what: str) -> None:
    """Ctrl-C is 130, as everywhere."""
    name = here.own if what == "org" else f"{here.own}/said"
    with Terminal(here.cwd, here.environment, what, "delete", name) as at:
        at.until(b"to delete it: ")
        at.press(b"\x03")
        assert at.end() == 130
        assert at.seen.endswith(b"\r\nInterrupted. Nothing was deleted.\r\n")


def test_a_file_in_a_folder_that_stayed_empty(here: Inside) -> None:
    """Its last file was deleted, and that landed; the folder stands on, and what comes into it is seen."""
    here.write("beds/south/rose", "1\n")
    here("land", "Plant")
    (here.cwd / "beds/south/rose").unlink()
    here("land", "Dig up")
    assert (here.cwd / "beds/south").is_dir()
    assert here.json("status")["changes"] == []
    here.write("beds/south/rose", "2\n")
    assert [each["path"] for each in here.json("status")["changes"]] == ["beds/south/rose"]


@pytest.mark.parametrize("pages", [False, True])
def test_a_long_log_is_shown_as_it_comes(here: Inside, forge: Forge, tmp_path: Path, pages: bool) -> None:
    """Each landing is there before the forge is asked about the next one, behind a pager too; no call is more."""
    here.cd(".")
    folder = "long-paged" if pages else "long"
    project = f"{here.own}/{folder}"
    here("project", "create", project)
    here("clone", project, folder)
    here.cd(folder)
    for goal in ("One", "Two", "Three"):
        here.write("a", f"{goal}\n")
        here("land", goal)
    script = tmp_path / "page"
    script.write_text("#!/bin/sh\nexec cat\n")
    script.chmod(0o755)
    between, seen, asked = Between(forge), threading.Semaphore(0), []

    def hold(method: str, number: int, message: bytes) -> bytes:
        asked.append(method)
        if method == "GetSession" and asked.count(method) > 1:
            assert seen.acquire(timeout=60)
        return message

    try:
        other = Inside(between, tmp_path / "home", f"in{os.getpid()}")  # type: ignore[arg-type]
        between.change = hold
        command = ("log", "-n", "1000", "--stat", "--project", project)
        with Terminal(other.cwd, other.environment, *command, MIC_PAGER=str(script) if pages else "cat") as at:
            for goal in (b"Three", b"Two", b"One"):
                at.until(goal)
                at.until(b" 1 file changed, 1 added, ")
                seen.release()
            assert at.end() == 0
    finally:
        seen.release(3)
        between.end()
    # The contents of the first come with those of the second.
    assert asked == ["ListLandings", "GetSession", "StreamBlobs", "GetSession", "StreamBlobs", "GetSession"]
