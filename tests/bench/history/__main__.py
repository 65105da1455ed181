"""Run the benchmarks of history and write their table into docs/benchmarks.md.

make bench-history                all of them
make bench-history ONLY=paths     one module, printed and not written
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

import bench.history  # noqa: E402
from bench.subjects import run_subjects  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_subjects(bench.history, "make bench-history"))
