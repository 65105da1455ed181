"""`micelio token`: a token of somebody's, for scripts on the machine itself. It may read, unless more is asked for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from mic.core.errors import InvalidInput

if TYPE_CHECKING:
    from micelio.accounts.models import User

# Ten years: who wants a token for longer wants one that never ends, and there is none.
MOST_DAYS = 3650
_LEAST = "project:read"
# The account behind a handle, made when that was asked for.
Account = Callable[[argparse.Namespace], "User"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], account: Account) -> None:
    """The command and its options."""
    token = commands.add_parser("token", help="print an access token for scripts")
    token.add_argument("handle", help="the account it acts for")
    token.add_argument("--days", type=_days, default=30, help="how long it is good for (default: 30)")
    token.add_argument("--create", action="store_true", help="make the account when there is none")
    token.add_argument("--name", default="", help="what the list of tokens calls it")
    token.add_argument(
        "--scope", action="append", default=[], metavar="SCOPE", help=f"what it may do; again for more ({_LEAST})"
    )
    token.add_argument(
        "--project", action="append", default=[], metavar="ORG/PROJECT", help="only there; again for more"
    )
    token.add_argument(
        "--mix-private-and-public", action="store_true", help="let it read private projects and write public ones"
    )
    token.add_argument(
        "--whole-account", action="store_true", help="all that the account may do, its password and tokens included"
    )
    token.set_defaults(run=lambda options: _token(options, account))


def _token(options: argparse.Namespace, account: Account) -> int:
    limits = options.scope or options.project or options.mix_private_and_public or options.name
    if options.whole_account and limits:
        raise InvalidInput(
            "A token for the whole account has no name and no limits.", hint="Leave --whole-account or the rest out."
        )
    user = account(options)
    if options.whole_account:
        from micelio.accounts.actions import issue_token
        from micelio.accounts.policy import OPERATOR

        print(issue_token(OPERATOR, user, timedelta(days=options.days)))
        return 0
    from micelio.accounts.actor import actor_of
    from micelio.tokens.actions import create_token

    scopes = [scope.strip() for text in options.scope or [_LEAST] for scope in text.split(",")]
    made = create_token(
        actor_of(user, "command"),
        options.name or "micelio token",
        scopes,
        options.project,
        options.days,
        mixes=options.mix_private_and_public,
    )
    print(made.value)
    return 0


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MOST_DAYS):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not a number of days from 1 to {MOST_DAYS:,}")
    return int(text)
