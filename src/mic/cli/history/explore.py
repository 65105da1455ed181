"""`mic project explore`: projects that one did not know."""

from __future__ import annotations

import click

from mic.cli.forge.connection import connect, instance_option, named_instance
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output, iso, plural
from mic.rpc.v1 import mic_pb2 as pb


@click.command(short_help="Popular and recent projects, by topic and language.")
@click.option("--topic", metavar="WORD", default="", help="Only those with this topic.")
@click.option("--language", metavar="NAME", default="", help="Only those written in it to a tenth at least.")
@click.option("--recent", is_flag=True, help="Those that moved last, instead of the most popular.")
@click.option("-n", "count", type=click.IntRange(1, 1000), default=20, show_default=True, help="So many at most.")
@instance_option
@json_option
def explore(out: Output, topic: str, language: str, recent: bool, count: int, instance: str | None) -> None:
    """Projects to look at, with what speaks for each: stars, and the landings of this week."""
    order = "recent" if recent else "popular"
    request = pb.ExploreProjectsRequest(order=order, topic=topic, language=language, page_size=count)
    with connect(named_instance(instance)) as client:
        found = client.call(client.projects.ExploreProjects, request).projects
    if not found:
        out.line("No project that you may see is like that; what is new is told after some minutes.")
    for item in found:
        project = item.project
        out.line(f"{project.organization}/{project.handle}  {project.description}".rstrip())
        out.line(f"    {', '.join(_reasons(item))}")
    out.document({"order": order, "projects": [_fields(item) for item in found]})


def _reasons(item: pb.ExploredProject) -> list[str]:
    said = []
    if item.stars:
        said.append(plural(item.stars, "star") + (f" ({item.new_stars} new)" if item.new_stars else ""))
    if item.landings:
        people = ["1 person" if item.people == 1 else f"{item.people:,} people"] if item.people else []
        agents = [plural(item.agents, "agent")] if item.agents else []
        by = " and ".join(people + agents)
        said.append(f"{plural(item.landings, 'landing')} this week{f' by {by}' if by else ''}")
    if item.languages:
        said.append(item.languages[0].language)
    return [*said, f"moved {iso(item.moved_at_ms)[:10]}", *(f"#{topic}" for topic in item.project.topics)]


def _fields(item: pb.ExploredProject) -> dict[str, object]:
    project = item.project
    return {
        "organization": project.organization,
        "handle": project.handle,
        "description": project.description,
        "topics": list(project.topics),
        "stars": item.stars,
        "last_week": {
            "stars": item.new_stars, "landings": item.landings, "people": item.people, "agents": item.agents,
        },
        "moved_at": iso(item.moved_at_ms),
        "languages": [{"language": row.language, "thousandths": row.thousandths} for row in item.languages],
    }  # fmt: skip
