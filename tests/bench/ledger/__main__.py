"""Run the benchmarks of the ledger and write their table into docs/benchmarks.md.

make bench-ledger                 all of them
make bench-ledger ONLY=concurrent one module, printed and not written
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

import bench.ledger  # noqa: E402
from bench.subjects import run_subjects  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_subjects(bench.ledger, "make bench-ledger"))
