"""`mic land --async` as an agent meets it: go on working, learn the outcome later, lose nothing."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import signal
import subprocess
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from forge_process import Forge
from forked import MIC
from mic.workspace.session import current, save
from mic.workspace.workspace import Workspace
from transcript import Shell

QUEUED = "The forge has it and lands it in turn; `mic land --wait` says where.\n"


@pytest.fixture
def garden(shell: Shell, name: str) -> str:
    """A project with one landing, and a working copy of it."""
    shell("project", "create", f"{name}/garden")
    shell("clone", f"{name}/garden", "here")
    shell.cd("here")
    shell.write("rose", "red\n")
    assert shell("land", "Plant") == "Landed @1: Plant (1 file)\n"
    return f"{name}/garden"


def test_it_lands_while_one_goes_on_working(shell: Shell, garden: str) -> None:
    """Queued at once; the outcome comes with --wait, which may be asked again; edits made meanwhile stay edits."""
    shell.write("rose", "white\n")
    shell.write("tulip", "yellow\n")
    assert shell("land", "--async", "Paint") == f"Queued: Paint (2 files)\n{QUEUED}"
    assert "Queued to land: Paint (`mic land --wait` says where)\n" in shell("status")
    shell.write("tulip", "black\n")
    assert shell("land", "--wait") == "Landed @2: Paint (2 files)\n"
    assert shell("status") == f"{garden} at landing 2, from FORGE\nNo session is open.\n  M tulip\n"
    assert shell("land", "--wait") == "Already landed @2: Paint\n"
    assert shell("cat", "tulip") == "yellow\n"
    assert shell("land", "Black") == "Landed @3: Black (1 file)\n"


def test_undo_takes_back_nothing_below_it(shell: Shell, garden: str) -> None:
    """The session before would come back on a base that goes on, without the files that land: both wait or both go."""
    shell("session", "start", "Later")
    shell("session", "switch", "--none")
    shell.write("tulip", "yellow\n")
    shell("land", "--async", "Tulip")
    refused = shell.run("undo")
    assert (refused.returncode, refused.stderr) == (
        2,
        "mic: mic land stays: the forge has it, and `mic land --wait` says what became of it.\n"
        "     `mic op log` lists what was done.\n",
    )
    assert shell.read("tulip") == "yellow\n"
    assert shell("land", "--wait") == "Landed @2: Tulip (1 file)\n"


def test_a_session_of_an_earlier_base_lands_on_top(shell: Shell, garden: str) -> None:
    """Earlier versions left one there where `mic undo` had opened it while another waited to land."""
    here = shell.cd("here")
    shell("session", "start", "Later")
    shell.write("rose", "white\n")
    ws = Workspace.find(here)
    session = current(ws)
    assert session is not None
    session.base_position = 0
    save(ws, session)
    assert shell("sync") == "Nothing new: your base @1 is the newest landing.\n"
    assert shell("land") == "Landed @2: Later (1 file)\n"


def test_a_repeated_command_lands_once(shell: Shell, garden: str) -> None:
    """Sent again before and after it landed: one position, whichever way it is asked."""
    shell.write("rose", "white\n")
    shell("land", "--async", "Paint")
    assert shell("land", "--async", "Paint") in (f"Queued: Paint (1 file)\n{QUEUED}", "Landed @2: Paint (1 file)\n")
    again = shell("land")
    assert again in ("Landed @2: Paint (1 file)\n", "Already landed @2: Paint\n")
    assert shell.json("land", "--wait")["position"] == 2
    assert len(shell.json("log")["landings"]) == 2


def test_the_next_session_waits_for_it(shell: Shell, garden: str) -> None:
    """Three sessions one behind the other, none of which waits by itself."""
    for number, goal in enumerate(("One", "Two", "Three"), 2):
        shell("session", "start", goal)
        shell.write("rose", f"{goal}\n")
        assert shell("land", "--async").startswith(f"Queued: {goal} (1 file)\n"), number
    assert shell("land", "--wait") == "Landed @4: Three (1 file)\n"
    goals = [item["goal"] for item in shell.json("log")["landings"]]
    assert goals == ["Three", "Two", "One", "Plant"]


def test_a_clash_gives_the_session_back(shell: Shell, garden: str) -> None:
    """Exit code 3 as for a landing at once; sync, mend, and the same session lands, asynchronously again."""
    shell("clone", garden, "../there")
    shell.write("rose", "white\n")
    shell("session", "start", "Whiten")
    shell("session", "decide", "White", "--why", "Light")
    own = shell.json("session", "status")["session"]["id"]
    shell.cd("there")
    shell.write("rose", "blue\n")
    shell("land", "Blue")
    shell.cd("here")
    assert shell("land", "--async") == f"Queued: Whiten (1 file)\n{QUEUED}"
    red, white, blue = (hashlib.sha256(text).hexdigest()[:10] for text in (b"red\n", b"white\n", b"blue\n"))
    assert shell("land", "--wait") == (
        "! mic: This session clashes with what landed since @1; nothing was landed.\n"
        f"!   rose: changed on both sides; base {red}, ours {white}, theirs {blue}, @2\n"
        f"!   @2 Blue (u{garden.partition('/')[0]})\n"
        "!      Run `mic sync`, mend what it marks, land again. `mic show @2` says what the other side meant.\n"
        "[3]\n"
    )
    shown = shell("show", own)
    assert shown.startswith("conflicted Whiten\n")
    assert "Not landed: Session SESSION clashes with what landed since @1: rose.\n" in shown
    assert shell.read("rose") == "white\n"
    assert shell.json("session", "status")["session"]["decisions"][0]["what"] == "White"
    assert shell("sync", "--ours", "rose").startswith("Synced @1 to @2")
    assert shell("land", "--async") == f"Queued: Whiten (1 file)\n{QUEUED}"
    assert shell("land", "--wait") == "Landed @3: Whiten (1 file)\n"
    assert shell.json("show", "@3")["session"]["id"] == own


def test_a_merge_on_the_forge_comes_back(shell: Shell, garden: str) -> None:
    """What the forge merged is on disk after --wait, and another landing does not undo it."""
    shell.write("rose", "1\n2\n3\n")
    shell("land", "Lines")
    shell("clone", garden, "../there")
    shell.cd("there")
    shell.write("rose", "one\n2\n3\n")
    shell("land", "First")
    shell.cd("here")
    shell.write("rose", "1\n2\nthree\n")
    shell("land", "--async", "Last")
    assert shell("land", "--wait") == "Landed @4: Last (1 file)\nmerged with what landed meanwhile: rose\n"
    assert shell.read("rose") == "one\n2\nthree\n"
    assert "Nothing changed." in shell("status")


def test_a_lost_answer_to_a_merge_undoes_nothing(shell: Shell, garden: str) -> None:
    """The forge has landed and merged, the answer is lost, the command is repeated: others' lines stay."""
    shell.write("rose", "1\n2\n3\n")
    shell("land", "Lines")
    shell("clone", garden, "../there")
    shell.cd("there")
    shell.write("rose", "one\n2\n3\n")
    shell("land", "First")
    here = shell.cd("here")
    shell("session", "start", "Last")
    shell.write("rose", "1\n2\nthree\n")
    session = (here / ".mic/session").read_bytes()
    index, config = (here / ".mic/index").read_bytes(), (here / ".mic/config").read_bytes()
    assert shell("land") == "Landed @4: Last (1 file)\nmerged with what landed meanwhile: rose\n"
    # As it was before the answer came.
    for file, data in (("session", session), ("index", index), ("config", config)):
        (here / ".mic" / file).write_bytes(data)
    (here / ".mic/landed").unlink()
    shell.write("rose", "1\n2\nthree\n")
    assert shell("land") == "Already landed @4: Last (1 file)\nmerged with what landed meanwhile: rose\n"
    assert shell.read("rose") == "one\n2\nthree\n"
    assert "Nothing changed." in shell("status")


