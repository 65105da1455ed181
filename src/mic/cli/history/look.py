"""`mic show` and `mic cat`: a landing with its reasons, or a file, at any ref."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import click

from mic.cli.context.file_diff import diff_fields, landed_diffs, patch, print_stat
from mic.cli.context.known import looking
from mic.cli.context.place import Place, project_option
from mic.cli.context.refs import Ref, read_ref
from mic.cli.forge.connection import Address
from mic.cli.remotes import refs as remote_refs
from mic.cli.remotes.refs import seen
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output, path_fields
from mic.cli.terminal.words import print_landing, session_fields
from mic.cli.transfer.content_cache import content_cache
from mic.cli.transfer.contents import page_entries, stream_contents, verified
from mic.core.errors import Corrupt, InvalidInput, NotFound
from mic.core.paths import display, parse_path
from mic.core.tree import DIRECTORY, Entry
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

LINK = 0o120000
_GITLINK = 0o160000


@click.command(short_help="One landing: goal, decisions, conversation, changes")
@click.argument("what", metavar="[REF][:PATH]", required=False, default="")
@click.option("-p", "--patch", "with_patch", is_flag=True, help="With the changed lines.")
@click.option("--stat", is_flag=True, help="With counts of changed lines.")
@project_option
@json_option
def show(out: Output, what: str, with_patch: bool, stat: bool, project: str | None) -> None:
    """One landing: its goal, decisions, conversation and changes. With :PATH, the file or directory as it was there.

    Without an argument, the landing that this working copy stands on. A session that has not landed is shown by its id,
    and a commit of a remote as REMOTE/BRANCH.
    """
    place = Place(project)
    which, path = _split(what)
    commit = seen(which) if project is None else None
    if commit is not None:
        if path is None:
            remote_refs.show(out, commit, with_patch=with_patch, stat=stat)
        else:
            inside = os.fsencode(path).strip(b"/")
            remote_refs.print_at(out, commit, parse_path(inside) if inside else b"")
        return
    ref = read_ref(which) if which else None
    with looking(place.address.instance, out) as client:
        if path is not None:
            at = place.resolve(client, ref) if ref is not None else place.position(client, None)
            _print_at(out, client, place, path, at)
            return
        session = _session(client, place, ref)
        open_one = session.id if session.pushed_at_ms else b""
        changes = list(session.changes) if with_patch or stat else []
        diffs = landed_diffs(client, place.address.ref, changes, open_one) if changes else []
    print_landing(out, session)
    if stat:
        out.line()
        print_stat(out, diffs)
    if with_patch and not out.as_json:
        out.line()
        for item in diffs:
            out.raw(patch(item))
    document = session_fields(session, whole=True)
    if diffs:
        document["diffs"] = [diff_fields(item, hunks=with_patch) for item in diffs]
    out.document({"session": document})


def _split(what: str) -> tuple[str, str | None]:
    """A ref and a path of REF:PATH; the path is None without the colon. `landing:12` is a ref, `landing:12:a` both."""
    head, colon, rest = what.partition(":")
    if head in ("landing", "branch") and colon:
        kind = head
        named, colon, rest = rest.partition(":")
        head = f"{kind}:{named}"
    return head, rest if colon else None


def _session(client: Client, place: Place, ref: Ref | None) -> pb.Session:
    if ref is not None and ref.session:
        return place.session(client, ref)
    position = place.resolve(client, ref) if ref is not None else place.position(client, None)
    if not position:
        raise NotFound("Nothing has landed at @0: it is the empty beginning.", hint="`mic log` lists the landings.")
    request = pb.GetSessionRequest(project=place.address.ref, position=position)
    answer: pb.SessionResponse = client.call(client.sessions.GetSession, request)
    return answer.session


def _print_at(out: Output, client: Client, place: Place, path: str, position: int) -> None:
    """A file's content, or the names in a directory; the root for an empty path."""
    inside = os.fsencode(path).strip(b"/")
    inside = parse_path(inside) if inside else b""
    entries = list_directory(client, place.address, inside, position)
    if not entries and inside:
        _print_content(out, client, place, inside, position)
        return
    for item in entries:
        name = display(item.path.rpartition(b"/")[2])
        out.line(out.paint(f"{name}/", "cyan") if item.kind == DIRECTORY else name)
    out.document({"position": position, "entries": list(map(entry_fields, entries))})


