"""`mic clone`: a working copy of a project's newest position. A broken one is completed by the same command."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator

import click

from mic.cli.context.open_session import address_of
from mic.cli.context.place import Place
from mic.cli.context.refs import may_be_ref
from mic.cli.forge.connection import MAIN, Address, connect, parse_address
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output, path_fields, plural
from mic.cli.terminal.progress import Progress
from mic.cli.transfer.content_cache import content_cache
from mic.cli.transfer.contents import page_entries
from mic.cli.transfer.parts import part_fields, part_of, require_folders, words_of
from mic.cli.transfer.writers import Writers
from mic.cli.transfer.writing import write_each
from mic.core.errors import AlreadyExists, Corrupt, MicError, Unavailable
from mic.core.paths import display
from mic.core.tree import DIRECTORY, Entry
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.checkout import Checkout
from mic.workspace.part import WHOLE, Part
from mic.workspace.workspace import Config, Workspace


@click.command(short_help="Get a working copy of a project")
@click.argument("project", metavar="ORG/PROJECT|HOST/ORG/PROJECT|URL")
@click.argument("directory", required=False)
@click.option("--ref", metavar="REF", help="Follow this branch instead of main; or begin at this landing.")
@click.option(
    "--sparse", metavar="FOLDER", multiple=True, help="Only this folder of it, and again for more; / for none."
)
@json_option
def clone(out: Output, project: str, directory: str | None, ref: str | None, sparse: tuple[str, ...]) -> None:
    """Get a working copy of a project's newest position into DIRECTORY (default: the project's handle).

    With --ref, or with @BRANCH behind the project, it is one of a branch, and what you land lands there; --ref @7 has
    the files of a landing, and `mic sync` leads on from there. With --sparse only some folders come, and the files in
    the folders above them; `mic sparse` brings more. When a clone was interrupted, the same command completes it.
    """
    out.document(cloned(out, project, directory, ref, part_of(sparse))[1])


def cloned(
    out: Output, project: str, directory: str | None = None, ref: str | None = None, wanted: Part | None = None,
    require: Callable[[pb.Project], None] | None = None,
) -> tuple[Workspace, dict[str, object]]:  # fmt: skip
    """Make a working copy or complete it, and say so: the workspace, and what `mic clone --json` prints of it.

    `require` looks at the project, as whoever is signed in, and raises before anything is made.
    """
    address = parse_address(project)
    moment = may_be_ref(ref) if ref else None
    if moment is not None and moment.branch:
        address = address.on(moment.branch)
    elif ref and moment is None:
        address = address.on(ref)
    root = os.path.abspath(directory or address.project)
    with Writers() as writers, connect(address.instance, signed_in=require is not None) as client:
        found = client.call(client.projects.GetProject, pb.GetProjectRequest(project=address.ref)).project
        if require is not None:
            require(found)
        # It may have been asked for at an address that it has left.
        address = address._replace(organization=found.organization, project=found.handle)
        position, tree = found.head_position, found.head_tree.hex()
        if moment is not None:
            position = Place(project, address=address).resolve(client, moment)
            tree = tree_at(client, address.ref, position)
        config = Config(address.instance, address.organization, address.project, position, tree, address.branch)
        if wanted is not None and wanted.folders:
            require_folders(client, address.ref, position, wanted.folders)
        ws, resumed = _open(root, config, address, wanted)
        with ws.lock():
            try:
                checkout, files = _fill(client, writers, ws, address, out)
            except Unavailable as error:
                raise _go_on(error, project, directory, ref) from error
            except KeyboardInterrupt:
                raise KeyboardInterrupt("Run the same command again: it completes what is there.") from None
            ws.finish_clone()
    position = ws.config.position
    done, part = "Completed" if resumed else "Cloned", ws.part()
    out.line(f"{done} {address} @{position} in {root}: {plural(files, 'file')}{words_of(part)}.")
    for path, reason in checkout.unwritten:
        out.line(f"not written: {display(path)} ({reason})")
    say_erased(out, checkout)
    return ws, {
        "project": f"{address.organization}/{address.project}",
        "branch": address.branch or MAIN,
        "instance": address.instance,
        "directory": root,
        "position": position,
        "files": files,
        "resumed": resumed,
        "sparse": part_fields(part),
        "unwritten": [{**path_fields(path), "reason": reason} for path, reason in checkout.unwritten],
        "erased": [path_fields(path) for path in checkout.erased],
    }


def say_erased(out: Output, checkout: Checkout) -> None:
    """Name the files whose contents were erased: words that say so stand in their places."""
    for path in checkout.erased:
        out.line(f"erased: {display(path)} (the file says who did it, and when)")


def _open(root: str, config: Config, address: Address, part: Part | None) -> tuple[Workspace, bool]:
    """The workspace to fill, and whether it was begun before. Raises AlreadyExists for anybody else's folder."""
    try:
        names = os.listdir(root)
    except FileNotFoundError:
        names = []
    except NotADirectoryError as error:
        raise AlreadyExists(f"{root} is a file.", hint="Name another directory.") from error
    if ".mic" not in names:
        if names:
            raise AlreadyExists(
                f"{root} is not empty.", hint=f"Name another directory: `mic clone {address} DIRECTORY`."
            )
        return Workspace.create(root, config, part or WHOLE), False
    if not os.path.exists(os.path.join(root, ".mic", "config")):
        # Stopped before it knew what it was a clone of; nothing else is in it.
        if len(names) > 1:
            raise AlreadyExists(
                f"{root} is not empty.", hint=f"Name another directory: `mic clone {address} DIRECTORY`."
            )
        begun = Workspace(root, config)
        begun.set_part(part or WHOLE)
        begun.set_base(config.position, config.tree)
        return begun, True
    begun = Workspace.find(root)
    if (*begun.config[:3], begun.config.branch) != (*config[:3], config.branch):
        there = f"{address_of(begun)} from {begun.config.instance}"
        raise AlreadyExists(f"{root} is a working copy of {there}.", hint="Name another directory.")
    if part is not None and part != begun.part():
        raise AlreadyExists(
            f"{root} is a working copy of {address} already, with other folders.",
            hint="Clone without --sparse to complete it; `mic sparse` changes what it has.",
        )
    if begun.incomplete():
        return begun, True
    try:
        begun.index()
    except Corrupt:
        os.unlink(os.path.join(root, ".mic", "index"))
        return begun, True
    raise AlreadyExists(f"{root} is a working copy of {address} already.", hint="Use it: nothing is missing in it.")


