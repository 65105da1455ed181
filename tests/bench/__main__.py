"""Run every benchmark and write docs/benchmarks.md.

make bench                       with made repositories
make bench REPO=/path/to/clone   and a real one
"""

from __future__ import annotations

import datetime
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from bench.client import (  # noqa: E402
    MIC,
    bench_clone,
    bench_import,
    bench_status,
    environment,
)
from bench.measure import Row, run  # noqa: E402
from bench.server import bench_landing, bench_pages  # noqa: E402
from forge_process import Forge  # noqa: E402

START = "<!-- make bench: begin -->"
END = "<!-- make bench: end -->"


def main() -> int:
    real = os.environ.get("REPO")
    home = Path(tempfile.mkdtemp(prefix="micelio-bench-"))
    forge = Forge(home / "data", "--first-project", str(ROOT))
    rows: list[Row] = []
    try:
        run([MIC, "org", "create", "bench"], environment(forge, home))
        for name, figures in (
            ("import", lambda: bench_import(forge, home, Path(real) if real else None)),
            ("clone", lambda: bench_clone(forge, home)),
            ("status", lambda: bench_status(forge, home)),
            ("landing", lambda: bench_landing(forge, home)),
            ("pages", lambda: bench_pages(forge)),
        ):
            print(f"{name} ...", flush=True)
            for row in figures():
                print("  " + " | ".join((row.what, row.ours, row.peer, row.result, row.asked, _met(row))), flush=True)
                rows.append(row)
    finally:
        forge.stop()
        shutil.rmtree(home, ignore_errors=True)
    _write(rows, bool(real))
    return 0


def _met(row: Row) -> str:
    return "" if row.met is None else "yes" if row.met else "**missed**"


def _write(rows: list[Row], real: bool) -> None:
    """Replace the table between the two marks; the words around it are kept."""
    page = ROOT / "docs" / "benchmarks.md"
    text = page.read_text(encoding="utf-8")
    commit = subprocess.check_output(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], text=True).strip()
    table = "\n".join(f"| {r.what} | {r.ours} | {r.peer} | {r.result} | {r.asked} | {_met(r)} |" for r in rows)
    git = subprocess.check_output(["git", "--version"], text=True).split()[2]
    made = (
        f"{START}\n`make bench{' REPO=...' if real else ''}` on {datetime.date.today()}, at {commit}: "
        f"{os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, git {git}.\n\n"
        "| what | ours | peer in the same run | result | asked | met |\n| --- | --- | --- | --- | --- | --- |\n"
        f"{table}\n{END}"
    )
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    page.write_text(before + made + after, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
