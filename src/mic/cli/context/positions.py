"""Refs among the paths of a command line: `@7` is a ref, behind `--` it is a path."""

from __future__ import annotations

import click

from mic.cli.forge.connection import Address
from mic.core.errors import NotFound
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

_BEHIND = "mic.words_behind_dashes"


class Dashed(click.Command):
    """A command whose words behind `--` are paths, whatever they look like; `free` says how many are not."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_BEHIND] = len(args) - args.index("--") - 1 if "--" in args else 0
        return super().parse_args(ctx, args)


def free(words: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a `Dashed` command's words that may be refs: the ones before `--`."""
    return words[: len(words) - int(click.get_current_context().meta[_BEHIND])]


def require_landed(client: Client, address: Address, *positions: int) -> None:
    """Raises NotFound for a position beyond the head, in the forge's own words."""
    head = client.call(client.projects.GetProject, pb.GetProjectRequest(project=address.ref)).project.head_position
    for position in positions:
        if position > head:
            raise NotFound(
                f"Position {position} does not exist; the newest is {head}.", hint="`mic log` lists the landings."
            )
