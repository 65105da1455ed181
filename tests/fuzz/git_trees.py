"""Git trees that are nearly right, and what C git says of them."""

from __future__ import annotations

import hashlib
import random
import re
import subprocess
import zlib
from collections.abc import Iterable
from pathlib import Path

from compat.git.builder import ENVIRONMENT, Repository
from fuzz.mutate import mutate

_MODES = (
    b"100644", b"100644", b"40000", b"40000", b"100755", b"120000", b"160000", b"100664", b"040000", b"0", b"00",
    b"100600", b"777777", b"1100644", b"0000000000100644", b"", b"8", b"10064a", b"+100644", b"-40000", b" 40000",
)  # fmt: skip
_NAMES = (
    b"a", b"a.b", b"a0", b"b", b"README", b".gitmodules", b".gitattributes", b".git", b".GIT ", b"git~1", b".", b"..",
    b"a/b", b"", b" ", b"a b", b"\xff", b"a\nb", b"~1234567", b".gitignore", b".mailmap", b"x\\.git", b"100644 a",
)  # fmt: skip
_SAID = re.compile(r"^(?:error|warning) in tree ([0-9a-f]{40}): (\w+):", re.M)


def draw_tree(rng: random.Random) -> bytes:
    """A few entries, mostly in order; mostly with one thing wrong, often with some byte changed."""
    entries = [
        (rng.choice(_MODES[:4] if rng.random() < 0.7 else _MODES), rng.choice(_NAMES), rng.randbytes(20))
        for _ in range(rng.choice((0, 1, 1, 2, 3, 8)))
    ]
    if rng.random() < 0.7:
        entries.sort(key=lambda entry: entry[1] + b"/" * (entry[0] == b"40000"))
    if entries and rng.random() < 0.1:
        entries[0] = (*entries[0][:2], bytes(20))
    raw = b"".join(b"%b %b\0%b" % entry for entry in entries)
    return mutate(rng, [raw]) if rng.random() < 0.6 else raw


def judged_by_git(folder: Path, raws: Iterable[bytes]) -> dict[bytes, set[str]]:
    """The ids of the messages that git's fsck has for each of these trees."""
    repo = Repository(folder)
    found: dict[bytes, set[str]] = {}
    names: dict[str, bytes] = {}
    for raw in raws:
        whole = b"tree %d\0" % len(raw) + raw
        oid = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        place = repo.path / "objects" / oid[:2] / oid[2:]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(zlib.compress(whole, 1))
        names[oid], found[raw] = raw, set()
    done = subprocess.run(
        ["git", "fsck", "--full", "--no-dangling"], cwd=folder, capture_output=True, env=ENVIRONMENT, check=False
    )
    for oid, msg_id in _SAID.findall((done.stderr + done.stdout).decode(errors="replace")):
        found[names[oid]].add(msg_id)
    return found
