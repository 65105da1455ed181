"""`mic log`, `show`, `cat` and `ls`: what is in the project, at any position."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import click

from mic.cli.app import json_option
from mic.cli.connection import Address, connect, parse_address, parse_position
from mic.cli.content_cache import content_cache
from mic.cli.contents import page_entries, stream_contents, verified
from mic.cli.diff import diff_fields, landed_diffs, patch, print_stat, tree_path
from mic.cli.exit_codes import WrongCommandLine
from mic.cli.open_session import address_of
from mic.cli.output import Output, path_fields, when
from mic.cli.positions import POSITION, Dashed, free, require_landed
from mic.cli.words import print_landing, session_fields
from mic.core.errors import Corrupt, InvalidInput, NotFound
from mic.core.ids import parse_ulid
from mic.core.paths import display, parse_path
from mic.core.tree import DIRECTORY, Entry
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.workspace import Workspace

_LINK = 0o120000
_GITLINK = 0o160000
_LOG_PAGE = 1000
# As `mic status` marks them; something below the directory was touched.
_TOUCHES = {"added": "A", "modified": "M", "deleted": "D", "below": " "}


def project_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--project`, for looking without a working copy."""
    return click.option("--project", metavar="ORG/PROJECT", help="Another project than the one of this directory.")(
        command
    )


class Place:
    """Where a command looks: a project, and the workspace when it is that of this directory."""

    def __init__(self, project: str | None) -> None:
        self.ws = None if project else Workspace.find()
        self.address: Address = parse_address(project) if project else address_of(Workspace.find())

    def position(self, client: Client, text: str | None) -> int:
        """The position that is meant: the one named, else the base of this workspace, else the newest."""
        if text:
            return parse_position(text)
        if self.ws is not None:
            return self.ws.config.position
        request = pb.GetProjectRequest(project=self.address.ref)
        return int(client.call(client.projects.GetProject, request).project.head_position)

    def listing(self, position: int, path: bytes = b"") -> str:
        """The command that lists the files of a position, or of a directory there, from here."""
        base = self.ws.config.position if self.ws else None
        words = ["mic ls", display(path)] if path else ["mic ls"]
        if position != base:
            words.append(f"--at @{position}")
        if self.ws is None:
            words.append(f"--project {self.address}")
        return " ".join(words)

    def path(self, text: str) -> bytes:
        """A path as the tree names it; b"" for the root."""
        if self.ws is not None:
            return tree_path(self.ws, text)
        path = os.fsencode(text).strip(b"/")
        return b"" if path in (b"", b".") else parse_path(path)


@click.command(cls=Dashed, short_help="The landings of the project, newest first")
@click.option(
    "-n", "--number", type=click.IntRange(1), metavar="COUNT", default=20, show_default=True, help="At most so many."
)
@click.option("--from", "first", metavar="@N", help="With a path: only landings from this position on.")
@click.option("--to", "last", metavar="@N", help="Only landings up to this position.")
@click.option("--follow", is_flag=True, help="With a file: go on with what it was before, as far as the record says.")
@click.argument("words", nargs=-1, metavar="[@N] [-- PATH]")
@project_option
@json_option
def log(
    out: Output,
    number: int,
    first: str | None,
    last: str | None,
    follow: bool,
    words: tuple[str, ...],
    project: str | None,
) -> None:
    """The landings of the project on the forge, newest first. @N is short for --to @N.

    With a path, those that touched the file, or anything below the directory, however long ago. Where the file came
    from another one, as the record says it, the last line names that. A path that looks like a position goes behind
    `--`.
    """
    if words and (before := free(words)) and POSITION.fullmatch(before[0]):
        if last:
            raise click.UsageError("Give the position once: as @N or with --to.")
        last, words = words[0], words[1:]
    if len(words) > 1:
        raise click.UsageError("Only one path goes with it.")
    path = words[0] if words else ""
    place = Place(project)
    name = place.path(path) if path else b""
    if first and not name:
        raise WrongCommandLine("--from goes with a path", hint="name a file or a directory: mic log --from @1 -- PATH")
    if follow and not name:
        raise WrongCommandLine("--follow goes with a path", hint="name a file: mic log --follow -- PATH")
    bounds = [parse_position(text) for text in (first, last) if text]
    with connect(place.address.instance) as client:
        if bounds:
            require_landed(client, place.address, *bounds)
        request = pb.ListLandingsRequest(project=place.address.ref, path=name)
        request.before_position = parse_position(last) + 1 if last else 0
        request.after_position = max(parse_position(first) - 1, 0) if first else 0
        found = list(_landings(client, request, number, follow=follow))
    base = place.ws.config.position if place.ws else None
    width = max((len(str(item.landed_position)) for _, item in found), default=1) + 1
    for touched, item in found:
        title = item.goal.strip().partition("\n")[0]
        at = out.paint(f"{'@' + str(item.landed_position):<{width}}", "yellow")
        mark = out.paint("  (your base)", "cyan") if item.landed_position == base else ""
        did = f"{_TOUCHES.get(item.touch, '?')}  " if name else ""
        where = f"  ({display(touched)})" if touched != name else ""
        out.line(f"{at}  {did}{when(item.created_at_ms)}  {item.author.name or item.owner}  {title}{where}{mark}")
    if not found:
        until = f" up to @{parse_position(last)}" if last else ""
        nothing = f"Nothing landed{until}." if until else "Nothing has landed yet."
        out.line(f"No landing touched {display(name)}{until}." if name else nothing)
    came = next((item for _, item in found if item.came_from), None)
    if came is not None and not follow:
        out.line(f"Before @{came.landed_position} it was {display(came.came_from)}; --follow goes on there.")
    landings = [{**session_fields(item), **(_touch_fields(at, item) if name else {})} for at, item in found]
    asked = {"path": path_fields(name)} if name else {}
    out.document({"project": str(place.address), "base_position": base, **asked, "landings": landings})


