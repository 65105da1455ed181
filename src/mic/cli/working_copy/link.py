"""`mic link`, `mic init`, `mic checkout`: a folder that is there becomes a working copy; one word by place (ADR 21)."""

from __future__ import annotations

import os
import re
import shutil

import click

from mic.cli.context.open_session import address_of
from mic.cli.forge.connection import MAIN, Address, connect, parse_address
from mic.cli.forge.own_organizations import all_organizations
from mic.cli.forge.roles import ADMINISTERING
from mic.cli.terminal.app import json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, plural
from mic.cli.working_copy.clone import tree_entries
from mic.core.errors import AlreadyExists, Corrupt, NotFound
from mic.core.tree import Entry
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.away import kept_away_from
from mic.workspace.index import Index, IndexEntry
from mic.workspace.part import WHOLE
from mic.workspace.place import find_root
from mic.workspace.status import status as working_status
from mic.workspace.workspace import Config, Workspace

# What a working copy is made in, with the process behind it, before it is there as a whole.
_BESIDE = ".mic-link-"


@click.command(short_help="Make a folder that is there a working copy, without writing files")
@click.argument("project", metavar="ORG/PROJECT|HOST/ORG/PROJECT|URL")
@click.argument("directory", required=False, default=".")
@click.option("--ref", metavar="BRANCH", help="Follow this branch instead of main.")
@json_option
def link(out: Output, project: str, directory: str, ref: str | None) -> None:
    """Tie a folder (default: this one) to a project, at its newest position. No file in it is written or removed.

    What differs from the project is a change, as `mic status` shows it: a file that the project has and the folder has
    not counts as deleted. Where the folder is a working copy of that project already and its index is damaged, that is
    made anew.
    """
    address = parse_address(project)
    if ref:
        address = address.on(ref.removeprefix("branch:"))
    mended = _without_index(directory, address)
    if mended is not None:
        _make_index(mended, out)
        return
    root = _free(directory)
    with connect(address.instance) as client:
        ws = _tied(client, address, root)
    changed = _counts(ws)
    where = f"{address.organization}/{address.project}"
    out.line(f"Linked {root} to {address} @{ws.config.position}: {_said(changed)}.")
    if changed[2]:
        out.line("What is missing here would be deleted by `mic land`; `mic diff` shows it.")
    out.document(
        {"project": where, "branch": address.branch or MAIN, "instance": address.instance, "directory": root,
         "position": ws.config.position, "added": changed[0], "modified": changed[1], "deleted": changed[2]}
    )  # fmt: skip


@click.command(short_help="Make a project and a working copy of the folder here")
@click.argument("project", metavar="[ORG/PROJECT]", required=False, default="")
@click.option("--name", default="", help="What people call it; default: the handle.")
@click.option("--description", default="", help="One sentence about it.")
@click.option(
    "--visibility", type=click.Choice(["private", "public"]), default="private", show_default=True,
    help="Who may see it.",
)  # fmt: skip
@json_option
def init(out: Output, project: str, name: str, description: str, visibility: str) -> None:
    """Make a project, and this folder its working copy. `mic land "GOAL"` then lands the files that are here.

    Without ORG/PROJECT it is called as the folder, in the organization that you administer, where that is one alone.
    """
    root = _free(".")
    address = parse_address(project) if project else None
    with connect(address.instance if address is not None else _instance(), signed_in=True) as client:
        address = address or _named_as(client, root)
        made, ws = _made_here(client, address, root, name, description, visibility)
    added = _counts(ws)[0]
    out.line(f"Made the {made.visibility} project {address}; {root} is its working copy.")
    if added:
        out.line(f'{plural(added, "file")} would land: `mic land "GOAL"`.')
    out.document(
        {"project": str(address), "instance": address.instance, "visibility": made.visibility, "directory": root,
         "files": added}
    )  # fmt: skip


def init_project(
    out: Output, address: Address, name: str, description: str, visibility: str
) -> tuple[pb.Project, dict[str, object], int]:
    """`mic project create --init`: as `mic init`, and the files that are here are its first landing.

    The project, where it is and how much landed as JSON has it, and the exit code.
    """
    from mic.cli.landing.land import run_land  # with all that lands

    root = _free(".")
    with connect(address.instance, signed_in=True) as client:
        made, ws = _made_here(client, address, root, name, description, visibility)
    files, code = _counts(ws)[0], 0
    out.line(f"Made the {made.visibility} project {address}; {root} is its working copy.")
    if files:
        said = Output(quiet=out.as_json or out.quiet)
        code = run_land(said, f"Begin {made.handle}")
        ws = Workspace.find()
    else:
        out.line('There is no file to land yet: `mic land "GOAL"` lands what you make.')
    return made, {"directory": root, "files": files, "position": ws.config.position}, code


def _made_here(
    client: Client, address: Address, root: str, name: str, description: str, visibility: str
) -> tuple[pb.Project, Workspace]:
    """Make a project, and a free folder its working copy."""
    request = pb.CreateProjectRequest(
        organization=address.organization, handle=address.project, name=name, description=description,
        visibility=visibility,
    )  # fmt: skip
    try:
        made = client.call(client.projects.CreateProject, request).project
    except AlreadyExists as error:
        raise AlreadyExists(error.message, hint=f"`mic link {address}` ties this folder to it.") from error
    return made, _tied(client, address, root)


