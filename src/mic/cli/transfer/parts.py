"""Parts of a project, as commands take them and speak of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import path_fields
from mic.core.errors import InvalidInput, InvalidPath, NotFound
from mic.core.paths import display, parse_path
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.part import WHOLE, Part
from mic.workspace.workspace import Workspace

# Folders that a sentence names.
_NAMED = 3


def part_of(folders: Sequence[str]) -> Part | None:
    """The part that options name, with paths from the top of the project; None when there are none.

    "/" is the top alone. `src/`, `src/**` are `src`: a part has folders, not patterns. Raises WrongCommandLine.
    """
    if not folders:
        return None
    return Part.of(found for folder in folders if (found := _folder(folder)))


def _folder(text: str) -> bytes:
    raw = os.fsencode(text).removeprefix(b"./").removesuffix(b"**").strip(b"/")
    if not raw or raw == b".":
        if text.strip("/"):
            raise WrongCommandLine(f"{text[:100]!r} is no folder of the project.", hint="For example: `src/lib`.")
        return b""
    try:
        return parse_path(raw)
    except InvalidPath as error:
        raise WrongCommandLine(f"{error.message}.", hint="Give folders from the top of the project.") from error


def require_folders(client: Client, project: pb.ProjectRef, position: int, folders: Iterable[bytes]) -> None:
    """Raises NotFound for a folder that is not there at a position: probably its name is wrong."""
    for folder in folders:
        request = pb.GetProjectTreeRequest(project=project, position=position, prefix=folder, page_size=1)
        if not client.call(client.projects.GetProjectTree, request).paths:
            raise NotFound(
                f"There is no folder {display(folder)} at @{position}.", hint="`mic ls` lists what there is."
            )


def require_inside(ws: Workspace, paths: Iterable[bytes], what: str) -> None:
    """Raises InvalidInput for a path of which this working copy does not know whether it is there at the base."""
    part = ws.part()
    if part == WHOLE:
        return
    outside = [path for path in paths if not part.holds(path)]
    if outside:
        folder = outside[0].rpartition(b"/")[0]
        raise InvalidInput(
            f"{what} {display(outside[0])}, which is outside of what this working copy has of the project.",
            hint=f"`mic sparse add {display(folder)}` brings the folder here.",
        )


def words_of(part: Part) -> str:
    """Behind a number of files: of which folders; nothing for all."""
    if part.folders is None:
        return ""
    if not part.folders:
        return ", those at the top"
    named = ", ".join(map(display, part.folders[:_NAMED]))
    more = len(part.folders) - _NAMED
    return f" of {named}" + (f" and {more:,} more" if more > 0 else "")


def part_fields(part: Part) -> list[dict[str, str]] | None:
    """The folders for a document; None for everything."""
    return None if part.folders is None else list(map(path_fields, part.folders))
