"""`mic export archive|json|user|list|cancel`: files that the forge makes, fetched and checked."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

import click

from mic.cli.context.completed import EXPORTS, learn
from mic.cli.context.place import Place
from mic.cli.forge.connection import Address, connect, instance_option, named_instance, parse_address
from mic.cli.terminal.app import json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, when
from mic.cli.transfer.new_file import new_file
from mic.core.errors import AlreadyExists, Busy, Corrupt, InvalidInput, Unavailable
from mic.rpc.v1 import mic_pb2 as pb

if TYPE_CHECKING:
    from mic.rpc.client import Client

_OPEN = ("waiting", "running")
# Seconds between two looks at an export: at first, and at most.
_LOOK, _MOST = 0.05, 1.0
_PAGE = 100
_TRIES = 5


@click.command("archive", short_help="Everything, to be imported again.")
@click.argument("arguments", metavar="[ORG/PROJECT] FILE", nargs=-1)
@json_option
def archive(out: Output, arguments: tuple[str, ...]) -> None:
    """Write a project to FILE, to be imported into this forge or another one: `mic import micelio`.

    It holds the history with its sessions, conversations and decisions, all contents, branches, Git objects and refs,
    what was erased, settings, issues of another forge, and open sessions if you may see them. The forge makes it; when
    this is interrupted, run it again.
    """
    address, file = _asked(arguments)
    if file.endswith(".jsonl"):
        raise WrongCommandLine(
            f"{file} looks like JSON Lines, and an archive holds the whole project.",
            hint="`mic export issues` writes what another forge knew of it, `mic export json` its history.",
        )
    _export(out, "archive", address, file)


@click.command("json", short_help="History and sessions, as JSON Lines.")
@click.argument("arguments", metavar="[ORG/PROJECT] FILE", nargs=-1)
@json_option
def lines(out: Output, arguments: tuple[str, ...]) -> None:
    """Write what landed in a project, why, by whom and which files it changed to FILE, one thing a line.

    Goals, conversations and decisions are in it, contents of files are not.
    """
    address, file = _asked(arguments)
    _export(out, "json", address, file)


@click.command("user", short_help="What the forge holds about you.")
@click.argument("file", metavar="FILE")
@instance_option
@json_option
def user(out: Output, file: str, instance: str | None) -> None:
    """Write what the forge holds about your account to FILE, one thing a line, as JSON.

    Profile, addresses, how you sign in, memberships, stars, names of tokens, sessions that you wrote, and what you did.
    No password and no secret is in it.
    """
    _export(out, "user", None, file, named_instance(instance))


@click.command("list", short_help="What you have exported lately.")
@instance_option
@json_option
def listed(out: Output, instance: str | None) -> None:
    """List your exports, the newest first. A file is kept for a day."""
    with connect(named_instance(instance), signed_in=True) as client:
        found = _all(client)
    learn(EXPORTS, [export.id for export in reversed(found)], None, all_of_them=True)
    for export in found:
        kept = f", until {when(export.expires_at_ms)}" if export.state == "done" else ""
        size = f"{export.size:,} bytes" if export.size else ""
        out.line(f"{export.id}  {export.kind:7}  {export.project or '-'}  {export.state}{kept}  {size}".rstrip())
    if not found:
        out.line("You have exported nothing.")
    out.document({"exports": [_document(export) for export in found]})


@click.command("cancel", short_help="End an export, or let its file go.")
@click.argument("export", metavar="ID")
@instance_option
@json_option
def cancel(out: Output, export: str, instance: str | None) -> None:
    """End an export that is being made, or remove the file of one from the forge."""
    with connect(named_instance(instance), signed_in=True) as client:
        ended = client.call(client.account.CancelExport, pb.ExportRequest(id=export)).export
    out.line(f"{ended.kind} of {ended.project or 'your account'}: {ended.state}.")
    out.document({"export": _document(ended)})


def _asked(arguments: tuple[str, ...]) -> tuple[Address, str]:
    """The project, that of this directory where none is named, and the file."""
    if not 1 <= len(arguments) <= 2:
        raise click.UsageError("Say `[ORG/PROJECT] FILE`.")
    if len(arguments) == 2:
        return parse_address(arguments[0]), arguments[1]
    return Place(None).address, arguments[0]


def _export(out: Output, kind: str, address: Address | None, file: str, instance: str = "") -> None:
    if os.path.lexists(file):
        raise AlreadyExists(f"There is a file {file} already.", hint="Choose another name.")
    folder = os.path.dirname(os.path.abspath(file))
    if not os.path.isdir(folder):
        raise InvalidInput(f"There is no folder {folder}.", hint="Make it first.")
    export = brought(out, kind, address, file, instance)
    of = str(address) if address else "what is held about you"
    out.line(f"Wrote {of} to {file}: {export.size:,} bytes, SHA-256 {export.sha256}.")
    if kind == "archive":
        out.line(f"Next: mic import micelio {file} ORG/PROJECT")
    out.document({"project": str(address) if address else None, "file": file, "export": _document(export)})


def brought(out: Output, kind: str, address: Address | None, file: str, instance: str = "") -> pb.Export:
    """What a forge has made of a project, or of the account at `instance`, and its file, whole, which is not there."""
    with connect(address.instance if address else instance, signed_in=True) as client:
        export = _made(client, _started(client, kind, address), out)
        if export.state != "done":
            raise InvalidInput(export.error or f"The export was {export.state}.", hint=export.hint or "Export again.")
        _fetch(client, export, file)
    return export


def _started(client: Client, kind: str, address: Address | None) -> pb.Export:
    """A new export; the one of the same thing that is being made already, where this was interrupted before."""
    try:
        request = pb.StartExportRequest(kind=kind, project=address.ref if address else None)
        made: pb.Export = client.call(client.account.StartExport, request).export
        learn(EXPORTS, [made.id], None)
        return made
    except Busy:
        for export in _all(client):
            if export.state in _OPEN and (export.kind, export.project) == (kind, str(address) if address else ""):
                return export
        raise


def _made(client: Client, export: pb.Export, out: Output) -> pb.Export:
    """The export when it has ended."""
    pause, said = _LOOK, ""
    try:
        while export.state in _OPEN:
            time.sleep(pause)
            pause = min(2 * pause, _MOST)
            export = client.call(client.account.GetExport, pb.ExportRequest(id=export.id)).export
            now = f"Making it: {export.done:,} of {export.total:,}" if export.total else f"Making it: {export.done:,}"
            if pause == _MOST and now != said and not out.as_json:
                out.note(now)
                said = now
    except KeyboardInterrupt:
        raise KeyboardInterrupt("It goes on at the forge; run the same command again to fetch it.") from None
    return export


def _fetch(client: Client, export: pb.Export, file: str) -> None:
    """The file, which is there when it is whole. After a broken line it goes on where it stopped."""
    digest = hashlib.sha256()
    with new_file(file) as opened:
        for left in reversed(range(_TRIES)):
            try:
                request = pb.DownloadExportRequest(id=export.id, offset=opened.tell())
                for chunk in client.stream(client.account.DownloadExport, request):
                    opened.write(chunk.data)
                    digest.update(chunk.data)
                break
            except Unavailable:
                if not left:
                    raise
        if opened.tell() != export.size or digest.hexdigest() != export.sha256:
            raise Corrupt("What came is not the file that the forge has made.", hint="Run the command again.")


def _all(client: Client) -> list[pb.Export]:
    found: list[pb.Export] = []
    request = pb.ListExportsRequest(page_size=_PAGE)
    while True:
        page = client.call(client.account.ListExports, request)
        found += page.exports
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def _document(export: pb.Export) -> dict[str, object]:
    return {
        "id": export.id, "kind": export.kind, "project": export.project or None, "state": export.state,
        "size": export.size, "sha256": export.sha256, "name": export.name, "error_code": export.error_code,
        "error": export.error, "created_at_ms": export.created_at_ms, "expires_at_ms": export.expires_at_ms,
    }  # fmt: skip
