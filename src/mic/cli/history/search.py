"""`mic search`: code, sessions, decisions, projects and people."""

from __future__ import annotations

import os
import re
from typing import Any

import click

from mic.cli.context.open_session import address_of
from mic.cli.forge.connection import connect, instance_option, named_instance
from mic.cli.terminal.app import json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, iso, path_fields
from mic.core.paths import display
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.place import find_root
from mic.workspace.workspace import Workspace

KINDS = ("code", "sessions", "decisions", "projects", "people")
_HEADS = {
    "file": "Code", "session": "Sessions", "decision": "Decisions", "project": "Projects",
    "person": "People and organizations", "organization": "People and organizations",
}  # fmt: skip


@click.command(short_help="Code, sessions, decisions, projects and people")
@click.argument("query", nargs=-1, required=True)
@click.option("--kind", type=click.Choice(KINDS), help="Results of one kind; default: some of each.")
@click.option("--everywhere", is_flag=True, help="In all projects that you may read, not in this one alone.")
@click.option("-n", "limit", type=click.IntRange(1, 1000), help="How many; default: 20 of one kind, 5 of each.")
@instance_option
@json_option
def search(
    out: Output, query: tuple[str, ...], kind: str | None, everywhere: bool, limit: int | None, instance: str | None
) -> None:
    """What has all of QUERY: words, "phrases", one /expression/, and filters (repo: path: lang: author: agent: why:).

    In a working copy it looks in its project, unless `repo:` or --everywhere says otherwise.
    """
    text = " ".join(f'"{word}"' if " " in word and not re.match(r'[a-z]+:|["/]', word) else word for word in query)
    if not text.strip():
        raise WrongCommandLine("There is nothing to look for.", hint="Name a word: `mic search token`.")
    ws = Workspace.find() if not instance and find_root(os.fsencode(os.getcwd())) is not None else None
    address = address_of(ws) if ws is not None else None
    if address is not None and not everywhere and "repo:" not in text:
        text = f"repo:{address.organization}/{address.project} {text}"
    found: list[pb.SearchResult] = []
    with connect(address.instance if address is not None else named_instance(instance)) as client:
        wanted = limit or (20 if kind else 5)
        asked = pb.SearchRequest(query=text, kind=kind or "", page_size=min(wanted, 50))
        while True:
            answer = client.call(client.projects.Search, asked)
            found += answer.results
            if not kind or not answer.next_page_token or len(found) >= wanted:
                break
            asked.page_token = answer.next_page_token
    shown = found[:wanted] if kind else found
    more = bool(answer.next_page_token) or len(found) > len(shown)
    _print(out, shown)
    if not shown:
        out.line("Nothing was found, or nothing that you may read.")
    if more:
        out.note(f"There is more: say more of what you look for, or -n {wanted * 5}.")
    out.document({"query": text, "results": [_data(row) for row in shown], "more": more})


def _print(out: Output, rows: list[pb.SearchResult]) -> None:
    last = ""
    for row in rows:
        head = _HEADS.get(row.kind, row.kind)
        if head != last:
            out.line(("" if not last else "\n") + out.paint(head, "bold"))
            last = head
        project = f"{row.organization}/{row.project}"
        if row.kind == "file":
            out.line(f"{project} {display(row.path)}")
            for line in row.lines:
                out.line(f"  {line.line:>5}  {_one(line.text)}")
        elif row.kind in ("session", "decision"):
            name = f"{project}@{row.position}" + (f" D{row.decision}" if row.decision else "")
            who = row.author + (f" with {row.agent}" if row.agent else "")
            out.line(f"{name}  {_one(row.text)[:100]}  ({_one(who)})")
        elif row.kind == "project":
            out.line(f"{project}  {_one(row.text)[:100]}".rstrip())
        else:
            out.line(f"{row.handle}  {_one(row.name) if row.name != row.handle else ''}".rstrip())


def _one(text: str) -> str:
    return display(text.strip().partition("\n")[0].encode())


def _data(row: pb.SearchResult) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": row.kind}
    if row.project:
        data["project"] = f"{row.organization}/{row.project}"
    if row.kind == "file":
        lines = [{"line": line.line, "text": line.text} for line in row.lines]
        return {**data, **path_fields(row.path), "language": row.language or None, "lines": lines}
    if row.kind in ("session", "decision"):
        said = {"position": row.position, "text": row.text, "author": row.author, "agent": row.agent or None}
        return {**data, **said, "decision": row.decision or None, "at": iso(row.at_ms)}
    if row.kind == "project":
        return {**data, "name": row.name, "description": row.text}
    return {**data, "handle": row.handle, "name": row.name}
