"""`make lighthouse`: Google's Lighthouse over the six main pages of the project that pages are measured on.

It runs in Debian's chromium, as a slow telephone with a slow line (its own default), signed out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from bench.measure import Row  # noqa: E402
from bench.table import show, write_table  # noqa: E402
from bench.web.fixture import LANDINGS, PROJECT, fixture, path_of  # noqa: E402

PAGES = {
    "forge home": "/",
    "project home": PROJECT,
    "file": f"{PROJECT}/-/file/head/{path_of(7).decode()}",
    "landings": f"{PROJECT}/-/landings",
    "session": f"{PROJECT}/-/landings/{LANDINGS}",
    "organization": "/micelio",
}
ASKED = {"performance": 98, "accessibility": 98, "best-practices": 98, "seo": 98}
COMMAND = ROOT / ".tools/lighthouse/node_modules/.bin/lighthouse"


def rows() -> Iterator[Row]:
    """The scores of each page; what cost points is printed beside them."""
    forge = fixture()
    try:
        for name, address in PAGES.items():
            told = _look(forge.base_url + address)
            scores = {key: round(100 * (told["categories"][key]["score"] or 0)) for key in ASKED}
            lost = sorted(_lost(told))
            yield Row(
                f"Lighthouse {told['lighthouseVersion']}: {name}",
                ", ".join(f"{key} {score}" for key, score in scores.items()),
                "",
                ", ".join(lost) or "nothing lost",
                ">= 98 each",
                all(scores[key] >= least for key, least in ASKED.items()),
            )
    finally:
        forge.end()


def _look(address: str) -> dict[str, Any]:
    """Its report. On a busy machine it sometimes records nothing, says so, and is asked again."""
    for _ in range(4):
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            subprocess.run(
                [
                    str(COMMAND), address, "--quiet", "--output=json", f"--output-path={report}",
                    f"--only-categories={','.join(ASKED)}", "--chrome-flags=--headless=new --no-sandbox",
                ],
                env=os.environ | {"CHROME_PATH": os.environ.get("CHROMIUM", "/usr/bin/chromium")},
                check=False,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            told: dict[str, Any] = json.loads(report.read_bytes()) if report.exists() else {"runtimeError": "none"}
        if "runtimeError" not in told:
            return told
    raise AssertionError(f"Lighthouse could not look at {address}: {told['runtimeError']}")


def _lost(told: dict[str, Any]) -> Iterator[str]:
    """Audits that count and are not fully met, with their category."""
    for key in ASKED:
        for reference in told["categories"][key]["auditRefs"]:
            score = told["audits"][reference["id"]]["score"]
            if reference["weight"] and score is not None and score < 0.95:
                yield f"{reference['id']} {score:.2f}"


if __name__ == "__main__":
    made = []
    for row in rows():
        show(row)
        made.append(row)
    write_table("make lighthouse", "", made)
