"""The tables of docs/benchmarks.md, each between two marks that name the command which makes it."""

from __future__ import annotations

import datetime
import importlib
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Row

ROOT = Path(__file__).resolve().parents[2]


def met(row: Row) -> str:
    """The word in the last column."""
    return "" if row.met is None else "yes" if row.met else "**missed**"


def show(row: Row) -> None:
    """Print one row while the others still run."""
    print("  " + " | ".join((row.what, row.ours, row.peer, row.result, row.asked, met(row))), flush=True)


def rows_of(module: str, part: str = "") -> list[Row]:
    """Run the module of one subject, or one part of it, printing its rows as they come."""
    rows = []
    made = importlib.import_module(module).rows
    for row in made(part) if part else made():
        show(row)
        rows.append(row)
    return rows


def write_table(command: str, arguments: str, rows: Sequence[Row]) -> None:
    """Replace the table between the marks of this command; the words around it are kept."""
    start, end = f"<!-- {command}: begin -->", f"<!-- {command}: end -->"
    page = ROOT / "docs" / "benchmarks.md"
    text = page.read_text(encoding="utf-8")
    assert start in text, f"docs/benchmarks.md has no place for {command}"
    commit = subprocess.check_output(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], text=True).strip()
    table = "\n".join(f"| {r.what} | {r.ours} | {r.peer} | {r.result} | {r.asked} | {met(r)} |" for r in rows)
    git = subprocess.check_output(["git", "--version"], text=True).split()[2]
    made = (
        f"{start}\n`{' '.join((command, arguments)).strip()}` on {datetime.date.today()}, at {commit}: "
        f"{os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, git {git}.\n\n"
        "| what | ours | peer in the same run | result | asked | met |\n| --- | --- | --- | --- | --- | --- |\n"
        f"{table}\n{end}"
    )
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    page.write_text(before + made + after, encoding="utf-8")
