"""Run `serve` under mixed load and watch what it holds; the table goes into docs/benchmarks.md.

make soak               half an hour
make soak MINUTES=5     shorter, printed and not written
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from bench.measure import Row, resident  # noqa: E402
from bench.soak.flat import Sample, judged  # noqa: E402
from bench.table import show, write_table  # noqa: E402
from forge_process import Forge  # noqa: E402

EVERY = 5.0  # seconds between two samples
WRITTEN_FROM = 30.0  # minutes: a shorter run judges caches that are still filling


def main() -> int:
    minutes = float(os.environ.get("MINUTES") or 30)
    home = Path(tempfile.mkdtemp(prefix="micelio-soak-"))
    forge = Forge(home / "data")
    try:
        samples, said = _watched(forge, minutes * 60)
    finally:
        code = forge.stop()
    rows = judged(samples) + _told(said, forge.log(), code)
    shutil.rmtree(home, ignore_errors=True)
    for row in rows:
        show(row)
    if minutes >= WRITTEN_FROM:
        write_table("make soak", f"MINUTES={minutes:.0f}", rows)
    return 0 if all(row.met is not False for row in rows) else 1


def _watched(forge: Forge, seconds: float) -> tuple[list[Sample], dict[str, object]]:
    """Samples of the forge while the load runs, and what the load says at its end."""
    paths = os.pathsep.join((str(ROOT / "tests"), str(ROOT / "src")))
    command = [sys.executable, "-m", "bench.soak.load", str(seconds), forge.base_url, forge.grpc_address]
    load = subprocess.Popen(
        [*command, forge.token("admin")], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    )
    samples: list[Sample] = []
    began = time.monotonic()
    print("minute  resident  descriptors  threads", flush=True)
    while load.poll() is None:
        samples.append(_sample(forge.process.pid, time.monotonic() - began))
        now = samples[-1]
        if len(samples) == 1 or now.at // 60 > samples[-2].at // 60:
            print(
                f"{now.at / 60:6.1f}  {now.resident >> 20:4d} MiB  {now.descriptors:11d}  {now.threads:7d}", flush=True
            )
        try:
            load.wait(min(EVERY, seconds / 30))
        except subprocess.TimeoutExpired:
            continue
    assert load.stdout is not None
    said = load.stdout.read()
    assert load.returncode == 0, "the load ended early"
    return samples, json.loads(said)


def _sample(pid: int, at: float) -> Sample:
    descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    return Sample(at, resident(pid), descriptors, len(os.listdir(f"/proc/{pid}/task")))


def _told(said: dict[str, object], log: str, code: int) -> list[Row]:
    """What the clients saw, beside what the forge says."""
    done, wrong = said["done"], said["wrong"]
    assert isinstance(done, dict)
    assert isinstance(wrong, dict)
    for what, count in wrong.items():
        print(f"{count}x {what}", file=sys.stderr)
    # What is no HTTP was sent on purpose.
    lines = [line for line in log.splitlines() if "Invalid HTTP request received" not in line]
    print(*lines[-50:], sep="\n", file=sys.stderr)
    acts = ", ".join(f"{name} {count:,}" for name, count in sorted(done.items()))
    failed = sum(wrong.values())
    head, acknowledged = said["head"], said["acknowledged"]
    return [
        Row(f"what was done: {acts}", f"{sum(done.values()):,}", "", f"{failed} went otherwise", "0", not failed),
        Row("acknowledged landings", f"{acknowledged:,}", f"head: @{head:,}", "", "the same", head == acknowledged),
        Row(
            "lines in the forge's log, exit code", str(len(lines)), "", str(code), "none, 0", not lines and code == 0
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
