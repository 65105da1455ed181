"""`--transcript`: who is to read the conversation of a session on the forge."""

from __future__ import annotations

import click

from mic.cli.terminal.words import PROJECT
from mic.core.session import MEMBERS

transcript_option = click.option(
    "--transcript",
    type=click.Choice([PROJECT, MEMBERS]),
    default=None,
    help="Who reads the conversation once it landed: all who read the project, or only members. Goal and decisions are "
    "for all who read the project.",
)


def seen_by(transcript: str | None) -> str:
    """As a session has it."""
    return MEMBERS if transcript == MEMBERS else ""
