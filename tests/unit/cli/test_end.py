"""How a command's process ends: with all that an end of a program does, but for tearing the interpreter down."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mic

SOURCE = str(Path(mic.__file__).parents[1])
_PROGRAM = """
import atexit, sys, threading, time
sys.path.insert(0, {source!r})
from mic.cli import main

def late():
    time.sleep(0.2)
    print("a thread")

class Kept:
    def __del__(self):
        print("torn down")

def run(argv):
    import mic.cli.terminal.app
    threading.Thread(target=late).start()
    atexit.register(print, "at the end")
    print("the command")
    return 7

kept = Kept()
main.main = run
main.start()
"""


def test_threads_and_what_is_registered_come_before_the_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(source=SOURCE), "clone"], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("the command\na thread\nat the end\n", "", 7)


def test_an_error_that_nobody_takes_keeps_its_code() -> None:
    code = f"import sys; sys.path.insert(0, {SOURCE!r}); from mic.cli.main import start; start()"
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", code, "nonsense", "--json"], stdout=full, stderr=full, check=False)
    assert done.returncode == 1
