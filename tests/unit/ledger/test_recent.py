"""Contents that are kept for merging: within their bytes, the least recently used goes first."""

from __future__ import annotations

from mic.ledger.recent import KEPT_BYTES, MOST, Recent


def test_what_was_used_last_stays() -> None:
    recent = Recent()
    size, count = 10_000, KEPT_BYTES // 10_200
    for number in range(count):
        recent.put(b"%d" % number, bytes(size))
    assert recent.get(b"0") == bytes(size)
    for number in range(count, count + 10):
        recent.put(b"%d" % number, bytes(size))
    assert recent.get(b"0") is not None
    assert recent.get(b"1") is None
    assert recent.get(b"%d" % (count + 9)) is not None


def test_a_large_content_is_not_kept() -> None:
    recent = Recent()
    recent.put(b"large", bytes(MOST + 1))
    recent.put(b"small", bytes(MOST))
    assert recent.get(b"large") is None
    assert recent.get(b"small") == bytes(MOST)
