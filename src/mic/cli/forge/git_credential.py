"""`mic auth setup-git` and `mic auth git-credential`: git asks mic for the token, and no file holds it for git.

The protocol is git's own (git-credential, "INPUT/OUTPUT FORMAT"): lines of `key=value` up to an empty one.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys

import click

from mic.cli.forge.connection import instance_option, named_instance
from mic.cli.forge.credentials import SIGN_IN, Tokens, stored
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output
from mic.core.errors import InvalidInput, MicError, NotFound
from mic.rpc.discovery import normal_instance

# What git sends is short; anybody may call the command.
_MOST_INPUT = 64 << 10
# git takes any user name with a token.
_ANYBODY = "x-token"
# What may stand in a key of git's configuration without being read as something else.
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+")


@click.command("setup-git", short_help="Have git use your sign-in at the forge.")
@instance_option
@click.option("--undo", is_flag=True, help="Take the helper out of git's configuration again.")
@json_option
def setup_git(out: Output, instance: str | None, undo: bool) -> None:
    """Have git use your sign-in at the forge, by its global configuration.

    Git then asks `mic` whenever the forge wants a token. The token itself is written nowhere else.
    """
    chosen = named_instance(instance)
    if shutil.which("git") is None:
        raise NotFound("git is not installed here, or not on the PATH.", hint="Install it, then run this again.")
    if _PLAIN_URL.fullmatch(chosen) is None:
        raise InvalidInput(f"{chosen[:200]!r} cannot be told to git.", hint="Use a form like https://host:port.")
    key = f"credential.{chosen}.helper"
    # 5: there is none to take out.
    _git_config("--unset-all", key, expected=(0, 5))
    helper = "" if undo else f"!{shlex.quote(mic_command())} auth git-credential"
    if not undo:
        # The empty one first: helpers of all hosts would keep the token, some of them in clear.
        _git_config("--add", key, "")
        _git_config("--add", key, helper)
    out.line(f"git {'no longer asks' if undo else 'asks'} mic for the token of {chosen}.")
    if not undo and not Tokens(chosen).current():
        out.note(f"You are not signed in there yet. {SIGN_IN}")
    out.document({"instance": chosen, "key": key, "helper": helper})


@click.command("git-credential", hidden=True)
@click.argument("action")
def git_credential(action: str) -> None:
    """What git calls: `get`, `store` or `erase`, with a host on standard input."""
    said = dict(line.partition("=")[::2] for line in sys.stdin.read(_MOST_INPUT).split("\n\n")[0].splitlines())
    try:
        instance = normal_instance(f"{said.get('protocol', '')}://{said.get('host', '')}")
    except InvalidInput:
        return  # of no forge: another helper may know it
    if action == "get":
        token = Tokens(instance).current()
        if token:
            kept = stored(instance)
            user = said.get("username") or (kept.handle if kept is not None else "") or _ANYBODY
            sys.stdout.write(f"username={user}\npassword={token}\n")
    elif action == "erase" and said.get("password"):
        # The forge did not take it. One that can be renewed is, so that the next call has a good one.
        Tokens(instance).instead_of(said["password"])


def mic_command() -> str:
    """The program that this is, by a path that holds wherever git is run: it stands beside its Python."""
    beside = os.path.join(os.path.dirname(os.path.abspath(sys.executable)), "mic")
    return beside if os.access(beside, os.X_OK) else shutil.which("mic") or "mic"


def _git_config(*arguments: str, expected: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run(["git", "config", "--global", *arguments], capture_output=True, text=True, check=False)
    if done.returncode not in expected:
        reason = done.stderr.strip() or f"it ended with {done.returncode}"
        raise MicError(f"git's configuration cannot be changed: {reason}.", hint="Does `git config --global -l` work?")
