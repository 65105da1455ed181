"""`mic blame`: which landing each line of a file came with, who wrote it, and why."""

from __future__ import annotations

import re
from typing import Any

import click

from mic.cli.context.known import looking
from mic.cli.context.place import Place, project_option
from mic.cli.history.look import require_file
from mic.cli.terminal.app import json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, path_fields, plural, when
from mic.cli.terminal.words import dated_ms, decision_fields, print_decision, session_fields
from mic.cli.transfer.contents import fetch
from mic.core.errors import InvalidInput, NotFound
from mic.core.linediff import split_lines
from mic.core.paths import display
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

_RANGE = re.compile(r"([0-9]{1,9})(?:(,)([0-9]{1,9})?)?")
_LONGEST_NAME = 20


@click.command(short_help="Which landing each line of a file came with, and why")
@click.argument("path")
@click.argument("at", metavar="[REF]", required=False)
@click.option("--why", is_flag=True, help="With the goal and the decisions of each.")
@click.option("-L", "wanted", metavar="FIRST[,[LAST]]", help="Only these lines, counted from 1; `2,` is to the end.")
@project_option
@json_option
def blame(out: Output, path: str, at: str | None, why: bool, wanted: str | None, project: str | None) -> None:
    """Which landing each line of a file came with, and who wrote it: an agent, a person, or untracked.

    As the session says of each line; where it says nothing of the file, as it is known of the session as a whole.
    Untracked is what nobody is said to have written, such as a Git commit. Default: the file at this working copy's
    base.
    """
    place = Place(project)
    name = place.path(path)
    if not name:
        raise InvalidInput("A directory has no lines.", hint="Name a file.")
    first, last = _range(wanted)
    with looking(place.address.instance, out) as client:
        position = place.position(client, at)
        request = pb.BlameFileRequest(project=place.address.ref, path=name, why=why, position=position)
        try:
            found = _whole(client, request, first, last)
        except NotFound:
            require_file(client, place, name, request.position)
            raise
        data = b"" if out.as_json else fetch(client, place.address.ref, [found.hash], shown=True)[found.hash]
    if not out.as_json:
        _print(out, found, split_lines(data), why)
    out.document(_document(str(place.address), name, found, why))


def _range(wanted: str | None) -> tuple[int, int]:
    """First and last line; 0 as the last is the end."""
    if not wanted:
        return 1, 0
    match = _RANGE.fullmatch(wanted)
    if match is None or not int(match[1]) or (match[3] and int(match[3]) < int(match[1])):
        raise WrongCommandLine(f"{wanted[:40]!r} are no lines.", hint="Use a form like -L 10,20.")
    return int(match[1]), int(match[3] or 0) if match[2] else int(match[1])


def _whole(client: Client, request: pb.BlameFileRequest, first: int, last: int) -> pb.BlameFileResponse:
    """All parts as one answer, each landing and each why once."""
    whole = pb.BlameFileResponse()
    landings, whys = set[int](), set[tuple[int, bytes]]()
    while True:
        request.first_line = first
        request.lines = last - first + 1 if last else 0
        part = client.call(client.sessions.BlameFile, request)
        for field in ("position", "written_at", "hash", "size", "total_lines"):
            setattr(whole, field, getattr(part, field))
        whole.hunks.extend(part.hunks)
        whole.landings.extend(each for each in part.landings if each.session.landed_position not in landings)
        whole.whys.extend(each for each in part.whys if (each.position, each.path) not in whys)
        landings.update(each.session.landed_position for each in part.landings)
        whys.update((each.position, each.path) for each in part.whys)
        first = part.next_line
        if not first or (last and first > last):
            return whole


def _print(out: Output, found: pb.BlameFileResponse, lines: list[bytes], why: bool) -> None:
    landings = {each.session.landed_position: each for each in found.landings}
    whys = {(each.position, each.path): each for each in found.whys}
    number = len(str(found.total_lines))
    at = max((len(_at(hunk)) for hunk in found.hunks), default=0)
    who = max((len(_who(landings[hunk.position], hunk)) for hunk in found.hunks), default=0)
    for hunk in found.hunks:
        landing = landings[hunk.position]
        head = out.paint(f"{_at(hunk):<{at}}", "yellow")
        if why:
            _print_why(out, landing, hunk, whys.get((hunk.position, hunk.path)), head)
        else:
            day = when(dated_ms(landing.session))[:10]
            head += f"  {_author(landing, hunk):<9}  {_who(landing, hunk):<{who}}  {day}"
        for line in range(hunk.first_line, hunk.first_line + hunk.lines):
            text = lines[line - 1].decode("utf-8", "replace").rstrip("\r\n")
            out.line(f"{line:>{number + 2}}  {text}" if why else f"{head}  {line:>{number}}  {text}")
    if any(hunk.not_further for hunk in found.hunks):
        out.line()
        out.line("Lines marked with < stood there already, and nobody looked further back; ask again to look further.")
    if any(hunk.alike for hunk in found.hunks):
        out.line()
        out.line(
            "Lines marked with ~ were followed by likeness: the file they stood in went away when one much like it"
        )
        out.line("came, and nothing says that it was moved.")