def _fill(client: Client, writers: Writers, ws: Workspace, address: Address, out: Output) -> tuple[Checkout, int]:
    pages = _tree_pages(client, address.ref, ws.config.position, ws.config.tree, ws.part())
    total, first = next(pages)
    listed = itertools.chain([first], (entries for _, entries in pages))
    checkout = Checkout(ws)
    if writers.pay(total) and checkout.grows():
        # What is listed first is written while the rest is being listed.
        writers.write(client, address.ref, ws, checkout, map(checkout.add, listed), total, out)
    else:
        checkout.plan(itertools.chain.from_iterable(listed))
        needed = checkout.needed()
        if writers.pay(len(needed)):
            writers.write(client, address.ref, ws, checkout, [needed], len(needed), out)
        else:
            write_contents(client, address.ref, checkout, needed, out)
    checkout.finish()
    return checkout, len(checkout)


def tree_entries(client: Client, project: pb.ProjectRef, position: int, tree: str, part: Part) -> list[Entry]:
    """The files of a position that a part has; the position must have the root `tree` (hex). Raises Corrupt."""
    return [entry for _, entries in _tree_pages(client, project, position, tree, part) for entry in entries]


def _tree_pages(
    client: Client, project: pb.ProjectRef, position: int, tree: str, part: Part
) -> Iterator[tuple[int, list[Entry]]]:
    """As `tree_entries`, page by page, one at least; with each how many files there are in all, of a part so far."""
    name = f"{client.address} {project.organization}/{project.handle} {tree}"
    if part.folders is not None:
        name += f" {hashlib.sha256(repr(part.folders).encode()).hexdigest()}"
    known = content_cache().listing(name)
    if known is not None:
        yield len(known), known
        return
    entries: list[Entry] = []
    for page in _pages(client, project, position, part):
        if page.tree.hex() != tree:
            raise Corrupt(f"The forge has another tree at @{position} than it had before.", hint="Tell who runs it.")
        more = [entry for entry in page_entries(page) if entry.kind != DIRECTORY]
        entries += more
        yield page.total_files if part.folders is None else len(entries), more
    if not entries:
        yield 0, []
    content_cache().keep_listing(name, entries)


def files_at(client: Client, ws: Workspace, project: pb.ProjectRef, position: int) -> tuple[str, dict[bytes, Entry]]:
    """The tree of a position, and of its files those that this working copy would have, by path."""
    tree = tree_at(client, project, position)
    return tree, {entry.path: entry for entry in tree_entries(client, project, position, tree, ws.part())}


def tree_at(client: Client, project: pb.ProjectRef, position: int) -> str:
    """The root tree of a position, in hex; raises NotFound."""
    request = pb.GetProjectTreeRequest(project=project, position=position, page_size=1)
    return str(client.call(client.projects.GetProjectTree, request).tree.hex())


def _pages(client: Client, project: pb.ProjectRef, position: int, part: Part) -> Iterator[pb.TreeResponse]:
    if part.folders is None:
        yield from client.tree(project, position)
        return
    for folder in part.above():
        yield from client.directory(project, position, folder)
    for folder in part.folders:
        yield from client.tree(project, position, folder)


def write_contents(
    client: Client,
    project: pb.ProjectRef,
    checkout: Checkout,
    needed: list[Entry],
    out: Output,
    session_id: bytes = b"",
) -> None:
    """Fetch the contents of these files and write them; with a session also what was pushed of it."""
    with Progress(out, "Writing files", len(needed)) as bar:
        write_each(client, project, checkout, needed, bar.at, session_id)


def _go_on(error: MicError, project: str, directory: str | None, ref: str | None) -> MicError:
    command = f"mic clone {project}" + (f" {directory}" if directory else "") + (f" --ref {ref}" if ref else "")
    return type(error)(error.message, hint=f"Run `{command}` again: it completes what is there.", **error.details)
