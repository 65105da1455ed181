"""Listings, as a forge sends them that may send anything."""

from __future__ import annotations

import pytest

from mic.core.errors import Corrupt
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb


def _pages(monkeypatch: pytest.MonkeyPatch, page: pb.TreeResponse) -> list[pb.TreeResponse]:
    client = Client("127.0.0.1:1", insecure=True)
    monkeypatch.setattr(client, "call", lambda *_: page)
    with client:
        return [*client.tree(pb.ProjectRef(), 1), *client.directory(pb.ProjectRef(), 1)]


def _page(*paths: bytes) -> pb.TreeResponse:
    count = len(paths)
    return pb.TreeResponse(
        paths=paths, modes=[0o100644] * count, kinds=b"\x01" * count, sizes=[1] * count, hashes=bytes(32 * count)
    )


def test_a_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    for page in (_page(), _page(b"a", b"b/..c", b".d")):
        assert _pages(monkeypatch, page) == [page, page]


@pytest.mark.parametrize("path", [b"../a", b"..", b"a/../../b", b"/a", b"a//b", b"a/", b"./a", b"", b"a\0b"])
def test_a_path_that_leads_elsewhere(monkeypatch: pytest.MonkeyPatch, path: bytes) -> None:
    with pytest.raises(Corrupt, match="The forge sent a listing in which "):
        _pages(monkeypatch, _page(b"a", path, b"z"))


@pytest.mark.parametrize("column", ["modes", "kinds", "sizes", "hashes"])
def test_a_column_that_is_too_short(monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    page = _page(b"a", b"b")
    setattr(page, column, getattr(page, column)[:-1]) if column in ("kinds", "hashes") else getattr(page, column).pop()
    with pytest.raises(Corrupt, match="differ in length"):
        _pages(monkeypatch, page)
