"""What a working day asks of a large project: one commit pushed, nothing new fetched, a few landings, shallow, partial.

One project of many files that was pushed by git, on both sides the same history.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator
from pathlib import Path

from bench.corpora import path_of
from bench.git_histories import FILES, git, make_history
from bench.git_sides import Sides, sides
from bench.measure import Row, alternate, ms

ROUNDS = 5


def rows() -> Iterator[Row]:
    """Each act at the forge and at the peer, in turns."""
    with sides() as both:
        source = make_history(both.served / "files.git", "files")
        both.git("-C", str(source), "push", "-q", "--mirror", both.project("files"))
        addresses = (both.url("files"), both.peer.url("files.git"))
        clones = [both.fresh() for _ in addresses]
        for url, clone in zip(addresses, clones, strict=True):
            both.git("clone", "-q", "--no-checkout", url, str(clone))
        both.settle()  # a hundred thousand files are made searchable behind the push
        yield from _pushed(both, clones)
        yield from _fetched(both, addresses, clones)


def _pushed(both: Sides, clones: list[Path]) -> Iterator[Row]:
    made = [0, 0]

    def push(side: int) -> float:
        """One commit that changes one file, made without a work tree."""
        clone = clones[side]
        made[side] += 1
        text = clone / "text"
        text.write_text(f"Round {made[side]}\n" * 20)
        blob = git(clone, "hash-object", "-w", str(text))
        git(clone, "read-tree", "HEAD")
        path = path_of(made[side] * 7919 % FILES).decode()
        git(clone, "update-index", "--cacheinfo", f"100644,{blob},{path}")
        tree = git(clone, "write-tree")
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        commit = git(clone, *identity, "commit-tree", tree, "-p", "HEAD", "-m", f"Round {made[side]}")
        git(clone, "update-ref", "HEAD", commit)
        return both.git("-C", str(clone), "push", "-q", "origin", "HEAD:main").seconds

    ours, theirs = alternate(ROUNDS, lambda: push(0), lambda: push(1))
    yield Row(
        f"git push of one commit into {FILES:,} files", ms(ours), f"git http-backend {ms(theirs)}",
        f"{ours / theirs:.2f}x", "<= 1.5x", ours <= 1.5 * theirs,
    )  # fmt: skip


def _fetched(both: Sides, addresses: tuple[str, str], clones: list[Path]) -> Iterator[Row]:
    def fetch(side: int) -> float:
        return both.git("-C", str(clones[side]), "fetch", "-q").seconds

    ours, theirs = alternate(ROUNDS * 2, lambda: fetch(0), lambda: fetch(1))
    yield Row(
        f"git fetch with nothing new, {FILES:,} files", ms(ours), f"git http-backend {ms(theirs)}",
        f"{ours / theirs:.2f}x", "<= 100 ms", ours <= 0.1,
    )  # fmt: skip

    def behind(side: int) -> float:
        """Fetch the pushes of above into a clone that lacks the last three."""
        clone = both.fresh()
        shutil.copytree(clones[side], clone, symlinks=True)
        old = git(clone, "rev-parse", "HEAD~3")
        git(clone, "update-ref", "HEAD", old)
        git(clone, "update-ref", "refs/remotes/origin/main", old)
        git(clone, "-c", "gc.reflogExpire=now", "reflog", "expire", "--expire=now", "--all")
        git(clone, "prune")
        seconds = both.git("-C", str(clone), "fetch", "-q").seconds
        shutil.rmtree(clone)
        return seconds

    yield _row(
        both, "git fetch of three commits", [behind(0) for _ in range(ROUNDS)], [behind(1) for _ in range(ROUNDS)]
    )
    for what, arguments in (
        ("git clone --depth 1 --bare", ("--depth", "1", "--bare")),
        ("git clone --filter=blob:none --bare", ("--filter=blob:none", "--bare")),
        ("git clone --filter=tree:0 --bare", ("--filter=tree:0", "--bare")),
    ):
        git(both.served / "files.git", "config", "uploadpack.allowFilter", "true")
        taken = [[both.clone(url, *arguments) for _ in range(ROUNDS)] for url in addresses]
        yield _row(both, what, *taken)


def _row(both: Sides, what: str, ours: list[float], theirs: list[float]) -> Row:
    mine, other = statistics.median(ours), statistics.median(theirs)
    return Row(
        f"{what}, {FILES:,} files", f"{ms(mine)}, the first {ms(ours[0])}", f"git http-backend {ms(other)}",
        f"{mine / other:.2f}x", "-", None,
    )  # fmt: skip
