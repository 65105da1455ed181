"""Runs every command of `mic` with hostile values, in this process, and prints what went wrong as JSON lines.

Started by `test_cli_hostile` in a working copy, with the environment of somebody who is signed in. The last line is how
many command lines there were.
"""

from __future__ import annotations

import io
import json
import signal
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import click

from mic.cli.main import main
from mic.cli.terminal.app import root

# Seconds; a command that waits for somebody is asked for without that.
MOST = 30
HOSTILE = {
    "nothing": "",
    "not UTF-8": "\udcff\udcfe",
    "turned around": "\u0430dm\u202ein",
    "less than nothing": "-1",
    "a number": "9" * 30,
    "climbing": "../../../etc/passwd",
    "long": "a" * 20_000,
    "signs of terminals": "\x1b[31m\nx",
    "reserved": "api/-",
}
# It asks a person in a browser, and waits for them.
ALWAYS = {"auth login": ["--token-stdin"]}


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that is no group, with its words."""
    if not isinstance(group, click.Group):
        yield path, group
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield from commands(found, (*path, name))


def lines(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[str, list[str]]]:
    """(what is wrong, command line): one hostile value at a time, plain words elsewhere."""
    always = [*path, *ALWAYS.get(" ".join(path), [])]
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    for param in command.params:
        if isinstance(param, click.Option) and (param.is_flag or param.count):
            continue
        for what, value in HOSTILE.items():
            plain = {one.name: "x" for one in arguments if one.required}
            chosen = plain | ({param.name: value} if param in arguments else {})
            options = [] if param in arguments else [param.opts[0], value]
            given = [chosen[one.name] for one in arguments if one.name in chosen]
            yield f"{param.name} is {what}", [*always, *options, "--", *given]
    for extra in (["--nonsense"], ["--json", "--json"], ["x"] * 50):
        yield "more than it takes", [*always, *extra]


def ran(argv: list[str]) -> tuple[int, str, str]:
    """Exit code, output and errors; 1000 for an exception that nobody caught, with its traceback."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    kept = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, (sys.stdout, sys.stderr) = io.TextIOWrapper(io.BytesIO()), streams
    signal.alarm(MOST)
    try:
        code = main(argv)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
        code = 1000
    finally:
        signal.alarm(0)
        sys.stdin, sys.stdout, sys.stderr = kept
    out, err = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in streams)  # type: ignore[attr-defined]
    return code, out, err


def fault(argv: list[str], code: int, out: str, err: str) -> str:
    """What is wrong with an answer, "" for nothing."""
    if code == 1000 or "Traceback" in err:
        return err[-1500:]
    if code == 0:
        return ""
    if "--json" in argv:
        said: Any = json.loads(out)
        return "" if said["error"]["code"] and said["error"]["message"] else out
    if not err.strip() or code > 20:
        return f"exit code {code}: {err!r}"
    return f"raw signs of terminals: {err[:200]!r}" if "\x1b[31m" in err else ""


def _over(*_: object) -> None:
    raise TimeoutError(f"still running after {MOST} s")


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, _over)
    count = 0
    for words, found in commands(root):
        for wrong, line in lines(words, found):
            for argv in (line, [*words, "--json", *line[len(words) :]]) if count % 3 == 0 else (line,):
                count += 1
                said = fault(argv, *ran(argv))
                if said:
                    print(json.dumps([wrong, [part[:80] for part in argv], said]), flush=True)
    print(count)
