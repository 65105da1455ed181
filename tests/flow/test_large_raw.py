"""Large contents leave the page threads."""

from __future__ import annotations

import hashlib
import random
import socket
import urllib.parse
from collections.abc import Iterator

import httpx
import pytest

from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World, landing, upload

SIZE = 24 << 20
PART = 1 << 20
READERS = 16  # more than twice the page threads


@pytest.fixture(scope="module")
def content() -> bytes:
    return random.Random(7).randbytes(SIZE)


@pytest.fixture(scope="module")
def address(forge: Forge, content: bytes) -> Iterator[str]:
    """The raw address of a file of 24 MiB in a public project."""
    world = World(forge)
    digest = hashlib.sha256(content).digest()
    parts = [
        pb.BlobFrame(hash=digest, size=SIZE, offset=at, length=PART, data=content[at : at + PART])
        for at in range(0, SIZE, PART)
    ]
    receipt = world.rita("ProjectService.UploadBlobs", upload(world.open, parts))
    request = landing(world.open, {}, base_position=1)
    request.session.changes.add(path=b"large.bin", mode=0o100644, hash=digest, size=SIZE)
    request.packs.extend(receipt.packs)
    world.rita("SessionService.LandSession", request)
    yield f"{forge.base_url}/{world.organization}/open/-/raw/head/large.bin"
    world.close()


def test_a_large_content_arrives_whole(address: str, content: bytes) -> None:
    """Byte for byte, as a download, with its size, and without the name that the pages hand over by."""
    answer = httpx.get(address)
    assert answer.content == content
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''large.bin"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "x-micelio-content" not in answer.headers
    head = httpx.head(address)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(SIZE))


def test_slow_readers_do_not_hold_the_pages(address: str, forge: Forge) -> None:
    """Sixteen readers who never read leave the pages as they were."""
    parts = urllib.parse.urlsplit(address)
    readers = []
    try:
        for _ in range(READERS):
            reader = socket.create_connection((str(parts.hostname), int(parts.port or 0)))
            readers.append(reader)
            reader.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert reader.recv(12) == b"HTTP/1.1 200"
        assert httpx.get(f"{forge.base_url}/", timeout=10).status_code == 200
    finally:
        for reader in readers:
            reader.close()
