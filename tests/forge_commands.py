"""`micelio` commands one after the other in one process. A JSON document a line, both ways."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import sys


def take() -> int:
    """Until standard input ends: a list of arguments, answered by exit code, output and errors."""
    from micelio.command import main

    asked, told = sys.stdin, sys.stdout
    for line in asked:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(json.loads(line))
        from django.db import connections

        connections.close_all()
        print(json.dumps([code, out.getvalue(), err.getvalue()]), file=told, flush=True)
    return 0


if __name__ == "__main__":
    del sys.path[0]  # this folder
    gc.set_threshold(50_000, 20, 20)  # as `python -m micelio`
    sys.exit(take())
