"""import, clone and status: whole processes of the `mic` command beside git's."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from bench.corpora import make_repository
from bench.measure import Row, alternate, ms, resident, run
from forge_process import Forge

MIC = str(Path(sys.executable).parent / "mic")
REAL_ROUNDS = 5
GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


def environment(forge: Forge, home: Path) -> dict[str, str]:
    """A user's environment, signed in as admin."""
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    own = {"HOME": str(home), "MICELIO_INSTANCE": forge.base_url, "MICELIO_TOKEN": forge.token("admin")}
    return plain | GIT | own | {"MIC_DAEMON": "off"}


def bench_import(forge: Forge, home: Path, real: Path | None) -> list[Row]:
    """Commits a second of `mic import git`, and whether memory grows with the history."""
    env = environment(forge, home)
    rows = []
    peaks = []
    for number, commits in enumerate((3000, 9000)):
        source = make_repository(home / f"history{commits}.git", 1000, commits)
        ran = run([MIC, "import", "git", str(source), f"bench/made{number}"], env)
        peer = run(["git", "clone", "-q", "--bare", f"file://{source}", str(home / f"peer{commits}.git")], env)
        peaks.append((ran.peak, resident(forge.process.pid)))
        rate = commits / ran.seconds
        rows.append(
            Row(
                f"import, {commits:,} made commits", f"{rate:,.0f} commits/s",
                f"git clone --bare: {commits / peer.seconds:,.0f}/s", f"{rate:,.0f}/s", ">= 1,000/s", rate >= 1000,
            )
        )  # fmt: skip
    grown = [after / before for before, after in zip(*peaks, strict=True)]
    rows.append(
        Row(
            "memory of an import, 9,000 : 3,000 commits",
            f"client {peaks[1][0] >> 20} MiB", f"forge {peaks[1][1] >> 20} MiB",
            f"{grown[0]:.2f}x, {grown[1]:.2f}x", "flat (<= 1.3x)", max(grown) <= 1.3,
        )
    )  # fmt: skip
    if real is not None:
        count = int(subprocess.check_output(["git", "-C", str(real), "rev-list", "--first-parent", "--count", "HEAD"]))
        # One run says little: the same import varies by a third within an hour on a shared machine.
        ours, peers = [], []
        for number in range(REAL_ROUNDS):
            ours.append(run([MIC, "import", "git", str(real), f"bench/real{number}"], env).seconds)
            copy = str(home / f"peer{number}.git")
            peers.append(run(["git", "clone", "-q", "--bare", f"file://{real}", copy], env).seconds)
        rate, peer_rate = count / statistics.median(ours), count / statistics.median(peers)
        rows.append(
            Row(
                f"import, a real repository of {count:,} first-parent commits, median of {REAL_ROUNDS}",
                f"{rate:,.0f} commits/s",
                f"git clone --bare: {peer_rate:,.0f}/s", f"{rate:,.0f}/s", ">= 1,000/s", rate >= 1000,
            )
        )  # fmt: skip
    return rows


def bench_clone(forge: Forge, home: Path) -> list[Row]:
    """A clone of 5,000 files from localhost."""
    env = environment(forge, home)
    source = make_repository(home / "tree5000.git", 5000, 1)
    run([MIC, "import", "git", str(source), "bench/tree5000"], env)

    def mic() -> float:
        shutil.rmtree(home / "mic-copy", ignore_errors=True)
        return run([MIC, "clone", "bench/tree5000", str(home / "mic-copy")], env).seconds

    def git() -> float:
        shutil.rmtree(home / "git-copy", ignore_errors=True)
        return run(["git", "clone", "-q", f"file://{source}", str(home / "git-copy")], env).seconds

    ours, peer = alternate(5, mic, git)
    ratio = ours / peer
    return [Row("clone of 5,000 files", ms(ours), f"git clone {ms(peer)}", f"{ratio:.2f}x", "<= 3x", ratio <= 3)]


def bench_status(forge: Forge, home: Path) -> list[Row]:
    """`mic status` on 5,000 clean files, after `bench_clone`: whole processes."""
    env = environment(forge, home)
    # Both have refreshed what they remember of files that were written a moment ago.
    for _ in range(2):
        run([MIC, "status"], env, home / "mic-copy")
        run(["git", "status"], env, home / "git-copy")
    python = os.path.realpath(sys.executable)
    ours, peer, floor = alternate(
        20,
        lambda: run([MIC, "status"], env, home / "mic-copy").seconds,
        lambda: run(["git", "status"], env, home / "git-copy").seconds,
        lambda: run([python, "-I", "-S", "-c", "pass"], env).seconds,
    )
    allowed = 2 * peer + floor
    return [
        Row(
            "status of 5,000 clean files, whole process", ms(ours), f"git {ms(peer)}, Python's start {ms(floor)}",
            f"{ours / allowed:.2f} of what is allowed", "<= 2x git + start", ours <= allowed,
        )
    ]  # fmt: skip
