"""Files of a thousand versions: the bytes that are kept, and the time to read an old one, beside git's pack."""

from __future__ import annotations

import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.corpora import WORDS
from bench.measure import Row, ms
from ledgers import NOON, REGULAR, land
from mic.core import epoch as stored
from mic.core.blob import encode_blob
from mic.core.ids import content_hash
from mic.core.indexrun import Place
from mic.core.session import Author
from mic.ledger.history import HistoryCommit
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import DirectoryStore, MemoryStore

VERSIONS = 1000
# Lines at the start: files of 3 to 60 KB, which grow.
FILES = (60, 120, 300, 500, 700, 900)
READS = 100
# 32B hash, container, kind, offset, length in an index run; hash, kind, offset, length in a contents list.
INDEX_ENTRY, LIST_ENTRY = 49, 45


class Kept(NamedTuple):
    """Bytes that a cold reader needs: of contents, and of everything."""

    contents: int
    everything: int


def rows() -> Iterator[Row]:
    """The figures of this module."""
    files = [_versions(number, lines) for number, lines in enumerate(FILES)]
    total = sum(len(data) for versions in files for data in versions)
    what = f"{len(FILES)} files of {VERSIONS:,} versions, {total / 1e6:.0f} MB"
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "peer.git"
        _make_peer(repository, files)
        blobs, pack = _packed(repository)
        imported = _import(Path(folder) / "imported", files)
        yield _row(f"{what}, imported: contents", _kept(imported, files).contents, "blobs of `git gc`", blobs, "")
        landed = _land(files)
        yield _row(
            f"{what}, landed one by one: contents", _kept(landed, files).contents, "blobs of `git gc`", blobs, ""
        )
        for project, how in ((imported, "imported"), (landed, "landed one by one")):
            start = time.perf_counter()
            assert project.compact()
            how += f", compacted in {time.perf_counter() - start:.1f} s"
            kept = _kept(project, files)
            yield _row(f"{what}, {how}: contents, lists, index", kept.contents, "blobs of `git gc`", blobs, "<= 1.2x")
            everything = "the same, with log, sessions, trees and index"
            yield _row(everything, kept.everything, "pack and .idx of `git gc`", pack, "")
        ours, theirs = _reads(imported, repository, files)
        yield Row(
            "one version of the older half at random, cold (median)",
            ms(ours),
            f"{ms(theirs)} (`git cat-file --batch`)",
            f"{ours / theirs:.1f}x",
            "",
            None,
        )
        subprocess.run(["git", "-C", str(repository), "gc", "-q", "--aggressive"], check=True)
        blobs, _ = _packed(repository)
        contents = _kept(landed, files).contents
        yield _row("contents as above, compacted", contents, "blobs of `git gc --aggressive`", blobs, "")


def _row(what: str, ours: int, peer: str, theirs: int, asked: str) -> Row:
    ratio = ours / theirs
    met = ratio <= 1.2 if asked else None
    return Row(what, f"{ours / 1e6:.2f} MB", f"{theirs / 1e6:.2f} MB ({peer})", f"{ratio:.2f}x", asked, met)


def _versions(seed: int, lines: int) -> list[bytes]:
    """A file that people work on: lines changed, put in, taken out, blocks moved."""
    rnd = random.Random(seed)
    names = WORDS + ["".join(rnd.choices("abcdefghijklmnopqrstuvwxyz_", k=rnd.randrange(4, 14))) for _ in range(400)]

    def line() -> bytes:
        return f"{'    ' * rnd.randrange(3)}{' '.join(rnd.choices(names, k=rnd.randrange(3, 9)))}\n".encode()

    file = [line() for _ in range(lines)]
    found: dict[bytes, None] = {}
    while len(found) < VERSIONS:
        found[b"".join(file)] = None
        shape, at = rnd.random(), rnd.randrange(len(file))
        if shape < 0.5:
            for _ in range(rnd.randrange(1, 6)):
                file[rnd.randrange(len(file))] = line()
        elif shape < 0.72:
            file[at:at] = [line() for _ in range(rnd.randrange(1, 15))]
        elif shape < 0.92:
            del file[at : at + min(rnd.randrange(1, 15), len(file) - 10)]
        else:
            block = file[at : at + rnd.randrange(5, 40)]
            del file[at : at + len(block)]
            to = rnd.randrange(len(file) + 1)
            file[to:to] = block
    return list(found)


def _path(number: int) -> bytes:
    return b"src/part%d/module%d.py" % (number % 3, number)


