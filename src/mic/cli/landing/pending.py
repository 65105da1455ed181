"""`mic pending`: what waits to be told to the forge, which could not be reached."""

from __future__ import annotations

import click

from mic.cli.landing.waiting import pending_fields, take_back, waiting
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.output import Output, plural, when
from mic.workspace.operations import record
from mic.workspace.pending import LAND, find, remove
from mic.workspace.pending import pending as read
from mic.workspace.workspace import Workspace

_WORDS = {"land": "land", "push": "push", "abandon": "give up"}


@click.group(cls=Suggesting)
def pending() -> None:
    """What waits to be told to the forge, because it was not reached.

    `mic sync` sends it, in order. What is sent twice lands once.
    """


@pending.command("list", short_help="What waits, in the order in which it is sent.")
@json_option
def list_(out: Output) -> None:
    """What waits to be sent, in order: landings, pushed sessions, sessions that were given up."""
    items = read(Workspace.find())
    for item in items:
        files = f" ({plural(len(item.changes), 'file')})" if item.changes else ""
        out.line(f"{item.number:>3}  {when(item.at_ms)}  {_WORDS[item.kind]:<7}  {item.session.goal}{files}")
    if not items:
        out.line("Nothing waits for the forge.")
    out.document({"pending": [pending_fields(item) for item in items]})


@pending.command(short_help="Do not send one of them.")
@click.argument("number", type=click.IntRange(1))
@json_option
def drop(out: Output, number: int) -> None:
    """Take the operation NUMBER out, as `mic pending list` numbers them.

    A landing becomes the open session again, with its words; what stands on it comes with it, and your files stay as
    they are. Of a push, or of a session that was given up, the forge just does not hear.
    """
    ws = Workspace.find()
    with ws.lock():
        items = waiting(ws)
        item = find(items, number)
        goal = item.session.goal
        if item.kind == LAND:
            final = "its session is open here again, and `mic land` lands it."
            record(ws, "mic pending drop", files=False, final=final)
            dropped = take_back(ws, item, items)
        else:
            dropped = [item]
            remove(ws, item)
    if item.kind == LAND:
        out.line(f"Open here again: {goal}")
        for each in dropped[1:]:
            out.line(f"with it: {each.session.goal}")
    else:
        out.line(f"Not told to the forge: {goal}")
    out.document({"dropped": [pending_fields(each) for each in dropped]})
