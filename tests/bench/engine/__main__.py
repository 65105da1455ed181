"""Run the benchmarks of the engine and write their table into docs/benchmarks.md.

make bench-engine                 all of them
make bench-engine ONLY=tree       one module, printed and not written
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

import bench.engine  # noqa: E402
from bench.subjects import run_subjects  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_subjects(bench.engine, "make bench-engine"))
