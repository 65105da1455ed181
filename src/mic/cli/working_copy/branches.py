"""`mic branch`: lines besides main, each with landings of its own from where it began."""

from __future__ import annotations

from typing import Any

import click

from mic.cli.context.completed import BRANCHES, learn, unlearn
from mic.cli.context.open_session import address_of
from mic.cli.context.place import Place, project_option
from mic.cli.context.refs import parse_ref
from mic.cli.forge.connection import MAIN, Address, connect
from mic.cli.landing.settled import settled
from mic.cli.landing.unresolved import require_resolved
from mic.cli.landing.waiting import take_back, waiting
from mic.cli.session.ended_waiting import is_gone, onto_this_branch
from mic.cli.session.left_behind import say_left
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, iso, plural, when
from mic.cli.working_copy.goto import move_to
from mic.core.errors import Conflicted, InvalidInput
from mic.core.ids import ulid_text
from mic.rpc.client import Client
from mic.rpc.unreached import Unreached
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace import stacked
from mic.workspace.operations import record
from mic.workspace.pending import LAND, numbers, pushes_of, remove
from mic.workspace.pushed import forget_push
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace


@click.group(cls=Suggesting)
def branch() -> None:
    """Lines besides main. Each begins where another stood and has landings of its own from there on.

    A working copy follows one line: `mic status` names it, `mic land` lands on it, `mic sync` takes in what landed
    there.
    """


@branch.command("list", short_help="The branches of the project.")
@project_option
@json_option
def list_(out: Output, project: str | None) -> None:
    """The branches of the project, the one that this working copy follows marked with a star."""
    place = Place(project)
    here = place.address.branch or MAIN if place.ws is not None else None
    with connect(place.address.instance) as client:
        main = client.call(client.projects.GetProject, pb.GetProjectRequest(project=place.address.on(MAIN).ref)).project
        found = _branches(client, place.address)
    names = [MAIN, *(item.name for item in found)]
    if place.ws is not None:
        learn(BRANCHES, names, place.ws, all_of_them=True)
    width = max(map(len, names))
    for name, at, rest in [
        (MAIN, main.head_position, ""),
        *((item.name, item.head_position, f"  {_begin(item)}{_last(item)}") for item in found),
    ]:
        mark = "*" if name == here else " "
        out.line(f"{mark} {out.paint(f'{name:<{width}}', 'cyan')}  {out.paint(f'@{at}', 'yellow')}{rest}")
    document: list[dict[str, Any]] = [{"name": MAIN, "head_position": main.head_position, "followed": here == MAIN}]
    document += [{**branch_fields(item), "followed": item.name == here} for item in found]
    out.document({"branches": document})


def _branches(client: Client, address: Address) -> list[pb.Branch]:
    found: list[pb.Branch] = []
    request = pb.ListBranchesRequest(project=address.on(MAIN).ref, page_size=1000)
    while True:
        page = client.call(client.projects.ListBranches, request)
        found += page.branches
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def _begin(item: pb.Branch) -> str:
    return f"from {item.origin or 'a branch that is gone'} @{item.position}"


def _last(item: pb.Branch) -> str:
    if item.head_position == item.position:
        return ", nothing landed since"
    last = item.last
    who = last.owner or last.author.name
    goal = (last.goal.strip().splitlines() or [""])[0]
    return f", {when(last.updated_at_ms)} {who}: {goal[:60]}"


def branch_fields(item: pb.Branch) -> dict[str, Any]:
    """A branch in JSON."""
    last = item.last if item.HasField("last") else None
    return {
        "name": item.name,
        "head_position": item.head_position,
        "from": item.origin or None,
        "from_position": item.position,
        "begun_by": item.begun_by,
        "begun_at": iso(item.begun_at_ms),
        "last": {
            "session": ulid_text(last.id), "position": last.landed_position, "goal": last.goal,
            "owner": last.owner or None, "landed_at": iso(last.updated_at_ms),
        } if last is not None else None,
    }  # fmt: skip


@branch.command(short_help="Begin a branch.")
@click.argument("name")
@click.option(
    "--from", "base", metavar="REF", help="Where it begins: a branch, or a landing of the line followed here."
)
@project_option
@json_option
def create(out: Output, name: str, base: str | None, project: str | None) -> None:
    """Begin the branch NAME where this working copy stands: `mic branch create fix/login`.

    With --from, where another branch stands (`--from main`), or at a landing (`--from @7`). Nothing here changes:
    `mic branch switch NAME` follows it.
    """
    place = Place(project)
    with connect(place.address.instance, signed_in=True) as client:
        address, position = _base(client, place, base)
        request = pb.CreateBranchRequest(project=address.ref, name=name, position=position)
        made = client.call(client.projects.CreateBranch, request).branch
    out.line(f"Began {out.paint(made.name, 'cyan')} {_begin(made)}.")
    if place.ws is not None:
        learn(BRANCHES, [made.name], place.ws)
        out.line(f"`mic branch switch {made.name}` follows it.")
    out.document({"branch": branch_fields(made)})


def _base(client: Client, place: Place, base: str | None) -> tuple[Address, int | None]:
    """The line that a branch begins from, and the position there; None is where that stands now."""
    if base is None:
        at = place.ws.config.position if place.ws is not None else 0
        return place.address, at or None
    ref = parse_ref(base)
    if ref is None or ref.branch:
        return place.address.on(ref.branch if ref is not None else base), None
    if ref.latest and not ref.back:
        return place.address, None
    position = place.resolve(client, ref)
    if not position:
        raise WrongCommandLine("A branch begins at a landing, and @0 is before the first.", hint="Use @1, or main.")
    return place.address, position


