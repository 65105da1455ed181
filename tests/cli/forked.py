"""Runs `mic` as a process of its own that did not have to load anything.

Most of what a command costs that asks a forge are imports, and the tests have ten thousand of them. The start itself
is tested with the real script; PROCESSES=1 has each command started so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

MIC = Path(sys.executable).with_name("mic")
# What decides at the start of an interpreter, before anybody could be forked.
_EARLY = ("LANG", "LC_ALL", "LC_CTYPE", "PYTHONUTF8", "PYTHONIOENCODING")

if __name__ != "__main__":
    from forks import Forks

    _forks = Forks(Path(__file__))


def run(
    arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], stdin: str
) -> subprocess.CompletedProcess[str]:
    """`mic` with these arguments."""
    command = [str(MIC), *arguments]
    if os.environ.get("PROCESSES") or any(environment.get(name) != os.environ.get(name) for name in _EARLY):
        return subprocess.run(
            command, cwd=cwd, env=environment, input=stdin, capture_output=True, text=True, check=False
        )
    done = _forks.run(arguments, cwd, environment, stdin)
    return subprocess.CompletedProcess(["mic", *arguments], done.returncode, done.stdout, done.stderr)


def _run(arguments: list[str]) -> int:
    import killed

    sys.argv = ["mic", *arguments]
    count = None
    if killed.AT in os.environ:
        count = killed.end_before(int(os.environ[killed.AT]), calls=killed.CALLS in os.environ)
    try:
        return main(arguments)
    finally:
        if count is not None:
            killed.tell(count)


if __name__ == "__main__":
    del sys.path[0]  # this folder
    import gc
    import importlib

    from mic.cli.main import main
    from mic.cli.table import COMMANDS

    # And what is loaded late: by the first question to a forge, by looking at files. Not pygit2, which then reads HOME.
    late = """
        mic.cli.hot mic.cli.served mic.rpc.client mic.daemon.command_door mic.workspace.ignore mic.workspace.untracked
        grpc._channel grpc.experimental encodings.idna tarfile
    """
    for module in [*(place.partition(":")[0] for place, _ in COMMANDS.values()), *late.split()]:
        importlib.import_module(module)

    sys.path += [os.path.dirname(__file__), os.path.dirname(os.path.dirname(__file__))]
    import forks

    gc.freeze()  # what a collection in a fork writes to would be copied
    forks.serve(sys.argv[1], _run)
