"""Run the benchmarks of the engine and write their table into docs/benchmarks.md.

make bench-engine                 all of them
make bench-engine ONLY=tree       one module, printed and not written
"""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

import bench.engine  # noqa: E402
from bench.measure import Row  # noqa: E402
from bench.table import rows_of, write_table  # noqa: E402


def main() -> int:
    only = os.environ.get("ONLY", "")
    names = sorted(module.name for module in pkgutil.iter_modules(bench.engine.__path__) if module.name != "__main__")
    rows: list[Row] = []
    for name in names:
        if only and name != only:
            continue
        print(f"{name} ...", flush=True)
        # A process each: what one subject leaves in memory is no cost of the next.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            rows += process.submit(rows_of, f"bench.engine.{name}").result()
    if not only:
        write_table("make bench-engine", "", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
