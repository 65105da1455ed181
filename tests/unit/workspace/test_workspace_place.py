"""Finding a workspace, its small files, its lock and its session."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mic.core.errors import AlreadyExists, Busy, Corrupt, InvalidInput, NotFound
from mic.core.session import Decision, Message
from mic.workspace import goal, session
from mic.workspace.workspace import Config, Workspace
from workspace_files import CONFIG


def test_found_from_any_folder_below(ws: Workspace) -> None:
    found = Workspace.find(str(Path(ws.root, "src/deep")))
    assert found.root == ws.root
    assert found.config == CONFIG


def test_not_found_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        Workspace.find(str(tmp_path))
    assert caught.value.message == "this is not a mic workspace"
    assert caught.value.hint == "`mic clone ORG/PROJECT` makes one"


def test_created_once_only(ws: Workspace) -> None:
    with pytest.raises(AlreadyExists, match="is a mic workspace already"):
        Workspace.create(ws.root, CONFIG)


def test_the_base_moves(ws: Workspace) -> None:
    ws.set_base(9, "cd" * 32)
    assert Workspace.find(ws.root).config == CONFIG._replace(position=9, tree="cd" * 32)


def test_a_name_with_a_line_end_cannot_forge_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        Workspace.create(str(tmp_path / "x"), Config("http://forge.example", "acme\nposition=1", "p", 7, ""))


@pytest.mark.parametrize("text", [b"", b"instance=x\n", b"\xff\xfe", b"position=x\n"])
def test_a_damaged_configuration_is_named(ws: Workspace, text: bytes) -> None:
    Path(ws.root, ".mic/config").write_bytes(text)
    with pytest.raises(Corrupt, match=r"\.mic/config has no"):
        Workspace.find(ws.root)


def test_a_position_that_is_no_number_is_named(ws: Workspace) -> None:
    path = Path(ws.root, ".mic/config")
    path.write_text(path.read_text().replace("position=7", "position=seven"))
    with pytest.raises(Corrupt, match="position that is not a number"):
        Workspace.find(ws.root)


HOLD = """
import sys
from mic.workspace.workspace import Workspace
sys.argv = ["mic", "land", "A goal"]
with Workspace.find(sys.stdin.readline().strip()).lock():
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_two_processes_do_not_work_in_one_workspace_at_once(ws: Workspace) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin
        assert other.stdout
        other.stdin.write(ws.root + "\n")
        other.stdin.flush()
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Busy) as caught, ws.lock(wait=0):
            pass
        assert caught.value.message == f"this workspace is in use by `mic land A goal` (process {other.pid})"
        other.stdin.write("\n")
        other.stdin.close()
        assert other.wait() == 0
    with ws.lock(wait=0):
        pass


def test_a_session_is_kept_as_it_was_said(ws: Workspace) -> None:
    assert session.current(ws) is None
    opened = session.start(ws, "  Make it \\n fly\nand land  ", agent="claude")
    opened.conversation.append(Message("human", "ann", "why?", 5))
    opened.decisions.append(Decision("wings", "they lift"))
    session.save(ws, opened)
    read = session.current(ws)
    assert read == opened
    assert (opened.goal, opened.base_position, opened.agent, len(opened.id)) == (
        "Make it \\n fly\nand land",
        7,
        "claude",
        16,
    )
    assert goal.read_line(ws.root.encode()) == (opened.started_ms, 7, "Make it \\n fly\nand land")
    session.clear(ws)
    session.clear(ws)
    assert session.current(ws) is None
    assert goal.read_line(ws.root.encode()) is None


def test_two_sessions_do_not_share_their_lists(ws: Workspace) -> None:
    session.start(ws, "one").decisions.append(Decision("x"))
    session.clear(ws)
    assert session.start(ws, "two").decisions == []


def test_one_session_at_a_time(ws: Workspace) -> None:
    session.start(ws, "one")
    with pytest.raises(InvalidInput, match="a session is open: one"):
        session.start(ws, "two")


@pytest.mark.parametrize("text", ["", "  \n", "x" * 10_001])
def test_a_goal_is_needed_and_bounded(ws: Workspace, text: str) -> None:
    with pytest.raises(InvalidInput, match="goal"):
        session.start(ws, text)


def test_a_damaged_session_is_named(ws: Workspace) -> None:
    Path(ws.root, ".mic/session").write_bytes(b"1 7 goal\n\xc1")
    with pytest.raises(Corrupt, match=r"\.mic/session is damaged"):
        session.current(ws)
    Path(ws.root, ".mic/session").write_bytes(b"junk")
    with pytest.raises(Corrupt, match="session of this workspace is damaged"):
        goal.read_line(ws.root.encode())
