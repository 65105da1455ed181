"""What commands load before they do anything: nothing heavy that they may not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mic

SOURCE = str(Path(mic.__file__).parents[1])
# Milliseconds that each takes to load here: what only some command lines need, none pays for.
HEAVY = {"textual": 300, "rich": 60, "re2": 15, "detect_secrets": 100, "numpy": 55, "pygit2": 54, "pyfastcdc": 5}


@pytest.mark.parametrize(
    ("module", "more"),
    [
        ("mic.cli.history.log", {"difflib", "mic.cli.history.diff", "mic.cli.context.file_diff"}),
        ("mic.cli.landing.land", set()),
        ("mic.cli.session.sessions", set()),
        ("mic.cli.working_copy.resolve", set()),
        ("mic.cli.working_copy.sync", set()),
    ],
)
def test_nothing_heavy_is_loaded(module: str, more: set[str]) -> None:
    modules = f"mic.cli.terminal.app, {module}"
    code = f"import sys; sys.path.insert(0, {SOURCE!r}); import {modules}; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & (HEAVY.keys() | more) == set()


@pytest.mark.parametrize(("here", "scans"), [(True, 0), (False, 1)])
def test_a_fork_looks_for_installed_packages_no_more(here: bool, scans: int) -> None:
    """The command server has done so before it forked; a command that starts by itself does it once."""
    paths = [path for path in sys.path if path]
    code = (
        f"import sys; sys.path[:0] = {paths!r}; import site; done = []; site.main = lambda: done.append(1); "
        f"from mic.cli.main import main; assert main(['help', 'blame'], here={here}) == 0; print(len(done))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True, env={"MIC_DAEMON": "off"}
    )
    assert done.stdout.splitlines()[-1] == str(scans)
