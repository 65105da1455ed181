"""Contents in columns, as a forge sends them that may send anything."""

from __future__ import annotations

import hashlib

import pytest

from mic.cli.transfer import contents
from mic.cli.transfer.contents import column_contents
from mic.core.blob import MAX_WHOLE, compress
from mic.core.errors import Corrupt
from mic.rpc.v1 import mic_pb2 as pb

DATAS = [b"", b"roses\n", b"more roses\n" * 500]
PIECES = [compress(data) for data in DATAS]
HASHES = [hashlib.sha256(data).digest() for data in DATAS]


def _columns() -> pb.BlobColumns:
    return pb.BlobColumns(
        hashes=b"".join(HASHES), sizes=map(len, DATAS), lengths=map(len, PIECES), data=b"".join(PIECES)
    )


def test_contents_in_columns() -> None:
    assert list(column_contents(_columns())) == [list(zip(HASHES, DATAS, strict=True))]
    assert list(column_contents(pb.BlobColumns())) == []


def test_not_more_is_inflated_at_once_than_memory_has(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = zip(HASHES, DATAS, strict=True)
    for limit, lists in ((6, [[first, second], [third]]), (5, [[first], [second], [third]])):
        monkeypatch.setattr(contents, "_AT_ONCE", limit)
        assert list(column_contents(_columns())) == lists


def test_the_damaged_one_is_named() -> None:
    columns = _columns()
    columns.data = columns.data[:-4] + b"oops"
    with pytest.raises(Corrupt, match=f"the content {HASHES[2].hex()[:12]} that the forge sent is damaged"):
        list(column_contents(columns))


@pytest.mark.parametrize("what", ["hash", "size", "length", "data", "longer", "huge", "other size", "no frame"])
def test_columns_that_do_not_fit(what: str) -> None:
    columns = _columns()
    match what:
        case "hash":
            columns.hashes = columns.hashes[:-1]
        case "size":
            del columns.sizes[-1]
        case "length":
            del columns.lengths[-1]
        case "data":
            columns.data = columns.data[:-1]
        case "longer":
            columns.lengths[0] += 1
        case "huge":
            columns.sizes[1] = MAX_WHOLE + 1
        case "other size":
            columns.sizes[1] -= 1
        case "no frame":
            columns.data = bytes(len(columns.data))
    with pytest.raises(Corrupt):
        list(column_contents(columns))
