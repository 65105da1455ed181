"""`micelio admin purge`: what would be erased, and with --do the erasure."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import Any

Print = Callable[[argparse.Namespace, Iterable[Any], Callable[[Any], list[str]]], int]


def add(command: Callable[..., Any], kinds: Any, show: Print) -> None:
    """Add `purge` and `purges` to the commands; `show` prints rows."""

    def run(options: argparse.Namespace) -> int:
        return _purge(options, show)

    purge = command(kinds, "purge", run, "erase a content of a project for good; without --do, say what that would do")
    purge.add_argument("project", metavar="ORG/PROJECT")
    purge.add_argument("--content", default="", metavar="SHA256", help="the content itself")
    purge.add_argument("--path", default="", metavar="PATH@POSITION", help="what a file was at a position")
    purge.add_argument("--finding", type=int, default=0, metavar="N", help="the file that a finding of secrets names")
    purge.add_argument("--class", dest="reason", choices=("secret", "takedown"), default="secret", help="of what")
    purge.add_argument("--reason", dest="note", default="", help="why; it stays in the audit log")
    purge.add_argument("--with-forks", action="store_true", help="also in the forks that read it")
    purge.add_argument("--do", action="store_true", help="erase it: nobody can undo that")
    command(kinds, "purges", lambda options: _list(options, show), "erasures that were asked for")


def _purge(options: argparse.Namespace, show: Print) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.operators import purges

    content = purges.content_of(
        OPERATOR, options.project, content=options.content, path=options.path, finding=options.finding
    )
    if not options.do:
        return show(options, [purges.look(OPERATOR, options.project, content)], _look_words)
    asked = purges.ask(
        OPERATOR, options.project, content, options.reason, options.note,
        typed=content.hex()[: purges.TYPED], with_forks=options.with_forks,
    )  # fmt: skip
    if asked.state == "running":
        purges.carry_out(asked.id)
    return show(options, [row for row in purges.list_purges(OPERATOR) if row.id == asked.id], _words)


def _list(options: argparse.Namespace, show: Print) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.operators import purges

    return show(options, purges.list_purges(OPERATOR, 10_000), _words)


def _look_words(row: Any) -> list[str]:
    return [
        f"{row.content}",
        f"{row.size:,} bytes",
        f"{row.copies} copies of {row.bytes:,} bytes in the store",
        f"{row.moved} other contents are written anew",
        f"{row.shared} parts stay: others consist of them" if row.shared else "",
        *(f"named by {each}" for each in row.named[:100]),
        *(f"read by the fork {each}" for each in row.forks),
        "nothing was changed; --do erases it",
    ]


_STATES = {"waiting": "waits for a second administrator", "running": "is under way", "done": "erased"}


def _words(row: Any) -> list[str]:
    confirmed = f"confirmed by {row.confirmed_by}" if row.confirmed_by else ""
    state = _STATES.get(row.state, row.state)
    return [row.content, row.project, row.reason, state, f"asked by {row.asked_by}", confirmed, row.note]