@click.command(short_help="Outside a working copy `mic clone`, inside one `mic goto`")
@click.argument("what", metavar="ORG/PROJECT|REF")
@click.argument("directory", required=False)
@json_option
@click.pass_context
def checkout(context: click.Context, out: Output, what: str, directory: str | None) -> None:
    """Outside a working copy get one of ORG/PROJECT, as `mic clone`; inside one bring it to REF, as `mic goto`."""
    from mic.cli.working_copy.clone import clone
    from mic.cli.working_copy.goto import goto

    if find_root(os.fsencode(os.getcwd())) is None:
        context.invoke(clone, out=out, project=what, directory=directory, ref=None)
        return
    if directory is not None or "/" in what:
        raise WrongCommandLine(
            "This is a working copy, where `mic checkout REF` brings it to a position.",
            hint="`mic clone ORG/PROJECT DIRECTORY` makes another one.",
        )
    context.invoke(goto, out=out, ref=what)


def _free(directory: str) -> str:
    """The folder, which must be there and in no working copy."""
    root = os.path.abspath(directory)
    if not os.path.isdir(root):
        raise NotFound(f"There is no folder {directory[:200]!r}.", hint="`mic clone ORG/PROJECT` makes one.")
    above = find_root(os.fsencode(root))
    if above is not None:
        raise AlreadyExists(
            f"{root} is in a working copy: {os.fsdecode(above)}", hint="`mic status` there says of which project."
        )
    return root


def _tied(client: Client, address: Address, root: str) -> Workspace:
    """A working copy of the newest position, in a folder whose files stay as they are; all of it or nothing."""
    found = client.call(client.projects.GetProject, pb.GetProjectRequest(project=address.ref)).project
    config = Config(
        address.instance, found.organization, found.handle, found.head_position, found.head_tree.hex(), address.branch
    )
    entries = tree_entries(client, address.ref, config.position, config.tree, WHOLE) if config.position else []
    _clear(root)
    beside = os.path.join(root, f"{_BESIDE}{os.getpid()}")
    try:
        made = Workspace.create(beside, config)
        made.save_index(_index_of(made, entries))
        made.finish_clone()
        os.rename(made.folder, os.path.join(root, ".mic"))
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Workspace(root, config)


def _without_index(directory: str, address: Address) -> Workspace | None:
    """The working copy of this project that is in a folder, where its index is damaged; None else."""
    root = os.path.abspath(directory)
    if not os.path.isdir(os.path.join(root, ".mic")):
        return None
    ws = Workspace.find(root)
    same = (ws.config.instance, ws.config.organization, ws.config.project) == (
        address.instance, address.organization, address.project,
    )  # fmt: skip
    if not same:
        return None
    try:
        ws.index()
    except Corrupt:
        return ws
    return None


def _make_index(ws: Workspace, out: Output) -> None:
    """The index of the position that a working copy stands on; its files, session and conflicts stay as they are."""
    address = address_of(ws)
    with ws.lock(), connect(ws.config.instance) as client:
        position, tree = ws.config.position, ws.config.tree
        entries = tree_entries(client, address.ref, position, tree, ws.part()) if position else []
        ws.save_index(_index_of(ws, entries))
    changed = _counts(ws)
    out.line(f"The index of {ws.root} is made anew, at @{position}: {_said(changed)}.")
    out.document(
        {"project": f"{address.organization}/{address.project}", "branch": address.branch or MAIN,
         "instance": address.instance, "directory": ws.root, "position": position, "added": changed[0],
         "modified": changed[1], "deleted": changed[2]}
    )  # fmt: skip


def _index_of(ws: Workspace, entries: list[Entry]) -> Index:
    """Zeros: the next status reads each file, and knows it by its content."""
    away = kept_away_from(ws.folder + b"/tmp", entries)
    return Index.build([IndexEntry(*entry, 0, 0, 0, 0, entry.path in away) for entry in sorted(entries)], 0)


def _clear(root: str) -> None:
    """Take away what a command that was killed here has left: nothing else names it."""
    for name in os.listdir(root):
        number = name.removeprefix(_BESIDE)
        if name == number or not number.isascii() or not number.isdecimal():
            continue
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            shutil.rmtree(os.path.join(root, name), ignore_errors=True)
        except (PermissionError, OverflowError):
            continue  # somebody's who is at work, or no process at all


def _counts(ws: Workspace) -> tuple[int, int, int]:
    """Files added, modified and deleted in the folder, compared with the project."""
    ops = [change.op for change in working_status(ws).changes]
    return ops.count(0), ops.count(1), ops.count(2)


def _said(counts: tuple[int, int, int]) -> str:
    words = ("added", "changed", "missing")
    parts = [f"{plural(count, 'file')} {word}" for count, word in zip(counts, words, strict=True) if count]
    return ", ".join(parts) or "every file is as it is there"


def _instance() -> str:
    from mic.cli.forge.credentials import default_instance

    return default_instance()


def _named_as(client: Client, root: str) -> Address:
    """The project that a folder is called like, in the one organization that one administers."""
    handle = re.sub(r"[^a-z0-9]+", "-", os.path.basename(root).lower()).strip("-")
    own = [each.handle for each in all_organizations(client) if each.role in ADMINISTERING]
    if len(own) != 1 or not handle:
        raise WrongCommandLine(
            "It is not clear which project to make.",
            hint=f"Name it: `mic init {own[0] if own else 'ORG'}/{handle or 'PROJECT'}`.",
        )
    return Address(_instance(), own[0], handle)
