"""`mic secrets`: what the forge found in a session that did not land, and letting it land with a reason."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from mic.cli.forge.connection import connect
from mic.cli.forge.found_secrets import last_found, place
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.output import Output, plural
from mic.core.errors import InvalidInput, NotFound
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.place import Naming
from mic.workspace.workspace import Workspace

_FILE = os.path.join(".micelio", "secrets.toml")
_LEAST = 4  # signs of a fingerprint that name a finding


@click.group(cls=Suggesting)
def secrets() -> None:
    """What looks like a secret, and is kept from landing."""


@secrets.command("list", short_help="What kept the last session from landing.")
@json_option
def list_found(out: Output) -> int:
    """Show what kept the last session here from landing. The secrets themselves are not shown, nor kept."""
    found = last_found(Workspace.find())
    for item in found:
        out.line(f"{item['fingerprint']}  {place(item)}  {item['rule']}, {item['excerpt']}")
    if not found:
        out.line("Nothing was found in what was landed from here last.")
    out.document({"findings": found})
    return 0


@secrets.command("allow", short_help="Let a finding land, with the reason why.")
@click.argument("fingerprints", nargs=-1, metavar="[FINGERPRINT]...")
@click.option("--reason", required=True, help="Why it may land: who reads the project reads this.")
@click.option("--all", "everything", is_flag=True, help="All findings of the last landing that was refused here.")
@json_option
def allow(out: Output, fingerprints: tuple[str, ...], reason: str, everything: bool) -> int:
    """Let findings land: write them into .micelio/secrets.toml, which lands with the session.

    A finding is named by its fingerprint, as `mic secrets list` shows it; its beginning is enough.
    """
    ws = Workspace.find()
    with ws.lock():
        chosen = _chosen(last_found(ws), fingerprints, everything)
        if not reason.strip():
            raise InvalidInput("A finding needs a reason to land.", hint='Say it: --reason "a key made for tests".')
        with connect(ws.config.instance, signed_in=True) as client:
            user = client.call(client.auth.GetCurrentUser, pb.GetCurrentUserRequest()).user
        path = os.path.join(os.fsencode(ws.root), os.fsencode(_FILE))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with Naming(path), open(path, "a", encoding="utf-8") as file:
            file.write("".join(_entry(item, reason.strip(), user.handle) for item in chosen))
    out.line(f"{plural(len(chosen), 'finding')} allowed in {_FILE}. Land it with your session: `mic land`.")
    out.document({"allowed": [{"fingerprint": item["fingerprint"], "path": item["path"]} for item in chosen]})
    return 0


def _chosen(found: list[dict[str, Any]], names: tuple[str, ...], everything: bool) -> list[dict[str, Any]]:
    if not found:
        raise NotFound("Nothing was found in what was landed from here last.", hint="Land first: `mic land`.")
    if not names and not everything:
        raise InvalidInput("Which finding may land?", hint="Name it, or say --all: `mic secrets list`.")
    chosen = {(item["fingerprint"], item["path"]): item for item in found if everything}
    for name in names:
        if len(name) < _LEAST:
            raise InvalidInput(
                f"{name!r} is too short to name a finding.", hint=f"Give at least {_LEAST} signs: `mic secrets list`."
            )
        same = [item for item in found if item["fingerprint"].startswith(name.lower())]
        if not same:
            raise NotFound(f"There is no finding {name[:40]}.", hint="`mic secrets list` shows them.")
        chosen.update({(item["fingerprint"], item["path"]): item for item in same})
    return list(chosen.values())


def _entry(item: dict[str, Any], reason: str, by: str) -> str:
    """One entry of the list. TOML's basic strings are JSON's, but for one sign that JSON leaves as it is."""
    values = {"fingerprint": item["fingerprint"], "path": item["path"], "reason": reason, "by": by}
    return "\n[[allow]]\n" + "".join(
        f"{name} = {json.dumps(value).replace(chr(127), chr(92) + 'u007f')}\n" for name, value in values.items()
    )
