"""`mic status` as a whole process: what it prints, how it ends, and what it may import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import mic
from mic.cli.terminal.exit_codes import exit_code
from mic.core import errors
from mic.workspace import session
from mic.workspace.status import status
from mic.workspace.workspace import Workspace

SOURCE = str(Path(mic.__file__).parents[1])
SCRIPT = Path(SOURCE).parent / "scripts" / "mic"
# All that a clean status may load on top of a bare `python -I -S`. A new name here needs a measurement.
ALLOWED = {
    "__future__", "_functools", "_operator", "gc", "zlib", "time", "mic", "mic.cli", "mic.cli.main", "mic.cli.hot",
    "mic.daemon", "mic.daemon.door", "mic.version", "mic.workspace",
    "mic.workspace.columns", "mic.workspace.goal", "mic.workspace.look", "mic.workspace.place", "mic.workspace.renew",
    "mic.workspace.scan", "mic.workspace.unwritten",
}  # fmt: skip
HEAVY = {"typing", "re", "json", "pathlib", "dataclasses", "contextlib", "enum", "collections", "click", "msgspec"}


def run(folder: str | Path, *arguments: str, modules: bool = False) -> subprocess.CompletedProcess[str]:
    """Runs mic in a process as `scripts/mic` does; with `modules` it prints sys.modules on a last line."""
    show = "print(chr(10) + ' '.join(sorted(sys.modules)))" if modules else ""
    code = f"import sys; sys.path.insert(0, {SOURCE!r}); from mic.cli.main import main; c = main({list(arguments)!r})"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"{code}; {show}\nsys.exit(c)"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"LC_ALL": "C.UTF-8"},
        check=False,
    )


def test_a_clean_status_imports_next_to_nothing(ws: Workspace) -> None:
    columns = ws.index().columns
    columns.dir_ctimes = [os.lstat(Path(ws.root, os.fsdecode(path))).st_ctime_ns for path in columns.dirs]
    columns.clock = max(*columns.ctimes, *columns.dir_ctimes) + 1
    ws.save_index(type(ws.index())(columns))
    bare = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    result = run(ws.root, "status", modules=True)
    assert result.returncode == 0, result.stderr
    loaded = set(result.stdout.splitlines()[-1].split()) - set(bare.stdout.split())
    assert loaded <= ALLOWED
    assert not loaded & HEAVY


def test_status_tells_all(ws: Workspace) -> None:
    session.start(ws, "Make it fly\nfar")
    Path(ws.root, "README").write_bytes(b"changed\n")
    os.unlink(Path(ws.root, "src/a.py"))
    Path(ws.root, "src/z\x1b[31m.py").write_bytes(b"")
    os.unlink(Path(ws.root, "link"))
    Path(ws.root, "link").write_bytes(b"")
    result = run(Path(ws.root, "src"), "status")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (
        "acme/rocket at landing 7, from http://forge.example\n"
        "Session: Make it fly ... (started just now)\n"
        "  M README\n"
        "  T link\n"
        "  D src/a.py\n"
        "  A src/z\\x1b[31m.py\n"
    )


def test_the_version_is_said_without_reading_metadata(tmp_path: Path) -> None:
    """As the package says it, with nothing imported but the door."""
    result = run(tmp_path, "--version", modules=True)
    said, _, names = result.stdout.rstrip("\n").rpartition("\n")
    assert said.strip() == f"mic {version('micelio')}"
    assert not set(names.split()) & (HEAVY | {"importlib.metadata", "site", "email"})


def test_what_asks_the_daemon_imports_a_socket_and_nothing_more(ws: Workspace, tmp_path: Path) -> None:
    """Where a daemon has the answer, the files are not even thought of."""
    (tmp_path / "run" / "mic").mkdir(parents=True, mode=0o700)
    code = f"import sys; sys.path.insert(0, {SOURCE!r}); from mic.cli.program.daemon import serve; serve()"
    environment = {"LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    if len(str(tmp_path)) > 80:
        pytest.skip("the path is too long for a socket")
    daemon = subprocess.Popen([sys.executable, "-c", code], env=environment)
    show = f"import sys; sys.path.insert(0, {SOURCE!r}); from mic.cli.main import main; c = main(['status'])"
    code = f"{show}; print(chr(10) + ' '.join(sorted(sys.modules)))"
    try:
        for _ in range(500):
            done = subprocess.run(
                [sys.executable, "-I", "-S", "-c", code], cwd=ws.root, env=environment, capture_output=True, text=True,
                check=True,
            )  # fmt: skip
            loaded = done.stdout.splitlines()[-1].split()
            if "_socket" in loaded and "mic.workspace.untracked" not in loaded and "hashlib" not in loaded:
                break
        assert done.stdout.startswith("acme/rocket at landing 7")
        bare = [sys.executable, "-I", "-S", "-c", "import sys; print(' '.join(sys.modules))"]
        extra = set(loaded) - set(subprocess.run(bare, capture_output=True, text=True, check=True).stdout.split())
        assert extra <= ALLOWED | {"_socket"}
    finally:
        daemon.terminate()
        daemon.wait()


def test_status_as_json(ws: Workspace) -> None:
    Path(os.fsdecode(os.fsencode(ws.root) + b"/caf\xe9")).write_bytes(b"x")
    os.chmod(Path(ws.root, "README"), 0o755)
    result = run(ws.root, "status", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "root": ws.root,
        "instance": "http://forge.example",
        "organization": "acme",
        "project": "rocket",
        "branch": "main",
        "position": 7,
        "tree": "ab" * 32,
        "incomplete": False,
        "sparse": None,
        "sync_stopped": False,
        "undo_stopped": False,
        "conflicts": [],
        "session": None,
        "queued": None,
        "pending": 0,
        "changes": [
            {"path": "README", "op": "modified", "mode": "100755", "old_mode": "100644"},
            {"path": "caf\ufffd", "path_bytes": "Y2Fm6Q==", "op": "added", "mode": "100644", "old_mode": None},
        ],
        "unwritten": [],
    }


def test_outside_of_a_workspace(tmp_path: Path) -> None:
    result = run(tmp_path, "status")
    assert (result.returncode, result.stdout) == (4, "")
    assert result.stderr == "mic: This is not a mic workspace.\n     `mic clone ORG/PROJECT` makes one.\n"
    result = run(tmp_path, "status", "--json")
    assert (result.returncode, result.stderr) == (4, "")
    assert json.loads(result.stdout) == {
        "error": {
            "code": "not_found",
            "message": "This is not a mic workspace.",
            "hint": "`mic clone ORG/PROJECT` makes one.",
        }
    }


def test_bare_mic_says_what_to_do_next(ws: Workspace, tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.returncode == 0
    assert "mic clone ORG/PROJECT" in result.stdout
    assert 'mic session start "GOAL"' in run(ws.root).stdout
    session.start(ws, "fly")
    Path(ws.root, "new").write_bytes(b"")
    steps = json.loads(run(ws.root, "--json").stdout)["next"]
    assert [step["command"] for step in steps] == [
        'mic session note "TEXT"',
        'mic session decide "WHAT" --why "WHY"',
        "mic diff",
        "mic land",
        "mic log",
    ]


def test_a_damaged_index_ends_with_the_way_out(ws: Workspace) -> None:
    Path(ws.root, ".mic/index").write_bytes(b"x")
    result = run(ws.root, "status")
    assert result.returncode == 1
    assert result.stderr.endswith("\n     `mic link ORG/PROJECT` here makes it anew: it writes none of your files.\n")


@pytest.mark.parametrize("links", [0, 1, 2])
@pytest.mark.parametrize("editable", [False, True])
def test_the_script_finds_its_python_also_through_symlinks(
    ws: Workspace, tmp_path: Path, links: int, editable: bool
) -> None:
    """Packages beside the interpreter or named by a .pth file, called by its path or by (relative) symlinks to it."""
    home = tmp_path / "env with space"
    packages = home / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    (home / "bin").mkdir(parents=True)
    packages.mkdir(parents=True)
    if editable:
        (packages / "_editable_impl_micelio.pth").write_text(SOURCE)
    else:
        os.symlink(Path(SOURCE) / "mic", packages / "mic")
    os.symlink(os.path.realpath(sys.executable), home / "bin" / "python")
    script = home / "bin" / "mic"
    script.write_bytes(SCRIPT.read_bytes())
    script.chmod(0o755)
    called = script
    for number in range(links):
        folder = tmp_path / f"link{number}"
        folder.mkdir()
        os.symlink(os.path.relpath(called, folder), folder / "mic")
        called = folder / "mic"
    result = subprocess.run([called, "status"], cwd=ws.root, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("acme/rocket at landing 7")


def test_status_while_another_command_works_changes_nothing(ws: Workspace) -> None:
    os.utime(Path(ws.root, "README"), ns=(1, 1))
    before = Path(ws.root, ".mic/index").read_bytes()
    with ws.lock():
        assert status(ws).changes == []
    assert Path(ws.root, ".mic/index").read_bytes() == before


def test_a_reader_that_has_seen_enough_gets_no_complaint(ws: Workspace) -> None:
    code = f"import sys; sys.path.insert(0, {SOURCE!r}); from mic.cli.main import start; start()"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code, "status"],
            cwd=ws.root,
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writer)
    assert (result.returncode, result.stderr) == (141, b"")


def test_a_folder_that_may_not_be_read_is_named(ws: Workspace) -> None:
    Path(ws.root, ".mic/config").unlink()
    Path(ws.root, ".mic/config").mkdir()
    result = run(ws.root, "status")
    assert result.returncode == 1
    assert result.stderr == (
        f"mic: {ws.root}/.mic/config: Is a directory.\n     Check the path and its permissions, then repeat.\n"
    )


def test_every_error_has_its_exit_code() -> None:
    codes = {
        errors.MicError: 1,
        errors.InvalidPath: 1,
        errors.NotFound: 4,
        errors.Unavailable: 6,
        errors.StorageFull: 6,
        errors.Unauthenticated: 5,
        errors.PermissionDenied: 5,
        errors.Conflicted: 3,
        errors.Busy: 1,
    }
    assert {kind: exit_code(kind("x")) for kind in codes} == codes
