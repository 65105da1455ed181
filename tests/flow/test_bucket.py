"""A forge whose projects lie in a bucket: the whole story, a rebuild, a restart, and a bucket that lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from forge_process import Forge
from mic.store.s3 import S3Store
from mic.store.s3_place import S3Place
from s3_server import S3Server
from scripted_s3 import ScriptedS3
from transcript import Shell, make_garden


def _settings(place: S3Place, backend: str = "s3") -> dict[str, str]:
    return {
        "STORAGE_BACKEND": backend,
        "S3_BUCKET": place.bucket,
        "S3_ENDPOINT_URL": place.endpoint,
        "S3_PREFIX": "forges/one",
        "S3_ACCESS_KEY_ID": place.access_key_id,
        "S3_SECRET_ACCESS_KEY": place.secret_access_key,
    }


def _run(data: Path, settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "micelio", *arguments],
        env=os.environ | settings | {"MICELIO_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def liar() -> Iterator[ScriptedS3]:
    running = ScriptedS3()
    running.conditions = False
    yield running
    running.stop()


@pytest.mark.parametrize("backend", ["s3", "tiered"])
def test_the_whole_story_in_a_bucket(s3_server: S3Server, tmp_path: Path, backend: str) -> None:
    """Import, clone, land, read it again; then without the database everything is made again from the bucket."""
    place = s3_server.new_place()
    forge = Forge(tmp_path / "data", **_settings(place, backend))
    try:
        assert f"Projects are in the bucket {place.endpoint}/{place.bucket}/forges/one\n" in forge.said
        assert not (forge.data_dir / "store").exists()
        assert httpx.get(f"{forge.base_url}/health/ready").status_code == 200
        shell = Shell(forge, tmp_path / "home", "ada")
        shell("org", "create", "flowers")
        make_garden(shell)
        assert shell.json("import", "git", "garden-git", "flowers/garden", "--visibility", "public")["commits"] == 3
        assert shell("clone", "flowers/garden") == "Cloned flowers/garden @3 in HOME/garden: 4 files.\n"
        shell.cd("garden")
        shell.write("src/water.py", "AT = 5.5\n")
        assert shell("land", "Water at dawn").startswith("Landed @4")
        forge.restart()
        assert shell("cat", "src/water.py", "@4") == "AT = 5.5\n"
        keys = [item.key for item in S3Store(place).list("")]
        assert keys
        assert all(key.startswith("forges/one/") for key in keys)
        assert not any("doctor" in key for key in keys)

        forge.stop()
        forge.database.lose()
        assert forge.run("rebuild") == "Projects restored: 1. Landings derived: 4."
        forge.start()
        page = httpx.get(f"{forge.base_url}/flowers/garden/-/landings?format=json").json()
        assert page["landings"][0]["goal"] == "Water at dawn"
        secret = place.secret_access_key
        assert secret not in forge.log() + forge.said
        assert secret not in "".join(p.read_text(errors="replace") for p in forge.data_dir.glob("*.json"))
    finally:
        forge.stop()


def test_a_lying_bucket_is_read_and_not_landed_on(liar: ScriptedS3, tmp_path: Path) -> None:
    """The start says why, every write is refused with that reason, and a bucket that was mended is taken again."""
    settings = _settings(liar.place)
    forge = Forge(tmp_path / "data", **settings)
    try:
        assert "The store is not safe to land on: " in forge.log()
        assert "Projects can be read; nothing lands." in forge.log()
        assert httpx.get(f"{forge.base_url}/health/ready").status_code == 200
        shell = Shell(forge, tmp_path / "home", "ada")
        shell("org", "create", "flowers")
        said = shell.json("project", "create", "flowers/garden")["error"]
        assert said["code"] == "unsafe_store"
        assert "were told that they created the same object" in said["message"]
        assert "micelio store doctor" in said["hint"]
        assert liar.objects == {}
        liar.conditions = True
        forge.restart()
        assert shell("project", "create", "flowers/garden").startswith("Made the")
    finally:
        forge.stop()


def test_a_bucket_without_conditional_updates_is_landed_on(tmp_path: Path) -> None:
    """By a sequence of commit points; the project goes on so when the bucket learns to update conditionally."""
    server = ScriptedS3()
    server.updates = False
    settings = _settings(server.place)
    forge = Forge(tmp_path / "data", **settings)
    try:
        doctor = _run(tmp_path / "data", settings, "store", "doctor")
        assert doctor.returncode == 0, doctor.stdout
        assert "Verdict: sequenced-log. The store is true. Landings are committed there" in doctor.stdout
        assert "It does not know conditional updates (501)." in doctor.stdout
        shell = Shell(forge, tmp_path / "home", "ada")
        shell("org", "create", "flowers")
        shell("project", "create", "flowers/garden")
        shell("clone", "flowers/garden")
        shell.cd("garden")
        shell.write("a.txt", "1\n")
        assert shell("land", "First").startswith("Landed @1")
        forge.restart()
        shell.write("a.txt", "2\n")
        assert shell("land", "Second").startswith("Landed @2")
        points = sorted(key.rsplit("/", 1)[1] for key in server.objects if "/landing-log/seq/" in key)
        assert points == ["0000000000000001", "0000000000000002"]
        server.updates = True
        (forge.data_dir / "store-report.json").unlink()
        forge.restart()
        shell.write("a.txt", "3\n")
        assert shell("land", "Third").startswith("Landed @3")
        assert shell("cat", "a.txt", "@2") == "2\n"
        assert "garden: sound." in forge.run("verify", "flowers/garden")
    finally:
        forge.stop()
        server.stop()


def test_the_doctor_says_what_it_found(liar: ScriptedS3, s3_server: S3Server, tmp_path: Path) -> None:
    """One line a probe and a verdict; exit code 1 unless the store is sound; --json says the same to programs."""
    data = tmp_path / "data"
    data.mkdir()
    found = _run(data, _settings(liar.place), "store", "doctor")
    assert found.returncode == 1
    assert f"The store at {liar.place.endpoint}/bucket/forges/one:" in found.stdout
    assert "  lie      create-once         An object that exists was created again.\n" in found.stdout
    assert found.stdout.splitlines()[-1].startswith("Verdict: unsafe. The store is not safe to land on: ")
    sound = _run(data, _settings(s3_server.new_place()), "store", "doctor", "--json")
    assert sound.returncode == 0, sound.stdout
    report = json.loads(sound.stdout)
    assert report["verdict"] == "sound"
    assert sum(finding["seconds"] for finding in report["findings"]) < 30
    kept = (data / "store-report.json").read_text()
    assert json.loads(kept) == report


def test_a_bucket_that_is_not_there_stops_the_start(s3_server: S3Server, tmp_path: Path) -> None:
    """With a sentence that names the setting; nothing is taken for an empty store."""
    settings = _settings(s3_server.new_place()) | {"S3_BUCKET": "nowhere"}
    found = _run(tmp_path / "data", settings | {"PORT": "0", "GRPC_PORT": "0"}, "serve")
    assert found.returncode == 1
    assert "The store could not be examined" in found.stderr
    assert "NoSuchBucket" in found.stderr
    assert found.stderr.splitlines()[0] == "Examining the bucket, which takes some seconds ..."
    assert len(found.stderr.splitlines()) == 2