def _landings(
    client: Client, request: pb.ListLandingsRequest, number: int, *, follow: bool
) -> Iterator[tuple[bytes, pb.Session]]:
    """The path that was touched and the landing, at most so many; with `follow` also of what the path was before."""
    while number > 0:
        request.page_size = min(number, _LOG_PAGE)
        page = client.call(client.sessions.ListLandings, request)
        before = None
        for item in page.landings:
            number -= 1
            yield request.path, item
            if follow and item.came_from:
                before = item
                break
        request.page_token = page.next_page_token
        if before is not None and before.came_at > request.after_position:
            # Each such step goes back by a landing, so this ends.
            request.path, request.before_position, request.page_token = before.came_from, before.came_at + 1, ""
        elif before is not None or not page.next_page_token:
            return


def _touch_fields(path: bytes, item: pb.Session) -> dict[str, Any]:
    came = {"came_from": path_fields(item.came_from), "came_at": item.came_at} if item.came_from else {}
    return {"touch": item.touch, "touched": path_fields(path), **came}


@click.command(short_help="One landing: goal, decisions, conversation, changes")
@click.argument("what", metavar="[@N|SESSION][:PATH]", required=False, default="")
@click.option("-p", "--patch", "with_patch", is_flag=True, help="With the changed lines.")
@click.option("--stat", is_flag=True, help="With counts of changed lines.")
@project_option
@json_option
def show(out: Output, what: str, with_patch: bool, stat: bool, project: str | None) -> None:
    """One landing: its goal, decisions, conversation and changes. With :PATH, the file as it was there.

    Without an argument, the landing that this working copy stands on.
    """
    place = Place(project)
    which, _, path = what.partition(":")
    with connect(place.address.instance) as client:
        if path:
            position = _session(client, place, which).landed_position if which[:1] not in ("", "@") else None
            at = position if position is not None else place.position(client, which)
            _print_content(out, client, place, parse_path(os.fsencode(path)), at)
            return
        session = _session(client, place, which)
        diffs = landed_diffs(client, place.address.ref, list(session.changes)) if with_patch or stat else []
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


def _session(client: Client, place: Place, which: str) -> pb.Session:
    request = pb.GetSessionRequest(project=place.address.ref)
    if which and not which.startswith("@") and not which.isdecimal():
        request.session_id = _session_id(which)
    else:
        request.position = place.position(client, which)
        if not request.position:
            raise NotFound("Nothing has landed at @0: it is the empty beginning.", hint="`mic log` lists the landings.")
    answer: pb.SessionResponse = client.call(client.sessions.GetSession, request)
    return answer.session


def _session_id(text: str) -> bytes:
    try:
        return parse_ulid(text)
    except InvalidInput as error:
        raise WrongCommandLine(
            f"{text[:100]!r} is no position and no session.", hint="Use a form like @7; `mic log` lists them."
        ) from error


