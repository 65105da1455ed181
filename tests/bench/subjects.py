"""The subjects of one package of benchmarks, each a module with `rows()`, run one after the other.

A module may name `PARTS`, which `rows(part)` is asked for one by one. What is done is kept beside the virtual
environment, so that a run which was stopped goes on where it was: at the same commit, with the same sizes.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import pkgutil
import subprocess
from concurrent.futures import ProcessPoolExecutor
from types import ModuleType

from bench.measure import Row
from bench.table import ROOT, rows_of, write_table

_SIZES = ("COMMITS", "FILES", "TAGS", "LANDINGS", "MIB", "ROUNDS")


def run_subjects(package: ModuleType, command: str) -> int:
    """Run all, and write the table of the command into docs/benchmarks.md.

    With ONLY=name one module, with ONLY=name:part one part of it, and nothing is written.
    """
    only, _, only_part = os.environ.get("ONLY", "").partition(":")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name != "__main__")
    kept = _Kept(command)
    rows: list[Row] = []
    for name in names:
        if only and name != only:
            continue
        module = f"{package.__name__}.{name}"
        for part in getattr(importlib.import_module(module), "PARTS", ("",)):
            if only_part and part != only_part:
                continue
            key = f"{name}:{part}".rstrip(":")
            done = None if only else kept.rows(key)
            print(f"{key} ..." if done is None else f"{key}: done before", flush=True)
            if done is None:
                # A process each: what one subject leaves in memory is no cost of the next.
                with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                    done = process.submit(rows_of, module, part).result()
                if not only:
                    kept.keep(key, done)
            rows += done
    if not only:
        write_table(command, kept.sizes, rows)
        kept.path.unlink()
    return 0


class _Kept:
    """The rows of a run that is not at its end."""

    def __init__(self, command: str) -> None:
        self.path = ROOT / ".venv" / f"{command.removeprefix('make ')}.json"
        self.sizes = " ".join(f"{name}={os.environ[name]}" for name in _SIZES if name in os.environ)
        commit = subprocess.check_output(["git", "-C", str(ROOT), "rev-parse", "HEAD"], text=True).strip()
        self._run = f"{commit} {self.sizes}"
        self._done: dict[str, list[list[object]]] = {}
        if self.path.exists() and (found := json.loads(self.path.read_text()))["run"] == self._run:
            self._done = found["done"]

    def rows(self, key: str) -> list[Row] | None:
        found = self._done.get(key)
        return None if found is None else [Row(*row) for row in found]  # type: ignore[arg-type]

    def keep(self, key: str, rows: list[Row]) -> None:
        self._done[key] = [list(row) for row in rows]
        self.path.write_text(json.dumps({"run": self._run, "done": self._done}))
