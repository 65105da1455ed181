"""Run the benchmarks of Git's door and write their table into docs/benchmarks.md.

make bench-git                          all of them
make bench-git ONLY=clone:long          one module of clone, imports, landings, memory, small, or a part; not written
make bench-git ONLY=clone COMMITS=1000  COMMITS, FILES, TAGS and LANDINGS are the sizes of the histories

A whole run that was stopped goes on behind the parts that it has done.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

import bench.git  # noqa: E402
from bench.subjects import run_subjects  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_subjects(bench.git, "make bench-git"))