@click.command(short_help="A file as it is at a position")
@click.argument("path")
@click.argument("at", metavar="[@N]", required=False)
@project_option
@json_option
def cat(out: Output, path: str, at: str | None, project: str | None) -> None:
    """The content of a file at a position; default: this working copy's base."""
    place = Place(project)
    inside = place.path(path)
    if _print_kept(out, place, inside, at):
        return
    with connect(place.address.instance) as client:
        _print_content(out, client, place, inside, place.position(client, at))


def _print_kept(out: Output, place: Place, path: bytes, at: str | None) -> bool:
    """Print a file of this working copy's base from what is on this machine; False when the forge has to be asked."""
    if place.ws is None or (at and parse_position(at) != place.ws.config.position):
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
    from mic.cli.contents import MAX_HELD, fetch
    from mic.core.errors import TooLarge

    if entry.size > MAX_HELD:
        raise TooLarge(
            f"{display(entry.path)} has {entry.size:,} bytes; JSON takes {MAX_HELD:,}.", hint="Leave --json away."
        )
    return fetch(client, address.ref, [entry.hash], shown=True)[entry.hash]


def _content_document(out: Output, data: bytes, entry: Entry, position: int) -> None:
    import base64

    fields: dict[str, Any] = {"position": position, **_entry_fields(entry)}
    with suppress(UnicodeDecodeError):
        fields["text"] = data.decode()
    if "text" not in fields:
        fields["base64"] = base64.b64encode(data).decode()
    out.document({"file": fields})


def require_file(client: Client, place: Place, path: bytes, position: int) -> Entry:
    """The file at a path; raises NotFound for what is not there, InvalidInput for a directory."""
    if path:
        for entry in _list(client, place.address, path.rpartition(b"/")[0], position):
            if entry.path == path:
                if entry.kind == DIRECTORY:
                    listing = place.listing(position, path)
                    raise InvalidInput(f"{display(path)} is a directory.", hint=f"`{listing}` lists it.")
                return entry
    raise NotFound(
        f"There is no file {display(path) or '.'} at @{position}.",
        hint=f"`{place.listing(position)}` lists what is there.",
    )


def _list(client: Client, address: Address, directory: bytes, position: int) -> list[Entry]:
    found: list[Entry] = []
    for page in client.directory(address.ref, position, directory):
        found += page_entries(page)
    return found


@click.command(short_help="The files of a position")
@click.argument("path", required=False, default=".")
@click.argument("position", metavar="[@N]", required=False)
@click.option("--at", metavar="@N", help="The position; default: this working copy's base.")
@project_option
@json_option
def ls(out: Output, path: str, position: str | None, at: str | None, project: str | None) -> None:
    """The files and directories at PATH (default: here), at a position: `mic ls src @7`, `mic ls @7`.

    A file whose name looks like a position is `./@7`.
    """
    if position is None and at is None and POSITION.fullmatch(path):
        path, position = ".", path
    if position and at:
        raise click.UsageError("Give the position once: as @N or with --at.")
    _list_files(out, path, position or at, project)


def _list_files(out: Output, path: str, at: str | None, project: str | None) -> None:
    place = Place(project)
    with connect(place.address.instance) as client:
        position = place.position(client, at)
        inside = place.path(path)
        entries = _list(client, place.address, inside, position)
        if not entries and inside:
            entries = [require_file(client, place, inside, position)]
    width = max((len(f"{item.size:,}") for item in entries if item.kind != DIRECTORY), default=1)
    for item in entries:
        name = item.path.rpartition(b"/")[2]
        if item.kind == DIRECTORY:
            out.line(f"{'':>6} {'':>{width}} {out.paint(display(name) + '/', 'cyan')}")
        else:
            out.line(
                f"{item.mode:06o} {item.size:>{width},} {display(name)}{'@' if item.mode & 0o170000 == _LINK else ''}"
            )
    out.document({"position": position, "entries": list(map(_entry_fields, entries))})


def _entry_fields(entry: Entry) -> dict[str, Any]:
    if entry.kind == DIRECTORY:
        return {**path_fields(entry.path), "type": "directory"}
    kind = {_LINK: "symlink", _GITLINK: "submodule"}.get(entry.mode & 0o170000, "file")
    return {
        **path_fields(entry.path),
        "type": kind,
        "mode": f"{entry.mode:06o}",
        "size": entry.size,
        "hash": entry.hash.hex(),
    }
