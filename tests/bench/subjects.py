"""The subjects of one package of benchmarks, each a module with `rows()`, run one after the other."""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from types import ModuleType

from bench.measure import Row
from bench.table import rows_of, write_table


def run_subjects(package: ModuleType, command: str) -> int:
    """Run all, and write the table of the command into docs/benchmarks.md; with ONLY=name one, and write nothing."""
    only = os.environ.get("ONLY", "")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name != "__main__")
    rows: list[Row] = []
    for name in names:
        if only and name != only:
            continue
        print(f"{name} ...", flush=True)
        # A process each: what one subject leaves in memory is no cost of the next.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            rows += process.submit(rows_of, f"{package.__name__}.{name}").result()
    if not only:
        write_table(command, "", rows)
    return 0