@click.command(short_help="A file as it is at a position")
@click.argument("path")
@click.argument("at", metavar="[REF]", required=False)
@project_option
@json_option
def cat(out: Output, path: str, at: str | None, project: str | None) -> None:
    """The content of a file at a position; default: this working copy's base."""
    place = Place(project)
    inside = place.path(path)
    commit = seen(at) if at and project is None else None
    if commit is not None:
        remote_refs.print_file(out, commit, inside)
        return
    if _print_kept(out, place, inside, at):
        return
    with looking(place.address.instance, out) as client:
        _print_content(out, client, place, inside, place.position(client, at))


def _print_kept(out: Output, place: Place, path: bytes, at: str | None) -> bool:
    """Print a file of this working copy's base from what is on this machine; False when the forge has to be asked."""
    ref = read_ref(at) if at else None
    here = ref is None or ((ref.head or (place.ws and ref.position == place.ws.config.position)) and not ref.back)
    if place.ws is None or not here:
        return False
    try:
        found = place.ws.index().get(path)
    except (NotFound, Corrupt):
        return False
    data = content_cache().content(found.hash) if found is not None else None
    if found is None or data is None:
        return False
    if out.as_json:
        entry = Entry(found.path, found.mode, found.kind, found.size, found.hash)
        _content_document(out, data, entry, place.ws.config.position)
    else:
        out.raw(data)
    return True


def _print_content(out: Output, client: Client, place: Place, path: bytes, position: int) -> None:
    entry = require_file(client, place, path, position)
    if entry.mode & 0o170000 == _GITLINK:
        raise InvalidInput(f"{display(path)} is a submodule: its files are in another project.")
    if out.as_json:
        data = _held(client, place.address, entry)
        _content_document(out, data, entry, position)
        return
    for content in stream_contents(client, place.address.ref, [entry.hash]):
        for piece in verified(content):
            out.raw(piece)


def _held(client: Client, address: Address, entry: Entry) -> bytes:
    from mic.cli.transfer.contents import MAX_HELD, fetch
    from mic.core.errors import TooLarge

    if entry.size > MAX_HELD:
        raise TooLarge(
            f"{display(entry.path)} has {entry.size:,} bytes; JSON takes {MAX_HELD:,}.", hint="Leave --json away."
        )
    return fetch(client, address.ref, [entry.hash], shown=True)[entry.hash]


def _content_document(out: Output, data: bytes, entry: Entry, position: int) -> None:
    import base64

    fields: dict[str, Any] = {"position": position, **entry_fields(entry)}
    with suppress(UnicodeDecodeError):
        fields["text"] = data.decode()
    if "text" not in fields:
        fields["base64"] = base64.b64encode(data).decode()
    out.document({"file": fields})


def require_file(client: Client, place: Place, path: bytes, position: int) -> Entry:
    """The file at a path; raises NotFound for what is not there, InvalidInput for a directory."""
    if path:
        for entry in list_directory(client, place.address, path.rpartition(b"/")[0], position):
            if entry.path == path:
                if entry.kind == DIRECTORY:
                    listing = place.listing(position, path)
                    raise InvalidInput(f"{display(path)} is a directory.", hint=f"`{listing}` lists it.")
                return entry
    raise NotFound(
        f"There is no file {display(path) or '.'} at @{position}.",
        hint=f"`{place.listing(position)}` lists what is there.",
    )


def list_directory(client: Client, address: Address, directory: bytes, position: int) -> list[Entry]:
    found: list[Entry] = []
    for page in client.directory(address.ref, position, directory):
        found += page_entries(page)
    return found


def entry_fields(entry: Entry) -> dict[str, Any]:
    if entry.kind == DIRECTORY:
        return {**path_fields(entry.path), "type": "directory"}
    kind = {LINK: "symlink", _GITLINK: "submodule"}.get(entry.mode & 0o170000, "file")
    return {
        **path_fields(entry.path),
        "type": kind,
        "mode": f"{entry.mode:06o}",
        "size": entry.size,
        "hash": entry.hash.hex(),
    }
