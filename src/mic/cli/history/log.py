"""`mic log`: the landings of the project, or those that touched a path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from mic.cli.context.known import looking
from mic.cli.context.place import Place, project_option
from mic.cli.context.positions import Dashed, free, require_landed
from mic.cli.context.refs import may_be_ref, read_ref
from mic.cli.remotes import refs as remote_refs
from mic.cli.remotes.refs import seen
from mic.cli.terminal.app import json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, path_fields, when
from mic.cli.terminal.words import dated_ms, session_fields
from mic.core.paths import display
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

if TYPE_CHECKING:
    from mic.cli.context.file_diff import FileDiff

_LOG_PAGE = 1000
# As `mic status` marks them; something below the directory was touched.
_TOUCHES = {"added": "A", "modified": "M", "deleted": "D", "below": " "}


@click.command(cls=Dashed, short_help="The landings of the project, newest first")
@click.option(
    "-n", "--number", type=click.IntRange(1), metavar="COUNT", default=20, show_default=True, help="At most so many."
)
@click.option("--from", "first", metavar="REF", help="With a path: only landings from this position on.")
@click.option("--to", "last", metavar="REF", help="Only landings up to this position.")
@click.option("--follow", is_flag=True, help="With a file: go on with what it was before, as far as the record says.")
@click.option("--stat", is_flag=True, help="With the files of each, and counts of changed lines.")
@click.argument("words", nargs=-1, metavar="[REF] [-- PATH]")
@project_option
@json_option
def log(
    out: Output,
    number: int,
    first: str | None,
    last: str | None,
    follow: bool,
    stat: bool,
    words: tuple[str, ...],
    project: str | None,
) -> None:
    """The landings of the project on the forge, newest first. REF alone is short for --to REF.

    With a path, those that touched the file, or anything below the directory, however long ago. Where the file came
    from another one, as the record says it, the last line names that. A path that looks like a ref goes behind `--`.
    """
    commit = seen(free(words)[0]) if words and free(words) and project is None else None
    if commit is not None:
        if first or last or follow or stat or len(words) > 2:
            raise click.UsageError("A commit of a remote goes with -n and one path.")
        remote_refs.log(out, commit, Place(None).path(words[1]) if len(words) > 1 else b"", number)
        return
    newest = read_ref(last) if last else None
    if words and (before := free(words)) and (named := may_be_ref(before[0])) is not None:
        if newest is not None:
            raise click.UsageError("Give the ref once: as REF or with --to.")
        newest, words = named, words[1:]
    if len(words) > 1:
        raise click.UsageError("Only one path goes with it.")
    path = words[0] if words else ""
    place = Place(project)
    name = place.path(path) if path else b""
    if first and not name:
        raise WrongCommandLine("--from goes with a path", hint="name a file or a directory: mic log --from @1 -- PATH")
    if follow and not name:
        raise WrongCommandLine("--follow goes with a path", hint="name a file: mic log --follow -- PATH")
    oldest = read_ref(first) if first else None
    with looking(place.address.instance, out) as client:
        start, end = (None if ref is None else place.resolve(client, ref) for ref in (oldest, newest))
        if start is not None or end is not None:
            require_landed(client, place.address, *(bound for bound in (start, end) if bound is not None))
        request = pb.ListLandingsRequest(project=place.address.ref, path=name)
        request.before_position = end + 1 if end is not None else 0
        request.after_position = max(start - 1, 0) if start is not None else 0
        # Nothing is before the first landing, and 0 in the request would be no bound at all.
        found = iter(()) if end == 0 else _landings(client, request, number, follow=follow)
        _print(out, place, name, found, end, diffs=partial(_diffs, client, place) if stat else None, follow=follow)


def newest(out: Output, client: Client, place: Place, number: int) -> None:
    """`mic log -n NUMBER`, asked of a client that is there already."""
    found = _landings(client, pb.ListLandingsRequest(project=place.address.ref), number, follow=False)
    _print(out, place, b"", found, None, diffs=None, follow=False)


def _print(
    out: Output,
    place: Place,
    name: bytes,
    found: Iterator[tuple[bytes, pb.Session]],
    end: int | None,
    *,
    diffs: Callable[[pb.Session], list[FileDiff]] | None,
    follow: bool,
) -> None:
    """Each as it comes; what `diffs` asks the forge about one is asked when those before it are shown."""
    base = place.ws.config.position if place.ws else None
    width, came, landings = 0, None, []
    for touched, item in found:
        # The newest is first, and no position is longer.
        width = width or len(str(item.landed_position)) + 1
        came = came or (item if item.came_from else None)
        title = item.goal.strip().partition("\n")[0]
        at = out.paint(f"{'@' + str(item.landed_position):<{width}}", "yellow")
        mark = out.paint("  (your base)", "cyan") if item.landed_position == base else ""
        did = f"{_TOUCHES.get(item.touch, '?')}  " if name else ""
        where = f"  ({display(touched)})" if touched != name else ""
        fields = {**session_fields(item), **(_touch_fields(touched, item) if name else {})}
        files = diffs(item) if diffs is not None else []
        out.line(f"{at}  {did}{when(dated_ms(item))}  {item.author.name or item.owner}  {title}{where}{mark}")
        if diffs is not None:
            from mic.cli.context.file_diff import diff_fields, print_stat

            if not out.as_json:
                print_stat(out, files)
                out.flush()
            fields["diffs"] = [diff_fields(each, hunks=False) for each in files]
        landings.append(fields)
    if not landings:
        until = f" up to @{end}" if end is not None else ""
        nothing = f"Nothing landed{until}." if until else "Nothing has landed yet."
        out.line(f"No landing touched {display(name)}{until}." if name else nothing)
    if came is not None and not follow:
        out.line(f"Before @{came.landed_position} it was {display(came.came_from)}; --follow goes on there.")
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


def _diffs(client: Client, place: Place, item: pb.Session) -> list[FileDiff]:
    from mic.cli.context.file_diff import landed_diffs  # and all that compares, for --stat alone

    request = pb.GetSessionRequest(project=place.address.ref, position=item.landed_position)
    changes = client.call(client.sessions.GetSession, request).session.changes
    return landed_diffs(client, place.address.ref, list(changes))
