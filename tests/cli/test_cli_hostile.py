"""Every command with values that nobody would type: a sentence and an exit code, never a traceback or a wait."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from transcript import Shell

pytestmark = pytest.mark.timeout(900)


def test_every_argument_of_every_command(shell: Shell, name: str) -> None:
    """The commands are those of the table of commands, so a new one is here by itself."""
    shell("project", "create", f"{name}/garden")
    shell("clone", f"{name}/garden")
    shell.cd("garden")
    shell.write("a", "1\n")
    assert shell("land", "First").startswith("Landed @1")
    shell.write("a", "2\n")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("every_command.py"))],
        cwd=shell.cwd,
        env=shell.environment | {"PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    *wrong, count = done.stdout.splitlines() or [""]
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(count) > 500
    assert not wrong, "\n".join(wrong)
