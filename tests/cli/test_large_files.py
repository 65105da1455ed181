"""What the client sends of a large file, taken in by the data plane of a project without a forge around it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ledgers import request
from mic.cli.transfer.large_files import LargeFiles, Outlined, outline_file
from mic.core.errors import InvalidInput
from mic.core.ids import content_hash
from mic.ledger.frame import Frame
from mic.ledger.ledger import Ledger
from mic.ledger.project import LandRequest, Project
from mic.rpc.v1 import mic_pb2 as pb
from mic.store import MemoryStore

# 85 MiB without a repetition: some 1,200 chunks, in pages.
PAGED = hashlib.shake_128(b"noise").digest(85 << 20)
FLAT = PAGED[: 5 << 20]


class Direct:
    """The two questions of a client, answered by a project; the answers are kept."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.asked: list[int] = []

    def missing(self, _: pb.ProjectRef, hashes: list[bytes]) -> set[bytes]:
        self.asked.append(len(hashes))
        return {item for item in hashes if not self._project.has_blob(item)}

    def incomplete_pages(self, _: pb.ProjectRef, hashes: list[bytes]) -> set[bytes]:
        self.asked.append(len(hashes))
        return set(self._project.incomplete_pages(hashes))


@pytest.fixture
def project() -> Project:
    made = Ledger(MemoryStore()).open("p")
    made.create()
    return made


def _frames(project: Project, folder: Path, *names: str) -> Iterator[pb.BlobFrame]:
    ws: Any = SimpleNamespace(root=str(folder))
    client: Any = Direct(project)
    files = LargeFiles(client, ws, pb.ProjectRef())
    for name in names:
        yield from files.frames(name.encode(), outline_file(ws, name.encode()))


def _land(project: Project, data: bytes, frames: list[pb.BlobFrame]) -> None:
    upload = project.upload()
    for item in frames:
        zstd = item.encoding == pb.BlobFrame.ZSTD
        project.run(upload.receive(Frame(item.hash, item.size, 0, item.length, zstd, item.data, item.chunk_list)))
    position = project.head().position
    sent = request(project, position + 1, position, {b"large": data}, send=False)
    project.land(LandRequest(sent.session, {}, project.run(upload.finish())))


@pytest.mark.parametrize("data", [FLAT, PAGED], ids=["flat", "paged"])
def test_an_edit_sends_what_is_new(tmp_path: Path, project: Project, data: bytes) -> None:
    """First everything, then the chunk around an inserted byte, its page and the list; at last nothing but the list."""
    path = tmp_path / "large"
    path.write_bytes(data)
    _land(project, data, list(_frames(project, tmp_path, "large")))
    assert project.blob(content_hash(data), limit=len(data)) == data
    edited = data[: len(data) // 2] + b"!" + data[len(data) // 2 :]
    path.write_bytes(edited)
    frames = list(_frames(project, tmp_path, "large"))
    assert [frame.chunk_list for frame in frames] == [False] * (len(frames) - 1) + [True]
    assert len(frames) <= (5 if data is PAGED else 3)
    assert sum(frame.ByteSize() for frame in frames) <= 200_000
    _land(project, edited, frames)
    assert project.blob(content_hash(edited), limit=len(edited)) == edited
    assert [frame.chunk_list for frame in _frames(project, tmp_path, "large")] == [True]


def test_chunks_that_two_files_share_are_sent_once(tmp_path: Path, project: Project) -> None:
    (tmp_path / "one").write_bytes(FLAT)
    (tmp_path / "two").write_bytes(FLAT + b"more")
    frames = list(_frames(project, tmp_path, "one", "two"))
    sent = [frame.hash for frame in frames if not frame.chunk_list]
    assert len(sent) == len(set(sent))
    assert len(FLAT) < sum(frame.length for frame in frames if not frame.chunk_list) < len(FLAT) + (128 << 10)
    assert sum(frame.chunk_list for frame in frames) == 2


def test_a_file_that_is_edited_while_it_is_sent(tmp_path: Path, project: Project) -> None:
    ws: Any = SimpleNamespace(root=str(tmp_path))
    client: Any = Direct(project)
    (tmp_path / "large").write_bytes(FLAT)
    made = outline_file(ws, b"large")
    assert (made.hash, made.size) == (content_hash(FLAT), len(FLAT))
    (tmp_path / "large").write_bytes(FLAT[:-1] + b"x")
    with pytest.raises(InvalidInput, match="large changed while it was sent"):
        list(LargeFiles(client, ws, pb.ProjectRef()).frames(b"large", made))


def test_an_outline_is_small(tmp_path: Path) -> None:
    """36 bytes a chunk are kept, whatever the file holds."""
    (tmp_path / "large").write_bytes(PAGED)
    made: Outlined = outline_file(SimpleNamespace(root=str(tmp_path)), b"large")  # type: ignore[arg-type]
    assert len(made.outline.pages) >= 3
    assert sum(map(len, made.outline.pages)) < 36 * 1500
