"""`mic import micelio`: a project from an archive that `mic export archive` has made."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import click

from mic.cli.exchange.exported import brought
from mic.cli.forge.connection import Address, connect, parse_address
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output
from mic.core.errors import InvalidInput, NotFound, Unavailable
from mic.rpc.v1 import mic_pb2 as pb

_PIECE = 1 << 20
_STAGES = {
    "objects": "Reading",
    "log": "Checking the log",
    "contents": "Checking contents",
    "git": "Checking Git objects",
}
_ZSTD = b"\x28\xb5\x2f\xfd"


@click.command("micelio", short_help="A project from another Micelio, or an archive of one.")
@click.argument("file", metavar="FILE|URL")
@click.argument("project", metavar="ORG/PROJECT")
@click.option(
    "--visibility", type=click.Choice(["private", "public"]), default="private", show_default=True,
    help="Of the project that is made.",
)  # fmt: skip
@json_option
def micelio(out: Output, file: str, project: str, visibility: str) -> None:
    """Make a project of FILE, which `mic export archive` wrote: the same history, positions, sessions and Git commits.

    With the URL of a project at a forge where you are signed in, that one is exported and brought in.

    All of it is checked before anybody sees anything. Where something is wrong, or this is interrupted, nothing stays.
    """
    address = parse_address(project)
    if address.branch:
        raise InvalidInput("A project is made whole, with its branches.", hint="Leave the branch out.")
    if "://" in file:
        origin = parse_address(file)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "archive")
            out.note(f"Fetching {origin} from {origin.instance} ...")
            brought(out, "archive", origin, path)
            _import(out, path, address, visibility)
    else:
        _import(out, file, address, visibility)


def _import(out: Output, file: str, address: Address, visibility: str) -> None:
    if not os.path.exists(file):
        raise NotFound(f"There is no file {file}.", hint="`mic export archive ORG/PROJECT FILE` makes one.")
    if os.path.isdir(file):
        raise InvalidInput(f"{file} is a folder.", hint="`mic import git` brings Git repositories in.")
    with open(file, "rb") as opened:
        if opened.read(4) != _ZSTD:
            raise InvalidInput(
                f"{file} is no archive of a Micelio project.",
                hint="`mic export archive` makes one; `mic import git` takes Git repositories and bundles.",
            )
        opened.seek(0)
        size = os.fstat(opened.fileno()).st_size

        def requests() -> Iterator[pb.ImportArchiveRequest]:
            yield pb.ImportArchiveRequest(project=address.ref, visibility=visibility)
            while piece := opened.read(_PIECE):
                yield pb.ImportArchiveRequest(data=piece)

        said, last = "", None
        with connect(address.instance, signed_in=True) as client:
            for last in client.stream(client.projects.ImportArchive, requests()):
                now = _STAGES.get(last.stage, "Checking") + (f": {last.done:,} of {last.total:,}" if last.total else "")
                if last.stage and now != said and not out.as_json:
                    out.note(now)
                    said = now
    if last is None or not last.HasField("project"):
        raise Unavailable("The forge did not say what became of it.", hint="`mic project show` tells; or try again.")
    out.line(f"Imported {size:,} bytes into {address}: it stands at @{last.position}, {visibility}.")
    out.line(f"Next: mic clone {address}")
    out.document({"project": str(address), "position": last.position, "visibility": visibility})
