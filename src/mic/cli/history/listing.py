"""`mic ls`: the files of a position."""

from __future__ import annotations

import os

import click

from mic.cli.context.known import looking
from mic.cli.context.place import Place, project_option
from mic.cli.context.refs import may_be_ref
from mic.cli.history.look import LINK, entry_fields, list_directory, require_file
from mic.cli.remotes import refs as remote_refs
from mic.cli.remotes.refs import seen
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output
from mic.cli.transfer.contents import page_entries
from mic.core.paths import display
from mic.core.tree import DIRECTORY


@click.command(short_help="The files of a position")
@click.argument("path", required=False, default=".")
@click.argument("ref", metavar="[REF]", required=False)
@click.option("--at", metavar="REF", help="The position; default: this working copy's base.")
@click.option("-r", "--recursive", is_flag=True, help="All files below, with their paths.")
@project_option
@json_option
def ls(out: Output, path: str, ref: str | None, at: str | None, recursive: bool, project: str | None) -> None:
    """The files and directories at PATH (default: here), at a ref: `mic ls src @7`, `mic ls HEAD^`.

    A file whose name looks like a ref is `./@7`.
    """
    if ref is None and at is None and (may_be_ref(path) is not None or _is_seen(path, project)):
        path, ref = ".", path
    if ref and at:
        raise click.UsageError("Give the ref once: as REF or with --at.")
    place = Place(project)
    commit = seen(ref or at or "") if project is None else None
    if commit is not None:
        remote_refs.print_list(out, commit, place.path(path), recursive=recursive)
        return
    with looking(place.address.instance, out) as client:
        position = place.position(client, ref or at)
        inside = place.path(path)
        if recursive:
            pages = client.tree(place.address.ref, position, inside)
            entries = [entry for page in pages for entry in page_entries(page)]
        else:
            entries = list_directory(client, place.address, inside, position)
        if not entries and inside:
            entries = [require_file(client, place, inside, position)]
    width = max((len(f"{item.size:,}") for item in entries if item.kind != DIRECTORY), default=1)
    above = len(inside) + 1 if inside else 0
    for item in entries:
        name = item.path[above:] if recursive and len(item.path) > above else item.path.rpartition(b"/")[2]
        if item.kind == DIRECTORY:
            out.line(f"{'':>6} {'':>{width}} {out.paint(display(name) + '/', 'cyan')}")
        else:
            mark = "@" if item.mode & 0o170000 == LINK else ""
            out.line(f"{item.mode:06o} {item.size:>{width},} {display(name)}{mark}")
    out.document({"position": position, "entries": list(map(entry_fields, entries))})


def _is_seen(path: str, project: str | None) -> bool:
    return project is None and not os.path.lexists(path) and seen(path) is not None
