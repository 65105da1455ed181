"""`mail` at a shell of the machine: letters that did not go out, with what stands in them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any


def add(commands: Any, ready: Callable[[], None]) -> None:
    """Add `mail` to the commands; `ready` makes the forge's rooms usable."""
    parser = commands.add_parser("mail", help="letters that did not go out, with their links")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--done", metavar="ID", default="", help="this one was handed over: take it off the list")
    parser.add_argument("--again", metavar="ID", default="", help="have the mail server asked once more for this one")

    def run(options: argparse.Namespace) -> int:
        ready()
        return _mail(options)

    parser.set_defaults(run=run)


def _mail(options: argparse.Namespace) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.accounts.undelivered import hand_over, list_letters, read_letter, send_again

    if options.done:
        hand_over(OPERATOR, _id(options.done))
    if options.again:
        send_again(OPERATOR, _id(options.again))
    if options.done or options.again:
        return 0
    rows = [read_letter(OPERATOR, letter.id) for letter in list_letters(OPERATOR)]
    if options.json:
        told = [
            {
                "id": str(letter.id),
                "to": letter.to,
                "subject": letter.subject,
                "link": contents.link,
                "expires_at": letter.expires_at.isoformat(),
                "trouble": letter.trouble,
            }
            for letter, contents in rows
        ]
        print(json.dumps(told))
        return 0
    for letter, contents in rows:
        print(f"{letter.id}  to {letter.to}, until {letter.expires_at:%Y-%m-%d %H:%M} UTC: {letter.subject}")
        if letter.trouble:
            print(f"    the mail server said: {letter.trouble}")
        if contents.link:
            print(f"    {contents.link}")
    if not rows:
        print("No letter waits.")
    return 0


def _id(text: str) -> Any:
    from uuid import UUID

    from mic.core.errors import InvalidInput

    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput(f"{text[:40]!r} is not the id of a letter.", hint="They stand before each.") from error
