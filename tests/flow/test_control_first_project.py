"""`serve --first-project`: an empty forge takes in a checkout's history; a failure there does not stop the start."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from forge_database import Database
from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, Refused, landing

Start = Callable[..., Forge]


def _git(folder: Path, *arguments: str) -> None:
    who = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_CONFIG_GLOBAL": "/dev/null"}
    who |= {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org", "GIT_CONFIG_SYSTEM": "/dev/null"}
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=os.environ | who)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A Git repository without a commit."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "main")
    return folder


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Start:
    def make(folder: Path, database: Database | None = None) -> Forge:
        forge = Forge(tmp_path / "data", "--first-project", str(folder), database=database, whole=True)
        request.addfinalizer(forge.stop)
        return forge

    return make


def test_the_history_is_there_when_the_forge_says_it_is_ready(checkout: Path, start: Start) -> None:
    (checkout / "hello.txt").write_text("hello\n")
    _git(checkout, "add", "hello.txt")
    _git(checkout, "commit", "-q", "-m", "Say hello")
    forge = start(checkout)
    assert forge.log() == ""
    page = httpx.get(f"{forge.base_url}/micelio/micelio")
    assert page.status_code == 200
    assert "Say hello" in page.text
    assert "hello.txt" in page.text
    forge.restart()
    assert forge.log() == ""


def test_rebuild_restores_every_project_on_an_empty_database(checkout: Path, start: Start) -> None:
    """The store is the truth: without the database the forge says so, and `rebuild` makes the lists again."""
    for number in range(3):
        (checkout / "hello.txt").write_text(f"hello {number}\n")
        _git(checkout, "add", "hello.txt")
        _git(checkout, "commit", "-q", "-m", f"Say hello {number}")
    forge = start(checkout)
    forge.stop()
    forge.database.lose()
    forge.start()
    assert "run `micelio rebuild`" in forge.log()
    assert httpx.get(f"{forge.base_url}/micelio/micelio").status_code == 404
    forge.stop()
    assert forge.run("rebuild") == "Projects restored: 1. Landings derived: 3."
    assert forge.run("rebuild") == "Projects restored: 0. Landings derived: 3."
    forge.start()
    page = httpx.get(f"{forge.base_url}/micelio/micelio/-/landings").text
    assert [f"Say hello {number}" in page for number in range(3)] == [True, True, True]


@pytest.mark.parametrize("what", ["empty repository", "no repository", "no folder"])
def test_what_cannot_be_imported_is_told_and_the_forge_runs(
    checkout: Path, start: Start, tmp_path: Path, what: str
) -> None:
    folders = {"empty repository": checkout, "no repository": tmp_path, "no folder": tmp_path / "missing"}
    forge = start(folders[what])
    assert forge.log().startswith("The first project was not imported: ")
    assert len(forge.log().splitlines()) == 1
    assert httpx.get(f"{forge.base_url}/").status_code == 200
    assert httpx.get(f"{forge.base_url}/micelio/micelio").status_code == 404


def test_make_and_a_shell_between_end_with_it(tmp_path: Path) -> None:
    """Ctrl-C goes to the whole process group: nothing is left running, and the server says nothing bad."""
    (tmp_path / "Makefile").write_text(f"run:\n\t@{sys.executable} -m micelio serve\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MICELIO_")}
    process = subprocess.Popen(
        ["make", "run"],
        cwd=tmp_path,
        env=clean | {"MICELIO_DATA_DIR": str(tmp_path / "data"), "PORT": "0", "GRPC_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Press Ctrl-C"):
            break
    os.killpg(process.pid, signal.SIGINT)
    _, complaints = process.communicate(timeout=30)
    assert "Traceback" not in complaints
    assert "micelio:" not in complaints
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_make_takes_the_interpreter_that_a_virtual_environment_came_from(tmp_path: Path) -> None:
    """With .venv/bin first on PATH `make` means the Python that it meant before: .venv has no pip to fetch uv with."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    base = Path(sys.base_prefix, "bin")
    clean = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    written = []
    for first in (base, tmp_path / "venv" / "bin"):
        subprocess.run(
            ["make", "-s", "-f", Path(__file__).parents[2] / "Makefile", ".tools/python"],
            cwd=tmp_path,
            env=clean | {"PATH": f"{first}:{os.environ['PATH']}"},
            check=True,
        )
        written.append((tmp_path / ".tools" / "python").read_text())
    assert written[0] == written[1]
    assert os.path.samefile(written[0].strip(), base / "python3.11")


def _empty_project(forge: Forge, owner: str, handle: str) -> None:
    with Caller(forge.grpc_address, forge.token("admin")) as admin:
        with contextlib.suppress(Refused):
            admin("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=owner))
        request = pb.CreateProjectRequest(organization=owner, handle=handle, visibility="public")
        admin("ProjectService.CreateProject", request)


def test_an_import_that_was_interrupted_is_taken_up_again(checkout: Path, start: Start, tmp_path: Path) -> None:
    """What it left, a project without a landing, is filled at the next start and not again at the one after."""
    (checkout / "hello.txt").write_text("hello\n")
    _git(checkout, "add", "hello.txt")
    _git(checkout, "commit", "-q", "-m", "Say hello")
    before = Forge(tmp_path / "data")
    _empty_project(before, "micelio", "micelio")
    before.stop()
    forge = start(checkout, before.database)
    assert forge.log() == ""
    assert "Say hello" in httpx.get(f"{forge.base_url}/micelio/micelio/-/landings/1").text
    forge.restart()
    assert forge.log() == ""
    assert httpx.get(f"{forge.base_url}/micelio/micelio/-/landings/2").status_code == 404


@pytest.mark.parametrize("known", [["micelio", "other"], ["landed"]])
def test_a_forge_in_use_takes_in_nothing(checkout: Path, start: Start, tmp_path: Path, known: list[str]) -> None:
    """Two projects, or one with a landing: somebody works here."""
    (checkout / "hello.txt").write_text("hello\n")
    _git(checkout, "add", "hello.txt")
    _git(checkout, "commit", "-q", "-m", "Say hello")
    before = Forge(tmp_path / "data")
    for handle in known:
        _empty_project(before, "micelio", handle)
    if known == ["landed"]:
        with Caller(before.grpc_address, before.token("admin")) as admin:
            project = pb.ProjectRef(organization="micelio", handle="landed")
            admin("SessionService.LandSession", landing(project, {b"a": b"a"}))
    before.stop()
    forge = start(checkout, before.database)
    assert forge.log() == ""
    page = httpx.get(f"{forge.base_url}/micelio/micelio/-/landings/1")
    assert page.status_code == 404
