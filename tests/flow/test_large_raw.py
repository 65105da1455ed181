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
    request = landing(world.open, {b"small.txt": b"0123456789"}, base_position=1)
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


PARTS = {
    "first bytes": ("bytes=0-9", 0, 10),
    "across chunks": ("bytes=100000-400000", 100_000, 400_001),
    "to the end": (f"bytes={SIZE - 5}-", SIZE - 5, SIZE),
    "beyond the end": (f"bytes={SIZE - 5}-{SIZE + 5}", SIZE - 5, SIZE),
    "last bytes": ("bytes=-70000", SIZE - 70_000, SIZE),
    "more than all": (f"bytes=-{SIZE * 2}", 0, SIZE),
}


@pytest.mark.parametrize("wanted", PARTS)
def test_a_part_of_a_large_content(address: str, content: bytes, wanted: str) -> None:
    """206 with exactly these bytes and where they lie."""
    said, start, stop = PARTS[wanted]
    answer = httpx.get(address, headers={"Range": said})
    assert answer.status_code == 206
    assert answer.content == content[start:stop]
    assert answer.headers["content-length"] == str(stop - start)
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("said", [f"bytes={SIZE}-", f"bytes={SIZE + 1}-{SIZE + 2}", "bytes=-0"])
def test_a_part_that_is_not_there(address: str, said: str) -> None:
    answer = httpx.get(address, headers={"Range": said})
    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (416, b"", f"bytes */{SIZE}")


@pytest.mark.parametrize(
    "said", ["bytes=0-1,5-6", "bytes=9-1", "bytes=-", "lines=1-2", "bytes=a-b", "bytes=١-٢".encode()]
)
def test_what_is_no_single_range_is_answered_whole(address: str, said: str | bytes) -> None:
    with httpx.stream("GET", address, headers={"Range": said}) as answer:
        assert (answer.status_code, answer.headers["content-length"]) == (200, str(SIZE))
        assert answer.headers["accept-ranges"] == "bytes"


def test_a_part_of_the_same_content_only(address: str, content: bytes) -> None:
    """If-Range goes by the entity tag: another one, or a date, is answered with all of the file as it is now."""
    tag = httpx.head(address, headers={"Range": "bytes=0-1"}).headers["etag"]
    assert tag == f'"{hashlib.sha256(content).hexdigest()}"'
    same = httpx.get(address, headers={"Range": "bytes=2-3", "If-Range": tag})
    assert (same.status_code, same.content) == (206, content[2:4])
    for other in ('"other"', f"W/{tag}", "Wed, 21 Oct 2026 07:28:00 GMT"):
        with httpx.stream("GET", address, headers={"Range": "bytes=2-3", "If-Range": other}) as answer:
            assert (answer.status_code, answer.headers["content-length"]) == (200, str(SIZE))
    known = httpx.get(address, headers={"Range": "bytes=2-3", "If-None-Match": tag})
    assert known.status_code == 304
    whole = httpx.head(address, headers={"Range": "bytes=2-3"})
    assert (whole.status_code, whole.headers["content-length"]) == (200, str(SIZE))


def test_a_part_of_a_small_content(address: str) -> None:
    """The file beside it, of ten bytes: the type is that of the whole."""
    small = address.replace("large.bin", "small.txt")
    answer = httpx.get(small, headers={"Range": "bytes=3-5"})
    assert (answer.status_code, answer.text, answer.headers["content-range"]) == (206, "345", "bytes 3-5/10")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert httpx.get(small, headers={"Range": "bytes=10-"}).status_code == 416
    assert httpx.get(small).text == "0123456789"


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
