"""Landing many new files in one session: whole processes of `mic` beside git's, on one tree.

FILES=20000 makes the tree smaller, for trying out.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.client import GIT, MIC, environment
from bench.corpora import text
from bench.measure import Ran, Row, run
from forge_process import Forge

FILES = int(os.environ.get("FILES", "100000"))
A_DIRECTORY = 50
ROUNDS = 2


def rows() -> Iterator[Row]:
    """The figures of a landing of FILES new files."""
    home = Path(tempfile.mkdtemp(prefix="micelio-landing-"))
    try:
        tree = home / "tree"
        made = _make_tree(tree)
        forge = Forge(home / "data")
        try:
            env = environment(forge, home)
            run([MIC, "org", "create", "bench"], env)
            yield from _landing(forge, env, home, tree, made)
            yield _clone(env, home, tree)
        finally:
            forge.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _landing(forge: Forge, env: dict[str, str], home: Path, tree: Path, made: int) -> Iterator[Row]:
    ours: list[float] = []
    peer: list[float] = []
    puts: list[int] = []
    peaks: list[int] = []
    for number in range(ROUNDS):
        shutil.rmtree(tree / ".git", ignore_errors=True)
        os.sync()
        peer.append(_git(tree, env))
        git = (tree / ".git").rename(home / "git")
        copy = home / f"copy{number}"
        run([MIC, "project", "create", f"bench/land{number}"], env)
        run([MIC, "clone", f"bench/land{number}", str(copy)], env)
        _move(tree, copy)
        os.sync()
        before = _objects(forge)
        started = run([MIC, "session", "start", "Bring everything"], env, copy)
        landed = run([MIC, "land"], env, copy)
        ours.append(started.seconds + landed.seconds)
        peaks.append(landed.peak)
        # A head that is swapped is written once more, in its place.
        puts.append(len(_objects(forge) - before) + 1)
        _move(copy, tree)
        git.rename(tree / ".git")
    ratio = sum(peer) / sum(ours)
    yield Row(
        f"landing {FILES:,} new files, {made / 1e6:.0f} MB, {ROUNDS} runs",
        " ".join(f"{seconds:.1f} s" for seconds in ours),
        "git add, git commit " + " ".join(f"{seconds:.1f} s" for seconds in peer),
        f"{ratio:.2f}x faster", ">= 3x", ratio >= 3,
    )  # fmt: skip
    yield Row("the same, objects written", f"{max(puts)}", f"git {FILES:,} and more", "", "<= 20", max(puts) <= 20)
    yield Row("the same, peak memory of the client", f"{max(peaks) >> 20} MiB", "", "", "-", None)


def _git(tree: Path, env: dict[str, str]) -> float:
    # Its housekeeping would go on in the background, while we are timed.
    git = [
        "git",
        "-c",
        "gc.auto=0",
        "-c",
        "maintenance.auto=false",
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.org",
    ]
    return sum(
        run([*git, *command], env | GIT, tree).seconds
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"])
    )


def _clone(env: dict[str, str], home: Path, tree: Path) -> Row:
    def clone(*command: str) -> Ran:
        ran = run([*command, str(home / "clone")], env | GIT)
        shutil.rmtree(home / "clone")
        return ran

    peer = clone("git", "clone", "-q", f"file://{tree}").seconds
    ours = clone(MIC, "clone", "bench/land0").seconds
    ratio = ours / peer
    return Row(
        f"clone of {FILES:,} files, one run", f"{ours:.1f} s", f"git clone {peer:.1f} s", f"{ratio:.2f}x", "<= 3x",
        ratio <= 3,
    )  # fmt: skip


def _make_tree(tree: Path) -> int:
    """Files of one to four KB that look like source, no two alike; their bytes altogether."""
    rnd = random.Random(3)
    pool = text(rnd, 40_000)
    made = 0
    for number in range(FILES):
        folder = number // A_DIRECTORY
        path = tree / f"part{folder // 40:03d}" / f"module{folder:05d}" / f"file{number:06d}.py"
        if number % A_DIRECTORY == 0:
            path.parent.mkdir(parents=True)
        start, size = rnd.randrange(len(pool) - 4096), rnd.randrange(1000, 4000)
        made += path.write_bytes(b"# %d\n" % number + pool[start : start + size])
    return made


def _move(source: Path, target: Path) -> None:
    for entry in source.iterdir():
        if not entry.name.startswith("."):
            entry.rename(target / entry.name)


def _objects(forge: Forge) -> set[str]:
    return {os.path.join(folder, name) for folder, _, names in os.walk(forge.data_dir / "store") for name in names}
