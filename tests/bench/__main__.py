"""Run the benchmarks of the whole forge and write their table into docs/benchmarks.md.

make bench                       with made repositories
make bench REPO=/path/to/clone   and a real one
"""

from __future__ import annotations

import os
import shutil
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
from bench.table import show, write_table  # noqa: E402
from forge_process import Forge  # noqa: E402


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
                show(row)
                rows.append(row)
    finally:
        forge.stop()
        shutil.rmtree(home, ignore_errors=True)
    write_table("make bench", "REPO=..." if real else "", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
