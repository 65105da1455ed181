"""Whole histories of four kinds: brought by a mirror push, and cloned, beside `git http-backend`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench.git_histories import git, import_stream, packed, stream
from bench.git_peer import forget_peak, peak_of
from bench.git_sides import Sides, at_once, mib, sides
from bench.measure import Row, alternate

# The kinds of history, each for itself.
PARTS = ("long", "merges", "files", "tags")
ROUNDS = 3
# Clones whose processor time is counted: the system counts in hundredths of a second.
COUNTED = 12
CLONES = 50


def rows(kind: str) -> Iterator[Row]:
    """A kind of history; of the one with merges fifty clones at once, too."""
    with sides() as both:
        yield from _brought(both, kind)
        yield from _cloned(both, kind)
        if kind == "merges":
            yield from _many(both, kind)


def _brought(both: Sides, kind: str) -> Iterator[Row]:
    """How long it takes to come, what the forge then keeps for Git, and its memory."""
    start = time.perf_counter()
    import_stream(both.served / f"{kind}.git", stream(kind))
    fast = time.perf_counter() - start
    source = packed(both.served / f"{kind}.git")
    objects = len(git(source, "rev-list", "--objects", "--all").splitlines())
    commits = int(git(source, "rev-list", "--all", "--count"))
    empty = both.served / f"{kind}-pushed.git"
    git(both.served, "init", "-q", "--bare", "-b", "main", str(empty))
    git(empty, "config", "http.receivepack", "true")
    peer = both.git("-C", str(source), "push", "-q", "--mirror", both.peer.url(empty.name)).seconds
    url = both.project(kind, "public")  # as git http-backend is: a clone without a token is one question less
    pid = both.forge.process.pid
    before = peak_of(pid)
    forget_peak(pid)
    ours = both.git("-C", str(source), "push", "-q", "--mirror", url).seconds
    what = f"{kind}: {commits:,} commits, {objects:,} objects"
    yield Row(
        f"{what}, brought by git push --mirror", f"{ours:.1f} s, {commits / ours:,.0f} commits/s",
        f"git fast-import {fast:.1f} s; the same push to git http-backend {peer:.1f} s",
        f"{ours / fast:.2f}x, {ours / peer:.2f}x", "<= 1x git fast-import", ours <= fast,
    )  # fmt: skip
    yield Row(
        f"{kind}: peak memory of the forge meanwhile", mib(peak_of(pid)), f"before {mib(before)}", "", "flat", None
    )
    pack = sum(file.stat().st_size for file in source.glob("objects/pack/*.pack"))
    with_index = pack + sum(file.stat().st_size for file in source.glob("objects/pack/*.idx"))
    git_files = list((both.forge.data_dir).glob("**/git/packs/*"))
    project = max({file.parent for file in git_files}, key=lambda folder: folder.stat().st_mtime).parents[1]
    for_git = sum(file.stat().st_size for file in project.glob("git/packs/*"))
    everything = sum(file.stat().st_size for file in project.glob("**/*") if file.is_file())
    yield Row(
        f"{kind}: bytes kept", f"{mib(everything)}, of these for Git {mib(for_git)}",
        f"pack of git gc {mib(pack)}, with its index {mib(with_index)}",
        f"{everything / pack:.2f}x; {for_git / pack:.2f}x", "<= 1.2x the pack", everything <= 1.2 * pack,
    )  # fmt: skip


def _cloned(both: Sides, kind: str) -> Iterator[Row]:
    url, peer_url = both.url(kind), both.peer.url(f"{kind}.git")
    copy = both.fresh()
    first = both.git("clone", "-q", "--bare", url, str(copy)).seconds
    _faithful(copy, both.served / f"{kind}.git")
    pid = both.forge.process.pid
    before = peak_of(pid)
    forget_peak(pid)
    both.settle()
    both.peer.cpu = 0.0
    ours, theirs = alternate(ROUNDS, lambda: both.clone(url, "--bare"), lambda: both.clone(peer_url, "--bare"))
    peer_cpu = both.peer.cpu / (ROUNDS + 1)
    idle, cpu = both.idle(), both.forge_cpu
    seconds = sum(both.clone(url, "--bare") for _ in range(COUNTED))
    cpu = (both.forge_cpu - cpu - idle * seconds) / COUNTED
    peak = peak_of(pid)
    git(both.served / f"{kind}.git", "repack", "-q", "-a", "-d", "-b")
    both.peer.cpu = 0.0
    mapped = min(both.clone(peer_url, "--bare") for _ in range(2))
    mapped_cpu = both.peer.cpu / 2
    yield Row(
        f"{kind}: git clone --bare", f"{ours:.2f} s, the first {first:.2f} s",
        f"git http-backend {theirs:.2f} s, with bitmaps {mapped:.2f} s",
        f"{ours / theirs:.2f}x, {ours / mapped:.2f}x", "<= 1.15x", ours <= 1.15 * theirs,
    )  # fmt: skip
    yield Row(
        f"{kind}: processor time of the server, a second clone", f"{cpu * 1000:.0f} ms",
        f"git http-backend {peer_cpu * 1000:.0f} ms, with bitmaps {mapped_cpu * 1000:.0f} ms",
        f"{cpu / peer_cpu:.1%}, {cpu / mapped_cpu:.1%}", "<= 10%", cpu <= 0.1 * peer_cpu,
    )  # fmt: skip
    yield Row(
        f"{kind}: peak memory of the forge while cloned", mib(peak), f"before {mib(before)}",
        f"{peak / before:.2f}x", "flat (<= 1.3x)", peak <= 1.3 * before,
    )  # fmt: skip


def _faithful(copy: Path, source: Path) -> None:
    """The clone is whole and sound, and has the refs of its source that a clone takes."""
    done = subprocess.run(["git", "-C", str(copy), "fsck", "--strict"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    listed = ("for-each-ref", "refs/heads", "refs/tags")
    assert git(copy, *listed) == git(source, *listed)


def _many(both: Sides, kind: str) -> Iterator[Row]:
    """Fifty clients at the same moment."""
    pid = both.forge.process.pid
    before = peak_of(pid)
    forget_peak(pid)

    def clones(url: str) -> tuple[float, int]:
        return at_once([["git", "clone", "-q", "--bare", url, str(both.fresh())] for _ in range(CLONES)], both.env)

    ours, failed = clones(both.url(kind))
    peak = peak_of(pid)
    theirs, peer_failed = clones(both.peer.url(f"{kind}.git"))
    yield Row(
        f"{CLONES} clones of {kind} at once",
        f"{ours:.1f} s, {failed} failed, peak memory {mib(peak)} ({mib(before)} before)",
        f"git http-backend {theirs:.1f} s, {peer_failed} failed", f"{ours / theirs:.2f}x", "no error", failed == 0,
    )  # fmt: skip
