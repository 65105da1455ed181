"""Packs that C Git made, read by ours; and packs that nobody should make."""

from __future__ import annotations

import contextlib
import hashlib
import random
import subprocess
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.packs import BLOB, SHAPES, Story, added, copy, delta, entry, ofs_delta
from mic.core.errors import Corrupt, InvalidInput, MicError, TooLarge
from mic.git.packentry import apply_delta, entry_header, make_delta, ofs_base
from mic.git.packscan import Limits, scan_pack
from mic.git.tree_windows import Made

from .builder import Repository


def _lines(draw: random.Random, count: int) -> list[bytes]:
    return [b"%d some words that are long enough to be worth a delta\n" % draw.randint(0, 10**6) for _ in range(count)]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Thirty versions of a few files, packed by git with deltas upon deltas."""
    made = Repository(tmp_path_factory.mktemp("packed") / "r.git")
    draw = random.Random(11)
    files = {b"f%d" % number: _lines(draw, 200) for number in range(4)}
    parent: list[str] = []
    for number in range(30):
        name = draw.choice(sorted(files))
        files[name][draw.randint(0, 199)] = b"changed %d\n" % number
        entries = [("100644", path, made.blob(b"".join(lines))) for path, lines in sorted(files.items())]
        tree = made.tree(*entries)
        commit = b"tree %s\n%sauthor A <a@b> %d +0000\ncommitter A <a@b> %d +0000\n\nc\n" % (
            tree.encode(), b"".join(b"parent %s\n" % oid.encode() for oid in parent), number, number,
        )  # fmt: skip
        parent = [made.object("commit", commit)]
    made.git("update-ref", "refs/heads/main", parent[0])
    made.git("repack", "-adfq", "--depth=50", "--window=50")
    return made


def _pack(repository: Repository, *options: str, data: bytes = b"") -> bytes:
    return repository.git("pack-objects", "--stdout", "--revs", "-q", *options, data=data or b"main\n")


def _scan(
    pack: bytes, limits: Limits | None = None, external: dict[bytes, tuple[int, bytes]] | None = None
) -> set[str]:
    seen: set[str] = set()

    def visit(oid: bytes, kind: int, data: bytes, made: Made | None) -> None:
        name = (b"commit", b"tree", b"blob", b"tag")[kind - 1]
        assert hashlib.sha1(b"%s %d\x00" % (name, len(data)) + data).digest() == oid
        seen.add(oid.hex())

    known = external or {}
    found = scan_pack(memoryview(pack), known.get, visit, limits or Limits())
    assert {oid.hex() for oid in found.oids()} == seen
    assert found.count == len(seen)
    return seen


def _all_objects(repository: Repository) -> set[str]:
    listed = repository.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return set(listed.decode().split())


@pytest.mark.parametrize("options", [[], ["--delta-base-offset"], ["--no-reuse-delta", "--depth=1"]])
def test_the_objects_of_a_pack(repository: Repository, options: list[str]) -> None:
    """The same ids as git lists, whichever kind of delta it used."""
    pack = _pack(repository, *options)
    assert _scan(pack) == _all_objects(repository)


def test_a_thin_pack_leans_on_what_is_here(repository: Repository) -> None:
    """With its bases at hand it is whole; without them it is refused by name."""
    pack = _pack(repository, "--thin", data=b"main\n^main~2\n")
    listed = repository.git("rev-list", "--objects", "main", "^main~2").decode().splitlines()
    bases = {}
    for name in _all_objects(repository):
        kind = repository.git("cat-file", "-t", name).decode().strip()
        number = ("commit", "tree", "blob", "tag").index(kind) + 1
        bases[bytes.fromhex(name)] = number, repository.git("cat-file", kind, name)
    assert _scan(pack, external=bases) == {line.split()[0] for line in listed}
    with pytest.raises(InvalidInput, match="which is neither in it nor here"):
        _scan(pack)


def test_limits(repository: Repository) -> None:
    """Each limit is a sentence and not a crash."""
    pack = _pack(repository)
    for limits in (Limits(objects=5), Limits(inflated=10_000), Limits(whole=100), Limits(depth=1), Limits(seconds=0.0)):
        with pytest.raises(TooLarge):
            _scan(pack, limits)


@pytest.mark.parametrize(
    ("shape", "most"), [("delta-bomb-below-each-limit", 4_000), ("delta-of-a-million-instructions", 100_000)]
)
def test_small_packs_that_ask_for_much(shape: str, most: int) -> None:
    """Deltas say how much they make: what is out of proportion is refused before any of it is made."""
    pack = SHAPES[shape](Story(random.Random(1))).pack
    assert len(pack) < most
    started = time.thread_time()
    with pytest.raises(TooLarge, match="out of proportion") as refused:
        _scan(pack)
    assert time.thread_time() - started < 0.5
    assert refused.value.code == "too_large"


def test_a_chain_that_is_long_and_wide() -> None:
    """Whoever reads its last object makes all of it, so the whole of a chain has a limit."""
    story = Story(random.Random(2))
    size = len(story.blob)
    chain = [ofs_delta(len(story.entries[-1]), delta(size, size + 1, copy(0, size), added(b"x")))]
    for number in range(1, 100):
        chain.append(ofs_delta(len(chain[-1]), delta(size + number, size + number + 1, copy(0, size + number), b"\1x")))
    pack = story.with_more(*chain).pack
    assert len(_scan(pack)) == 104
    with pytest.raises(TooLarge, match="chain of deltas that makes more than 50,000 bytes"):
        _scan(pack, Limits(chain=50_000))


def test_a_large_file_that_changes_often() -> None:
    """Twelve small changes of ten megabytes are no bomb."""
    story = Story(random.Random(3))
    base = entry(BLOB, random.Random(4).randbytes(1 << 10) * (10 << 10))
    size, behind, changes = 10 << 20, len(base), []
    for number in range(12):
        changes.append(ofs_delta(behind, delta(size, size + 2, copy(0, size), added(b"%02d" % number))))
        behind += len(changes[-1])
    assert len(_scan(story.with_more(base, *changes).pack)) == 17


def _made(*entries: bytes, count: int | None = None) -> bytes:
    body = b"PACK" + (2).to_bytes(4, "big") + (len(entries) if count is None else count).to_bytes(4, "big")
    body += b"".join(entries)
    return body + hashlib.sha1(body).digest()


def _blob(data: bytes) -> bytes:
    return entry_header(3, len(data)) + zlib.compress(data)


@pytest.mark.parametrize(
    ("pack", "why"),
    [
        (b"", "no Git pack"),
        (b"PACK" + bytes(40), "version 0"),
        (_made(_blob(b"x"))[:-1] + b"\0", "checksum"),
        (_made(_blob(b"x"), count=2), "ends|type|inflated"),
        (_made(_blob(b"x"), b"junk", count=1), "behind its last object"),
        (_made(entry_header(3, 2) + zlib.compress(b"x")), "says 2 bytes"),
        (_made(entry_header(3, 1) + zlib.compress(b"x" * 10_000_000)), "says 1 bytes"),
        (_made(entry_header(5, 0) + zlib.compress(b"")), "type 5"),
        (_made(_blob(b"x"), entry_header(6, 3) + ofs_base(7) + zlib.compress(b"\x01\x00")), "says 3 bytes"),
        (_made(entry_header(6, 4) + ofs_base(1 << 40) + zlib.compress(b"\x01\x01\x01z")), "lean on each other"),
        (_made(entry_header(7, 4) + bytes(20) + zlib.compress(b"\x01\x01\x01z")), "neither in it nor here"),
        (_made(_blob(b"x"), entry_header(6, 4) + ofs_base(len(_blob(b"x"))) + zlib.compress(b"\x05\x01\x01z")), "base"),
        (_made(b"\xff" * 30), "size of more than"),
    ],
)
def test_packs_that_nobody_should_make(pack: bytes, why: str) -> None:
    """Each is refused with a sentence that says what is wrong."""
    with pytest.raises((InvalidInput, Corrupt), match=why):
        _scan(pack)


def test_two_deltas_that_lean_on_each_other() -> None:
    """They are refused, and not followed for ever."""
    one, other = bytes(20), b"\1" * 20
    entries = [entry_header(7, 4) + base + zlib.compress(b"\x01\x01\x01z") for base in (one, other)]
    with pytest.raises(InvalidInput, match="lean on"):
        _scan(_made(*entries))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_spoilt_pack_is_never_a_crash(repository: Repository, data: st.DataObject) -> None:
    """Bytes changed, cut out or doubled: an error of ours, or the pack is still one."""
    pack = bytearray(_pack(repository, "--delta-base-offset"))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(pack) - 1))
        match data.draw(st.integers(0, 2)):
            case 0:
                pack[at] ^= data.draw(st.integers(1, 255))
            case 1:
                del pack[at : at + data.draw(st.integers(1, 40))]
            case _:
                pack[at:at] = pack[at : at + data.draw(st.integers(1, 40))]
        if not pack:
            break
    body = bytes(pack[:-20])
    with contextlib.suppress(MicError):
        _scan(body + hashlib.sha1(body).digest(), Limits(inflated=50 << 20))


@settings(max_examples=500, deadline=None)
@given(
    base=st.binary(max_size=400),
    data=st.binary(max_size=400),
    same=st.binary(max_size=300),
    tail=st.binary(max_size=300),
)
def test_deltas_are_undone(base: bytes, data: bytes, same: bytes, tail: bytes) -> None:
    """What is made of a base and a delta is what the delta was made for."""
    old, new = same + base + tail, same + data + tail
    delta = make_delta(old, new)
    if delta is not None:
        assert apply_delta(old, delta) == new


def test_git_applies_our_deltas(tmp_path: Path) -> None:
    """A pack with a delta of ours, read by C Git."""
    made = Repository(tmp_path / "r.git")
    old = b"".join(b"line %d\n" % number for number in range(30_000))
    new = old.replace(b"line 17000\n", b"another line\n")
    delta = make_delta(old, new)
    assert delta is not None
    assert len(delta) < 60
    base = _blob(old)
    pack = _made(base, entry_header(6, len(delta)) + ofs_base(len(base)) + zlib.compress(delta))
    done = subprocess.run(["git", "unpack-objects", "-q"], cwd=made.path, input=pack, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert made.git("cat-file", "blob", hashlib.sha1(b"blob %d\x00" % len(new) + new).hexdigest()) == new
