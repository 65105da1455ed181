"""Collection in a process of its own: what it is asked, what it tells, and that it ends with whoever began it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from ledgers import land
from mic.core.errors import Unavailable
from mic.core.ids import content_hash
from mic.ledger.frame import Frame
from mic.ledger.ledger import Ledger
from mic.store import DirectoryStore
from mic.store.refused import RefusedStore
from micelio.projects import jobs
from micelio.projects.collecting import collect_apart
from micelio.projects.collector import Asked, Told
from scripted_s3 import ScriptedS3

WHOLE, DAMAGED = UUID(int=1).hex, UUID(int=2).hex


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "MICELIO_DATA_DIR": str(tmp_path)}


def test_a_round_is_done_elsewhere(tmp_path: Path, environment: dict[str, str]) -> None:
    ledger = Ledger(DirectoryStore(tmp_path / "store"))
    project = ledger.open(WHOLE)
    project.create()
    land(project, 1, 0, {b"a": b"one\n"})
    upload, text = project.upload(), b"left behind\n"
    project.run(upload.receive(Frame(content_hash(text), len(text), 0, len(text), False, text)))
    (pack,) = project.run(upload.finish())
    ledger.open(DAMAGED).create()
    (tmp_path / f"store/projects/{DAMAGED}/head").write_bytes(b"no head")
    # A round that takes longer than half of the grace removes nothing, so on a busy machine it may be a later one.
    asked = Asked([DAMAGED, WHOLE], keep=0, grace=500)
    told: list[Told] = []
    while not told or told[-1] == Told(WHOLE):
        told += collect_apart(asked, environment)
    assert len(told) >= 6
    assert told[-1] == Told(WHOLE, removed=1)
    assert told[0].line == DAMAGED
    assert "head is damaged" in told[0].error
    assert not (tmp_path / "store" / project.line.pack_key(pack.hash)).exists()


def test_its_end_before_its_work_is_told(environment: dict[str, str]) -> None:
    with pytest.raises(Unavailable, match=r"ended with 1 before its work was done"):
        list(collect_apart(Asked([WHOLE]), {**environment, "STORAGE_BACKEND": "nowhere"}))


def test_it_ends_with_whoever_began_it(environment: dict[str, str]) -> None:
    # A million lines that there are not: it would be at work for minutes.
    asked = msgspec.json.encode(Asked([WHOLE] * 1_000_000))
    command = [sys.executable, "-m", "micelio.projects.collector"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(asked + b"\n")
        process.stdin.flush()
        assert msgspec.json.decode(process.stdout.readline(), type=Told).error
        process.stdin.close()
        assert process.wait(10) == 0


def test_a_store_that_the_forge_has_judged_is_not_examined_again(environment: dict[str, str]) -> None:
    server = ScriptedS3()
    try:
        there = server.place
        bucket = {
            "STORAGE_BACKEND": "s3",
            "S3_BUCKET": there.bucket,
            "S3_ENDPOINT_URL": there.endpoint,
            "S3_ACCESS_KEY_ID": there.access_key_id,
            "S3_SECRET_ACCESS_KEY": there.secret_access_key,
        }
        (told,) = collect_apart(Asked([WHOLE]), {**environment, **bucket})
        assert told.error
        assert [asked for asked in server.asked if not asked.startswith("GET")] == []
    finally:
        server.stop()


@pytest.mark.django_db
@pytest.mark.parametrize(("lines", "refused"), [([], False), ([UUID(WHOLE)], True)])
def test_nothing_is_begun_without_lines_or_on_a_store_that_is_not_written_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lines: list[UUID], refused: bool
) -> None:
    store = DirectoryStore(tmp_path)
    monkeypatch.setattr(jobs, "all_lines", lambda: lines)
    monkeypatch.setattr(jobs, "bucket", lambda: RefusedStore(store, "It lies.") if refused else store)
    monkeypatch.setattr(jobs, "collect_apart", lambda asked: pytest.fail(f"begun: {asked}"))
    assert jobs.collect_projects.func() == 0


@pytest.mark.django_db
def test_the_job_goes_on_past_what_is_damaged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked_for: list[list[str]] = []

    def rounds(asked: Asked) -> Iterator[Told]:
        asked_for.append(asked.lines)
        yield Told(WHOLE, 3, {"packs/x.pack": "the disk is full"})
        yield Told(DAMAGED, error="projects/2/head is damaged")

    monkeypatch.setattr(jobs, "all_lines", lambda: [UUID(WHOLE), UUID(DAMAGED)])
    monkeypatch.setattr(jobs, "collect_apart", rounds)
    with caplog.at_level(logging.ERROR):
        assert jobs.collect_projects.func() == 3
    assert asked_for == [[WHOLE, DAMAGED]]
    assert f"project {UUID(WHOLE)}: packs/x.pack cannot be removed: the disk is full" in caplog.text
    assert f"project {UUID(DAMAGED)}: what nothing names stays where it is: projects/2/head is damaged" in caplog.text