def _print_why(out: Output, landing: pb.BlamedLanding, hunk: pb.BlameHunk, why: pb.Why | None, head: str) -> None:
    session = landing.session
    title = session.goal.strip().partition("\n")[0] or "(no goal was given)"
    out.line(f"{head} {out.paint(title, 'bold')}")
    if session.git_commit:
        for line in session.goal.strip().partition("\n")[2].splitlines():
            out.line(f"  {line}".rstrip())
    elsewhere = f", from {display(hunk.path)}:{hunk.first_line_there}" if hunk.path else ""
    agent = f" with {session.agent}" if session.agent else ""
    who = session.author.name or session.owner
    out.line(f"  {_author(landing, hunk)}: {who}{agent}, {when(dated_ms(session))}{elsewhere}")
    if hunk.of_line:
        out.line(f"  {_said(hunk)}")
    if why is None:
        return
    if not why.about_file:
        out.line("  Decided in the session, not about this file alone:")
    decisions = [each for number, each in zip(why.numbers, why.decisions, strict=True) if _about(why, number, hunk)]
    for decision in decisions:
        print_decision(out, decision, "  ")
    more = len(why.decisions) - len(decisions) + why.others
    if more:
        out.line(f"  {plural(more, 'more decision')}: mic show @{hunk.position}")


def _lines(why: pb.Why, number: int) -> list[tuple[int, int]]:
    return [(each.first, each.last) for each in why.lines if each.number == number]


def _about(why: pb.Why, number: int, hunk: pb.BlameHunk) -> bool:
    """Whether a decision is about some line of a hunk: the lines that its evidence names, or without any, all."""
    lines = _lines(why, number)
    first, last = hunk.first_line_there, hunk.first_line_there + hunk.lines - 1
    return not lines or any(a <= last and first <= b for a, b in lines)


def _at(hunk: pb.BlameHunk) -> str:
    return f"{'~' if hunk.alike else ''}{'<' if hunk.not_further else '@'}{hunk.position}"


def _author(landing: pb.BlamedLanding, hunk: pb.BlameHunk) -> str:
    """Who wrote lines: agent, person, untracked; "older" while nobody has looked further."""
    if hunk.not_further:
        return "older"
    return hunk.written_by or landing.written_by  # a forge of an earlier version tells it of the landing alone


def _said(hunk: pb.BlameHunk) -> str:
    if hunk.written_by == "untracked":
        return "The session does not say who wrote these lines."
    name = f"{hunk.writer}, " if hunk.writer else ""
    return f"The session says of these lines: {name}{'an agent' if hunk.written_by == 'agent' else 'a person'}."


def _who(landing: pb.BlamedLanding, hunk: pb.BlameHunk) -> str:
    """The name beside a line; of what is untracked in a session, whose session it was."""
    session = landing.session
    person = session.author.name or session.owner
    name = person if hunk.of_line and hunk.written_by != "agent" else session.agent or person
    name = hunk.writer or name
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _document(project: str, name: bytes, found: pb.BlameFileResponse, why: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "project": project,
        **path_fields(name),
        "position": found.position,
        "written_at": found.written_at,
        "hash": found.hash.hex(),
        "total_lines": found.total_lines,
        "hunks": [
            {
                "first": hunk.first_line,
                "lines": hunk.lines,
                "position": hunk.position,
                "first_there": hunk.first_line_there,
                **path_fields(hunk.path or name),
                "settled": not hunk.not_further,
                "alike": hunk.alike,
                "written_by": None if hunk.not_further else hunk.written_by,
                "of_line": hunk.of_line,
                "writer": hunk.writer or None,
                "message": hunk.message or None,
            }
            for hunk in found.hunks
        ],
        "landings": [{**session_fields(each.session), "written_by": each.written_by} for each in found.landings],
    }
    if why:
        document["whys"] = [
            {
                "position": each.position,
                **path_fields(each.path or name),
                "about_file": each.about_file,
                "decisions": [
                    {
                        "number": number,
                        **decision_fields(decision),
                        "lines": [{"first": first, "last": last} for first, last in _lines(each, number)],
                    }
                    for number, decision in zip(each.numbers, each.decisions, strict=True)
                ],
                "others": each.others,
            }
            for each in found.whys
        ]
    return document
