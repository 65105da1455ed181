"""`make bench-web`: pages of one large project, then search over 1,000,000 lines; ONLY=pages or ONLY=search for one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from bench.table import rows_of, write_table  # noqa: E402

ONLY = os.environ.get("ONLY", "")
for command, module in (("pages", "bench.web.pages"), ("search", "bench.web.searching")):
    if ONLY in ("", command):
        write_table(f"make bench-web ONLY={command}", "", rows_of(module))
