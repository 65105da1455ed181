"""Clones of many files: several processes write, each may be killed, and what comes of it is what landed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from forked import MIC
from transcript import Shell

FILES = 4_500


@pytest.fixture
def many(shell: Shell, name: str) -> Path:
    """The folder of a working copy whose files have landed as NAME/many."""
    shell("project", "create", f"{name}/many")
    shell("clone", f"{name}/many", "first")
    folder = shell.cd("first")
    for number in range(FILES):
        file = folder / f"folder-{number % 30}/file-{number:05}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"the same\n" if number % 9 == 0 else b"%d\n" % number * (number % 400))
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    (folder / "link").symlink_to("folder-1/file-00001")
    large = os.urandom(5 << 20)
    for where in ("large", "folder-7/large"):
        (folder / where).write_bytes(large)
    assert shell.json("land", "Many")["files"] == FILES + 4
    shell.cd(".")
    return folder


def state(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Each file: its kind and execute bit, and its content."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for above, folders, names in os.walk(folder):
        if above == str(folder):
            folders.remove(".mic")
        for each in names:
            path = Path(above, each)
            mode = path.lstat().st_mode & 0o170100
            found[str(path.relative_to(folder))] = (mode, os.readlink(path) if path.is_symlink() else path.read_bytes())
    return found


def begun(shell: Shell, project: str, folder: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """A clone that has written some files, and the processes that write."""
    running = subprocess.Popen(
        [str(MIC), "clone", project, folder.name], cwd=shell.cwd, env=shell.environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not any(folder.glob("folder-*/*")):
        assert running.poll() is None, running.communicate()
    running.send_signal(signal.SIGSTOP)
    writers = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    return running, list(map(int, writers))


def test_everything_arrives(shell: Shell, many: Path, name: str) -> None:
    """With nothing at hand, and with all contents from an earlier clone."""
    expected = state(many)
    shell.environment["XDG_CACHE_HOME"] = str(shell.home / "another-cache")
    for folder in ("second", "third"):
        assert (
            shell("clone", f"{name}/many", folder) == f"Cloned {name}/many @1 in HOME/{folder}: {FILES + 4:,} files.\n"
        )
        assert state(shell.home / folder) == expected
        assert os.listdir(shell.home / folder / ".mic/tmp") == []
        shell.cd(folder)
        assert shell.json("status")["changes"] == []
        shell.cd(".")


@pytest.mark.parametrize("whom", ["clone", "writers"])
def test_a_process_is_killed(shell: Shell, many: Path, name: str, whom: str) -> None:
    """The clone ends, no process is left, and the same command completes it."""
    folder = shell.home / "second"
    shell.environment["XDG_CACHE_HOME"] = str(shell.home / "another-cache")
    running, writers = begun(shell, f"{name}/many", folder)
    assert writers
    for process in [running.pid] if whom == "clone" else writers:
        os.kill(process, signal.SIGKILL)
    running.send_signal(signal.SIGCONT)
    _, errors = running.communicate(timeout=60)
    if whom == "writers":
        assert running.returncode == 6
        assert "mic: A process that wrote files was ended." in errors
        assert not any(Path(f"/proc/{writer}").exists() for writer in writers)
    assert shell("clone", f"{name}/many", "second") == (
        f"Completed {name}/many @1 in HOME/second: {FILES + 4:,} files.\n"
    )
    assert state(folder) == state(many)
    assert os.listdir(folder / ".mic/tmp") == []


def test_interrupted_at_the_keyboard(shell: Shell, many: Path, name: str) -> None:
    """Ctrl-C reaches all processes; one of them speaks."""
    running, writers = begun(shell, f"{name}/many", shell.home / "second")
    for process in (*writers, running.pid):
        os.kill(process, signal.SIGINT)
    running.send_signal(signal.SIGCONT)
    _, errors = running.communicate(timeout=60)
    assert (running.returncode, errors) == (
        130,
        "\nInterrupted. Run the same command again: it completes what is there.\n",
    )
    assert not any(Path(f"/proc/{writer}").exists() for writer in writers)
    assert shell("clone", f"{name}/many", "second").startswith("Completed ")
    assert state(shell.home / "second") == state(many)


_IN_PAGES = """
import sys
import mic.rpc.client as rpc
from mic.cli.main import main
from mic.core.errors import Unavailable

rpc.TREE_PAGE = 1000
pages = rpc.Client._pages

def some(self, request):
    for number, page in enumerate(pages(self, request)):
        if number == int(sys.argv[1]):
            raise Unavailable("The forge went away.", hint="Try again.")
        yield page

rpc.Client._pages = some
sys.exit(main(sys.argv[2:]))
"""


def test_the_listing_breaks_off(shell: Shell, many: Path, name: str) -> None:
    """What was listed is being written by then; the same command completes it, and a whole listing is one."""
    shell.environment["XDG_CACHE_HOME"] = str(shell.home / "another-cache")

    def in_pages(stop: int, folder: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", _IN_PAGES, str(stop), "clone", f"{name}/many", folder],
            cwd=shell.cwd, env=shell.environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    broken = in_pages(3, "second")
    assert (broken.returncode, broken.stdout) == (6, "")
    again = f"`mic clone {name}/many second`"
    assert broken.stderr == f"mic: The forge went away.\n     Run {again} again: it completes what is there.\n"
    assert not (shell.home / "second/.mic/index").exists()
    assert shell("clone", f"{name}/many", "second").startswith("Completed ")
    assert state(shell.home / "second") == state(many)
    shell.environment["XDG_CACHE_HOME"] = str(shell.home / "one-more-cache")
    assert in_pages(99, "third").stdout == f"Cloned {name}/many @1 in {shell.home}/third: {FILES + 4:,} files.\n"
    assert state(shell.home / "third") == state(many)


_BESIDE_A_THREAD = """
import _thread, sys, time
from mic.cli.transfer.writers import Writers
if sys.argv[1] == "beside":
    held = _thread.allocate_lock()
    held.acquire()
    _thread.start_new_thread(held.acquire, ())  # as a library's own: `threading` knows nothing of it
    time.sleep(0.05)
with Writers() as writers:
    print(writers.pay(100_000))
import os
os._exit(0)
"""


@pytest.mark.parametrize(("how", "forks"), [("alone", "True\n"), ("beside", "False\n")])
def test_nothing_is_forked_beside_a_thread_of_a_library(how: str, forks: str) -> None:
    """Such as gRPC's, once it was used: a fork may wait for them for ever."""
    told = subprocess.run(
        [sys.executable, "-c", _BESIDE_A_THREAD, how], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout == forks or len(os.sched_getaffinity(0)) == 1
