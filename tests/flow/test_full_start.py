"""A start on a disk that is really full: one sentence, and the next start is not in its way. Needs root to mount it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from forge_database import Sqlite
from forge_process import Forge

pytestmark = pytest.mark.root

# Kibibytes: nothing at all, keys and the lock, a part of the schema, all but the rows.
ROOMS = (4, 16, 64, 256)


@pytest.fixture
def tiny(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder on a file system of that many KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={request.param}k", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def _start(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"MICELIO_DATA_DIR": str(data_dir), "PORT": "0", "GRPC_PORT": "0", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "micelio", "serve", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=40)


@pytest.mark.parametrize("tiny", ROOMS, indirect=True)
def test_a_full_disk_is_one_sentence_and_the_next_start_succeeds(tiny: Path) -> None:
    """Wherever the room ends; with room again the same directory starts."""
    data = tiny / "data"
    done = _start(data)
    assert (done.returncode, done.stdout) == (1, "")
    sentence = f"There is no space left in {data}. Free disk space and start again; nothing is lost."
    assert done.stderr == f"micelio: {sentence}\n"
    subprocess.run(["mount", "-o", "remount,size=64m", str(tiny)], check=True)
    forge = Forge(data, database=Sqlite(data), whole=True)
    try:
        assert httpx.get(f"{forge.base_url}/health/ready").status_code == 200
    finally:
        forge.stop()


# The tables take 3.6 MiB and a little more while it runs; the noise would take 3 MiB.
@pytest.mark.parametrize("tiny", [5600], indirect=True)
def test_a_first_import_that_does_not_fit_is_one_sentence_and_the_forge_starts(tiny: Path, tmp_path: Path) -> None:
    """It says that the store is full, not where in it; the next start with room imports."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "noise").write_bytes(random.Random(1).randbytes(3 << 20))
    who = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "/dev/null"}
    who |= {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_SYSTEM": "/dev/null"}
    for arguments in (("init", "-q"), ("add", "noise"), ("commit", "-q", "-m", "Make noise")):
        subprocess.run(["git", "-C", str(checkout), *arguments], check=True, env=os.environ | who)
    data = tiny / "data"
    forge = Forge(data, "--first-project", str(checkout), database=Sqlite(data), whole=True)
    try:
        assert forge.log().splitlines()[-1] == (
            "The first project was not imported: There is no space left in the forge's store. "
            "Free disk space there; nothing was changed."
        )
        forge.stop()
        subprocess.run(["mount", "-o", "remount,size=64m", str(tiny)], check=True)
        forge.start()
        assert "Make noise" in httpx.get(f"{forge.base_url}/micelio/micelio").text
    finally:
        forge.stop()
