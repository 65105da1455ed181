"""`mic session start ORG PROJECT GOAL`: which working copy the session is in, made where there is none."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

from mic.cli.context.open_session import address_of
from mic.cli.forge.connection import Address, parse_address
from mic.cli.forge.roles import WRITING
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output
from mic.cli.working_copy.clone import cloned
from mic.core.errors import AlreadyExists, MicError, PermissionDenied
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.place import find_root
from mic.workspace.workspace import Workspace


@contextlib.contextmanager
def workspace_for(words: tuple[str, ...], out: Output) -> Iterator[Workspace]:
    """The working copy to start in, for the words ORG PROJECT GOAL or ORG/PROJECT GOAL.

    That is the one around the current folder; outside of any it is the folder below that is called like the project,
    as `mic clone` makes it. One that was made here goes again when the session is refused. Raises WrongCommandLine for
    what names no project and inside a copy of another one, PermissionDenied before anything is fetched.
    """
    address = _named(words)
    if find_root(os.fsencode(os.getcwd())) is not None:
        yield _the_one_here(Workspace.find(), address, words)
        return
    root = os.path.abspath(address.project)
    if (there := _complete(root)) is not None and address_of(there) == address:
        out.line(f"In {root}, which is a working copy of {address}.")
        yield there
        return
    fresh = not os.path.lexists(root)
    project = f"{address.instance}/{address.organization}/{address.project}"
    try:
        ws, _ = cloned(out, project, ref=address.branch or None, require=_require_writing)
    except AlreadyExists as error:
        hint = "Go to another folder, or into the working copy of it that there is."
        raise AlreadyExists(error.message, hint=hint) from error
    try:
        yield ws
    except MicError:
        if fresh:
            shutil.rmtree(ws.root, ignore_errors=True)
        raise


def _named(words: tuple[str, ...]) -> Address:
    if len(words) > 3:
        said = f"`mic session start` takes ORG, PROJECT and GOAL, not {len(words)} words."
        raise WrongCommandLine(said, hint=_quotes(words))
    try:
        return parse_address("/".join(words[:-1]))
    except WrongCommandLine as error:
        raise WrongCommandLine(error.message, hint=_quotes(words)) from error


def _quotes(words: tuple[str, ...]) -> str:
    return f'A goal of several words stands in quotes: `mic session start "{" ".join(words)[:200]}"`.'


def _require_writing(found: pb.Project) -> None:
    if found.role in WRITING:
        return
    name = f"{found.organization}/{found.handle}"
    raise PermissionDenied(
        f"You may read {name}, and not change it.",
        hint=f"Ask an admin of {found.organization} to make you a member, or fork it: "
        f"`mic project create ORG/{found.handle} --fork {name}`.",
    )


def _the_one_here(ws: Workspace, address: Address, words: tuple[str, ...]) -> Workspace:
    here = address_of(ws)
    if here == address:
        return ws
    if len(words) == 3:
        hint = _quotes(words)
    else:
        hint = '`mic session start "GOAL"` starts a session here; go to another folder for the other project.'
    named = f"{here} from {here.instance}" if here[1:] == address[1:] else str(here)
    raise WrongCommandLine(f"This is a working copy of {named}, not of {address}.", hint=hint)


def _complete(root: str) -> Workspace | None:
    """The working copy in a folder, where one is there as a whole."""
    if not os.path.exists(os.path.join(root, ".mic", "config")):
        return None
    ws = Workspace.find(root)
    return None if ws.incomplete() else ws
