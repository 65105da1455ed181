"""Changing bytes that mean something into bytes that nearly do."""

from __future__ import annotations

import random
from collections.abc import Sequence

# What parsers stumble over: lengths at their limits, and signs that other layers take for theirs.
ODD = (
    b"", b"\x00", b"\xff", b"\xff" * 9, b"\x80" * 9 + b"\x01", b"\x7f\xff\xff\xff", b"\x00" * 64, b"\n", b"\r\n", b"\r",
    b"..", b"../" * 20, b"/", b"//", b"\\", b"%00", b"%2e%2e%2f", b"%ff", b"-1", b"0", b"99999999999999999999",
    b"1e999",
    b"NaN", b"\xed\xa0\x80", b"\xc0\xae", b"\xe2\x80\xae", b"\xd0\xb0dmin", b"{", b"[" * 200, b"]", b'"', b"'",
    b"`", b"<",
    b"&", b";", b"=", b"?", b"#", b":", b"::", b"@", b"@{", b"~", b"^", b"*", b"**/" * 30, b"[!", b"(",
    b"$(x)", b"0000",
    b"0001", b"0002", b"fff0", b"ffff", b"have ", b"want ", b"deepen ", b"filter ", b"mic_pat_", b"Bearer ", b"bytes=",
    b"A" * 300, "é\u0301\u200b\U0001f600".encode(), b"\x1b[31m", b"--", b"-o", b"true", b"null",
)  # fmt: skip


def mutate(rng: random.Random, seeds: Sequence[bytes], most: int = 1 << 16) -> bytes:
    """One of the seeds, changed in one to eight places; at most `most` bytes."""
    data = bytearray(rng.choice(seeds) if seeds else b"")
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4, 8))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(9)
        if kind == 0 and data:
            data[min(at, len(data) - 1)] ^= 1 << rng.randrange(8)
        elif kind == 1 and data:
            data[min(at, len(data) - 1)] = rng.randrange(256)
        elif kind == 2:
            data[at:at] = rng.choice(ODD)
        elif kind == 3:
            del data[at : at + rng.choice((1, 1, 2, 4, 8, 64))]
        elif kind == 4:
            data[at:at] = data[at : at + rng.choice((1, 4, 16, 64))] * rng.choice((1, 2, 8))
        elif kind == 5:
            del data[at:]
        elif kind == 6 and seeds:
            other = rng.choice(seeds)
            start = rng.randrange(len(other) + 1)
            data[at:] = other[start:]
        elif kind == 7:
            data[at:at] = rng.randbytes(rng.choice((1, 2, 4, 8, 32)))
        else:
            data[at : at + 4] = rng.choice(ODD)[:4]
    return bytes(data[:most])


def text(rng: random.Random, seeds: Sequence[str], most: int = 4096) -> str:
    """The same of texts: what is not UTF-8 becomes lone surrogates, as Django's addresses have them."""
    return mutate(rng, [seed.encode("utf-8", "surrogatepass") for seed in seeds], most).decode("utf-8", "replace")