def _make_peer(folder: Path, files: Sequence[Sequence[bytes]]) -> None:
    """The same history for git, as loose objects: what `fast-import` packs would be reused by `git gc` as it is."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    importer = ["git", "-C", str(folder), "-c", "fastimport.unpackLimit=1000000", "fast-import", "--quiet"]
    process = subprocess.Popen(importer, stdin=subprocess.PIPE)
    assert process.stdin is not None
    for number in range(VERSIONS):
        when, message = 1_600_000_000 + number, b"Change %d\n" % number
        process.stdin.write(b"commit refs/heads/main\nauthor Ada <ada@example.org> %d +0000\n" % when)
        process.stdin.write(b"committer Ada <ada@example.org> %d +0000\n" % when)
        process.stdin.write(b"data %d\n%s" % (len(message), message))
        for file, versions in enumerate(files):
            data = versions[number]
            process.stdin.write(b"M 100644 inline %s\ndata %d\n%s\n" % (_path(file), len(data), data))
        process.stdin.write(b"\n")
    process.stdin.close()
    assert process.wait() == 0
    subprocess.run(["git", "-C", str(folder), "gc", "-q"], check=True)


def _packed(folder: Path) -> tuple[int, int]:
    """Bytes of the blobs in the pack, and of the pack with its index."""
    listing = ["cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectsize:disk)"]
    told = subprocess.run(["git", "-C", str(folder), *listing], check=True, capture_output=True, text=True).stdout
    blobs = sum(int(line.split()[1]) for line in told.splitlines() if line.startswith("blob"))
    packs = list((folder / "objects" / "pack").glob("*.pack"))
    assert len(packs) == 1
    return blobs, packs[0].stat().st_size + packs[0].with_suffix(".idx").stat().st_size


def _import(folder: Path, files: Sequence[Sequence[bytes]]) -> Project:
    project = Ledger(DirectoryStore(folder)).open("p")
    project.create()
    history = project.import_history("git", bytes(16))
    for number in range(VERSIONS):
        changes = []
        for file, versions in enumerate(files):
            data = versions[number]
            history.add_content(content_hash(data), len(data), encode_blob(data))
            changes.append((_path(file), int(number > 0), REGULAR, content_hash(data), len(data)))
        oid, author = number.to_bytes(20, "big"), Author("Ada", "ada@example.org")
        project.run(history.add_commit(HistoryCommit(oid, b"", author, NOON + number, f"Change {number}", changes)))
    project.finish_import(history)
    assert project.seal() == VERSIONS
    return project


def _land(files: Sequence[Sequence[bytes]]) -> Project:
    project = Ledger(MemoryStore()).open("p")  # the bytes are the same, and no disk is waited for
    project.create()
    for number in range(VERSIONS):
        land(project, number + 1, number, {_path(file): versions[number] for file, versions in enumerate(files)})
    assert project.seal() == VERSIONS
    return project


def _kept(project: Project, files: Sequence[Sequence[bytes]]) -> Kept:
    """What the index leads to. Contents count with their entries in the index and in the list of their container."""
    prefix = project.line.prefix
    contents = {content_hash(data) for versions in files for data in versions}
    places = {object_hash: project.line.objects.require(object_hash, "content") for object_hash in contents}
    kept = sum(place.length for place in set(places.values())) + INDEX_ENTRY * len(contents)
    kept += LIST_ENTRY * sum(".pack" not in place.key for place in places.values())
    packs = {place.key for place in places.values() if ".pack" in place.key}
    kept += sum(len(project.driver.store.get(key).data) for key in packs)
    kept -= sum(place.length for place in set(places.values()) if place.key in packs)
    # Epochs without the contents in them, all segments, the one run without the entries of the contents.
    rest = 0
    for listed in project.driver.store.list(f"{prefix}landing-log/"):
        rest += listed.size
    rest -= _in_epochs(project, contents)
    run = project.line.objects.runs[0]
    return Kept(kept, kept + rest + run.size - INDEX_ENTRY * len(contents) + 48)


def _in_epochs(project: Project, contents: set[bytes]) -> int:
    """Bytes of contents in epochs, with their entries there."""
    from mic.ledger.follow import read_epoch

    found: set[Place] = set()
    entries = 0
    head = project.head()
    while head.position:
        epoch = project.run(read_epoch(project.line, head))
        for item in epoch.objects:
            if item.hash in contents:
                assert item.kind in stored.SMALL
                found.add(Place(str(head.position), item.kind, item.offset, item.length))
                entries += 1
        head = epoch.prev
    return sum(place.length for place in found) + LIST_ENTRY * entries


def _reads(project: Project, repository: Path, files: Sequence[Sequence[bytes]]) -> tuple[float, float]:
    """Median seconds to read a version of the older half, ours and git's, in turns."""
    rnd = random.Random(1)
    cold = Ledger(project.driver.store).open("p")
    cold.head()
    process = subprocess.Popen(
        ["git", "-C", str(repository), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(READS):
        data = rnd.choice(files)[rnd.randrange(VERSIONS // 2)]
        name = content_hash(data)
        start = time.perf_counter()
        assert cold.blob(name) == data
        taken[0].append(time.perf_counter() - start)
        asked = ["git", "-C", str(repository), "hash-object", "--stdin"]
        oid = subprocess.run(asked, input=data, capture_output=True, check=True).stdout
        start = time.perf_counter()
        process.stdin.write(oid)
        process.stdin.flush()
        size = int(process.stdout.readline().split()[2])
        assert process.stdout.read(size + 1)[:-1] == data
        taken[1].append(time.perf_counter() - start)
    process.stdin.close()
    process.stdout.close()
    process.wait()
    return statistics.median(taken[0]), statistics.median(taken[1])
