"""`mic status` where it goes through click: with `--help`, or with arguments that it does not take."""

from __future__ import annotations

import io
from contextlib import nullcontext, redirect_stdout

import click

from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output


@click.command(short_help="What changed here since the base")
@json_option
def status(out: Output) -> int:
    """What changed here since the base: A added, M modified, D deleted, T another type.

    Files that .gitignore or .micignore name are left out.
    """
    from mic.cli.main import main

    if out.as_json:
        return main(["status", "--json"])
    with redirect_stdout(io.TextIOWrapper(io.BytesIO())) if out.quiet else nullcontext():
        return main(["status"])
