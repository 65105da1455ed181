"""`mic project protect` and `mic owners`: who lands where, and why."""

from __future__ import annotations

from typing import Any

import click

from mic.cli.context.place import Place, project_option
from mic.cli.forge.connection import connect, parse_address
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output, path_fields
from mic.core.paths import display
from mic.rpc.v1 import mic_pb2 as pb


@click.command()
@click.argument("project", metavar="ORG/PROJECT")
@click.option(
    "--line", "lines", metavar="PATTERN[=WHO,...]", multiple=True,
    help="Besides admins only WHO lands on these lines: @handle, @organization, role:member.",
)  # fmt: skip
@click.option("--path", "paths", metavar="PATTERN", multiple=True, help="Only owners and admins land these paths.")
@click.option("--nothing", is_flag=True, help="Protect nothing any more.")
@json_option
def protect(out: Output, project: str, lines: tuple[str, ...], paths: tuple[str, ...], nothing: bool) -> None:
    """Say who may land where; without options, tell it. What is said replaces what was said before.

    Whose a path is stands in the file .micelio/OWNERS of the project.
    """
    address = parse_address(project)
    if nothing and (lines or paths):
        raise click.UsageError("Say --nothing, or what to protect.")
    if not all(text.strip() for text in lines + paths):
        raise click.UsageError("A pattern is empty. Say --nothing to protect nothing any more.")
    changes = bool(nothing or lines or paths)
    with connect(address.instance, signed_in=changes) as client:
        if changes:
            wanted = pb.Protection(lines=map(_line_rule, lines), paths=paths)
            request = pb.ProtectProjectRequest(project=address.ref, protection=wanted)
            found = client.call(client.projects.ProtectProject, request).protection
        else:
            found = client.call(client.projects.GetProtection, pb.GetProtectionRequest(project=address.ref)).protection
    if not found.lines and not found.paths:
        out.line(f"{address} protects nothing: all members land everywhere.")
    for rule in found.lines:
        who = f"{', '.join(rule.who)} and admins land" if rule.who else "only admins land"
        out.line(f"line {rule.lines}: {who}")
    for pattern in found.paths:
        out.line(f"path {pattern}: its owners and admins land it")
    out.document(
        {
            "project": str(address),
            "lines": [{"lines": rule.lines, "who": list(rule.who)} for rule in found.lines],
            "paths": list(found.paths),
        }
    )


def _line_rule(text: str) -> pb.LineRule:
    pattern, _, who = text.partition("=")
    return pb.LineRule(lines=pattern, who=[word for word in who.split(",") if word.strip()])


@click.command(short_help="Whose a path is, and who lands it")
@click.argument("path")
@click.argument("position", metavar="[REF]", required=False)
@project_option
@json_option
def owners(out: Output, path: str, position: str | None, project: str | None) -> None:
    """Whose PATH is, as .micelio/OWNERS says at a position (default: the newest), and who lands it."""
    place = Place(project)
    with connect(place.address.instance) as client:
        at = place.position(client, position) if position else None
        request = pb.ExplainOwnersRequest(project=place.address.ref, path=place.path(path), position=at)
        found = client.call(client.projects.ExplainOwners, request)
    out.line(out.paint(display(found.path), "bold"))
    out.line(f"  {found.reason}")
    for problem in found.problems:
        out.line(f"  .micelio/OWNERS line {problem.line}: {problem.message}")
    out.document(_fields(found))


def _fields(found: pb.ExplainOwnersResponse) -> dict[str, Any]:
    rule = {"line": found.line, "pattern": display(found.pattern), "owners": list(found.owners)} if found.line else None
    return {
        **path_fields(found.path),
        "position": found.position,
        "protected_by": found.protected_by or None,
        "rule": rule,
        "listed": found.listed,
        "problems": [{"line": problem.line, "message": problem.message} for problem in found.problems],
        "reason": found.reason,
    }
