"""Small limits are for a time: a module that was loaded meanwhile would keep them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mic.core
import mic.ledger
from mic.core import segment
from mic.sim.limits import small_limits


def test_they_end() -> None:
    with small_limits():
        assert segment.SEGMENT == 6
    assert segment.SEGMENT == 1000


def test_every_module_is_loaded_before() -> None:
    """Those of rooms within rooms too, which a process that has just begun has not loaded yet."""
    code = "from mic.sim.limits import _modules; print(*(module.__name__ for module in _modules()))"
    known = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    for package in (mic.core, mic.ledger):
        root = Path(package.__path__[0])
        for path in root.rglob("*.py"):
            name = ".".join((package.__name__, *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
            assert name in known