@branch.command(short_help="Delete a branch.")
@click.argument("name")
@project_option
@json_option
def delete(out: Output, name: str, project: str | None) -> None:
    """Delete the branch NAME. What landed on it is nowhere else, and is removed after seven days.

    Branches that began from it stay. A working copy that follows it keeps its files.
    """
    place = Place(project)
    with connect(place.address.instance, signed_in=True) as client:
        going = next((item for item in _branches(client, place.address) if item.name == name), None)
        request = pb.DeleteBranchRequest(project=place.address.on(MAIN).ref, name=name)
        kept_until = client.call(client.projects.DeleteBranch, request).kept_until_ms
    if place.ws is not None:
        unlearn(BRANCHES, name, place.ws)
    out.line(f"Deleted the branch {name}.")
    alone = going.head_position - going.position if going is not None else 0
    if going is not None and alone:
        newest = f"@{going.head_position}"
        what = newest if alone == 1 else f"{plural(alone, 'landing')} up to {newest}"
        out.line(f"What landed on it alone, {what}, is removed after {when(kept_until)[:10]}.")
    if place.ws is not None and place.address.branch == name:
        out.line("This working copy followed it: `mic branch switch main` goes on with main.")
    out.document({"branch": name, "deleted": True, "landings_alone": alone, "kept_until": iso(kept_until)})


@branch.command(short_help="Follow another branch here.")
@click.argument("name")
@click.option("--keep", is_flag=True, help="Leave files as they are here that you changed and that differ there.")
@json_option
def switch(out: Output, name: str, keep: bool) -> None:
    """Follow the branch NAME (or main) here: the files become what they are where it stands, and you land there.

    What you changed stays changed. Where the same file differs between here and there nothing is touched, and the file
    is named; with --keep yours stays over theirs, and `mic status` says so. `mic undo` leads back.

    From a branch that was deleted, the open session comes along, and what waited to be sent to it.
    """
    wanted = "" if name == MAIN else name.removeprefix("branch:")
    ws = Workspace.find()
    gone = _refuse_open(ws, wanted)  # before what waits for the forge is sent
    with settled(ws, out, signed_in=False, keep_waiting=gone) as client:
        require_resolved(ws)
        request = pb.GetProjectRequest(project=address_of(ws, wanted).ref)
        head = client.call(client.projects.GetProject, request).project
        gone = wanted != ws.config.branch and is_gone(client, ws, ws.config.branch)
        if gone:
            _take_back_landings(ws)
        session, before = local.current(ws) if wanted != ws.config.branch else None, ws.config.branch
        if session is not None and not gone:
            raise _open_here(ws)
        if wanted == ws.config.branch:
            files: int | None = None
        else:
            if session is not None:
                _cut_loose(ws, session)
            command = f"mic branch switch {name[:100]}"
            try:
                files = move_to(client, ws, head.head_position, out, command, wanted, merges=not gone, keep=keep)
            except Conflicted as error:
                first = "" if gone else "Land or push your changes first, or put the files back. "
                also = f"`mic branch switch {name[:100]} --keep` leaves these files as they are here."
                error.hint = f"Nothing was touched. {first}{also}"
                raise
            if session is not None:
                out.note(f"The session came along: {session.goal}")
            if gone:
                onto_this_branch(ws, before)
                say_left(ws, before, out)
    at = f"{wanted or MAIN} @{ws.config.position}"
    if files is None:
        out.line(f"You follow {at} already.")
    else:
        out.line(f"Now on {at}: {plural(files, 'file')} changed here.")
    out.document({"branch": wanted or MAIN, "position": ws.config.position, "files": files or 0})


def _refuse_open(ws: Workspace, wanted: str) -> bool:
    """Raises InvalidInput while a session is open here that has a branch to land on; whether one is, or something
    waits, that has none."""
    session = local.current(ws)
    if wanted == ws.config.branch or (session is None and not numbers(ws)):
        return False
    try:
        with connect(ws.config.instance) as client:
            if (session is None or not session.left) and is_gone(client, ws, ws.config.branch):
                return True
    except Unreached:
        pass  # what is known here is reason enough
    if session is not None:
        raise _open_here(ws)
    return False


def _open_here(ws: Workspace) -> InvalidInput:
    return InvalidInput(
        f"A session is open here, on {ws.config.branch or MAIN}.",
        hint="Land it, or push it and put it away, or give it up: `mic session --help`.",
    )


def _take_back_landings(ws: Workspace) -> None:
    """What waits to land on a branch that is gone is the open session again: its files are here."""
    items = waiting(ws)
    first = next((item for item in items if item.kind == LAND and item.line == ws.config.branch), None)
    if first is not None:
        record(ws, "mic branch switch", files=False, final="its session is open here again, and `mic land` lands it.")
        take_back(ws, first, items)


def _cut_loose(ws: Workspace, session: LocalSession) -> None:
    """Nobody will have heard of the open session where it goes, nor of one that it stood on. Before it goes there:
    stopped behind that, nobody would know that it comes from a branch that is gone."""
    forget_push(ws)
    remove(ws, *pushes_of(ws, session.id))
    session.based_on = session.below = b""
    local.save(ws, session)
    stacked.drop(ws, session.id)