def test_sync_takes_the_outcome_in_first(shell: Shell, garden: str) -> None:
    """A sync behind a queued landing stands on what landed, with nothing left over."""
    shell.write("rose", "white\n")
    shell("land", "--async", "Paint")
    assert shell("sync") == (
        "Nothing new: your base @2 is the newest landing.\n! Landed @2 meanwhile: Paint (1 file)\n"
    )
    assert "Nothing changed." in shell("status")


@contextlib.contextmanager
def nothing_lands(forge: Forge, project: str) -> Iterator[None]:
    """The head of a project cannot be swapped for so long: another holder of its lock, as another process can be."""
    root = forge.data_dir / "store"
    key = f"projects/{project}/head"
    with open(root / ".locks" / f"{zlib.crc32(key.encode()) % 256:02x}", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _project_id(forge: Forge) -> str:
    return next(item.stem for item in (forge.data_dir / "store/registry").iterdir())


def test_a_killed_forge_lands_what_it_accepted(own_forge: Forge, tmp_path: Path) -> None:
    """kill -9 between acceptance and landing; the next start lands it, and the client learns the position."""
    shell = Shell(own_forge, tmp_path / "home", "ada")
    shell("org", "create", "acme")
    shell("project", "create", "acme/garden")
    shell("clone", "acme/garden", "here")
    shell.cd("here")
    shell.write("rose", "red\n")
    with nothing_lands(own_forge, _project_id(own_forge)):
        assert shell("land", "--async", "Plant") == f"Queued: Plant (1 file)\n{QUEUED}"
        own_forge.stop(signal.SIGKILL)
    assert shell.run("land", "--wait").returncode == 6
    assert "Queued to land: Plant" in shell("status")
    own_forge.start()
    assert shell("land", "--wait") == "Landed @1: Plant (1 file)\n"
    assert not list((own_forge.data_dir / "store/projects" / _project_id(own_forge) / "intents").iterdir())


@pytest.mark.parametrize("how", [["land"], ["land", "--async"]])
def test_a_killed_mic_asks_again(own_forge: Forge, tmp_path: Path, how: list[str]) -> None:
    """mic is killed between request and answer, the forge lands; the same command again gives that position."""
    shell = Shell(own_forge, tmp_path / "home", "ada")
    shell("org", "create", "acme")
    shell("project", "create", "acme/garden")
    shell("clone", "acme/garden", "here")
    here = shell.cd("here")
    shell("session", "start", "Plant")
    shell.write("rose", "red\n")
    project = own_forge.data_dir / "store/projects" / _project_id(own_forge)
    with nothing_lands(own_forge, project.name):
        running = subprocess.Popen([str(MIC), *how], cwd=here, env=shell.environment, stdout=subprocess.PIPE)
        # The forge has the request when it has written the epoch, just before the swap that cannot be done.
        tail = project / "landing-log/tail"
        while len(list(tail.glob("0000000000000001-*"))) == 0:
            time.sleep(0.005)
        running.kill()
        running.communicate()
    again = shell(*how)
    if again.startswith("Queued"):
        again = shell("land", "--wait")
    assert again.replace("Already landed", "Landed") == "Landed @1: Plant (1 file)\n"
    assert [item["position"] for item in shell.json("log")["landings"]] == [1]
    assert "Nothing changed." in shell("status")
