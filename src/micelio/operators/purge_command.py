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

    words = "erase a content or the words of a session for good; without --do, say what that would do"
    purge = command(kinds, "purge", run, words)
    purge.add_argument("project", metavar="ORG/PROJECT")
    purge.add_argument("--content", default="", metavar="SHA256", help="the content itself")
    purge.add_argument("--path", default="", metavar="PATH@POSITION", help="what a file was at a position")
    purge.add_argument("--finding", type=int, default=0, metavar="N", help="the file that a finding of secrets names")
    purge.add_argument("--session", default="", metavar="ID", help="what was said in a session, not its contents")
    purge.add_argument("--class", dest="reason", choices=("secret", "takedown"), default="secret", help="of what")
    purge.add_argument("--reason", dest="note", default="", help="why; it stays in the audit log")
    purge.add_argument("--with-forks", action="store_true", help="also in the forks that read it")
    purge.add_argument("--do", action="store_true", help="erase it: nobody can undo that")
    person = command(
        kinds, "purge-person", lambda options: _purge_person(options, show),
        "erase an account, and who it was in all that it landed; without --do, say what that would do",
    )  # fmt: skip
    person.add_argument("handle")
    person.add_argument("--reason", dest="note", default="", help="why; it stays in the audit log")
    person.add_argument("--do", action="store_true", help="erase it: nobody can undo that")
    command(kinds, "purges", lambda options: _list(options, show), "erasures that were asked for")


def _purge(options: argparse.Namespace, show: Print) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.operators import purges
    from micelio.operators.models import TYPED

    if options.session:
        return _purge_words(options, show)
    content = purges.content_of(
        OPERATOR, options.project, content=options.content, path=options.path, finding=options.finding
    )
    if not options.do:
        return show(options, [purges.look(OPERATOR, options.project, content)], _look_words)
    asked = purges.ask(
        OPERATOR, options.project, content, options.reason, options.note,
        typed=content.hex()[:TYPED], with_forks=options.with_forks,
    )  # fmt: skip
    return _carried_out(asked, options, show)


def _purge_words(options: argparse.Namespace, show: Print) -> int:
    from mic.core.errors import InvalidInput
    from micelio.accounts.policy import OPERATOR
    from micelio.operators import word_purges

    if options.content or options.path or options.finding:
        raise InvalidInput("--session erases words, and no content.", hint="Do one after the other.")
    found = word_purges.look(OPERATOR, options.project, options.session)
    if not options.do:
        return show(options, [found], _said_words)
    asked = word_purges.ask(
        OPERATOR, options.project, options.session, options.reason, options.note,
        typed=found.typed, with_forks=options.with_forks,
    )  # fmt: skip
    return _carried_out(asked, options, show)


def _purge_person(options: argparse.Namespace, show: Print) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.operators import person_purges

    if not options.do:
        return show(options, [person_purges.look(OPERATOR, options.handle)], _person_words)
    asked = person_purges.ask(OPERATOR, options.handle, options.note, typed=options.handle)
    return _carried_out(asked, options, show)


def _carried_out(asked: Any, options: argparse.Namespace, show: Print) -> int:
    """Do at once what waits for nobody."""
    from micelio.accounts.policy import OPERATOR
    from micelio.operators import purges

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


def _said_words(row: Any) -> list[str]:
    return [
        row.session,
        f"landed @{row.position}" if row.position else "has not landed: all that is kept of it goes",
        f"{row.messages} messages, {row.decisions} decisions",
        "came as a Git commit: it gets another id, and so do those behind it" if row.commit else "",
        *(f"read by the fork {each}" for each in row.forks),
        "nothing was changed; --do erases it",
    ]


def _person_words(row: Any) -> list[str]:
    return [
        row.handle,
        *(f"named {each}" for each in row.names),
        *(f"with the address {each}" for each in row.emails),
        *(f"{count} landings in {project}" for project, count in row.landings),
        f"{row.open_sessions} sessions that did not land go",
        *(f"the last owner of {each}: hand it on first" for each in row.organizations),
        "nothing was changed; --do erases it",
    ]


_STATES = {"waiting": "waits for a second administrator", "running": "is under way", "done": "erased"}


def _words(row: Any) -> list[str]:
    confirmed = f"confirmed by {row.confirmed_by}" if row.confirmed_by else ""
    state = _STATES.get(row.state, row.state)
    what = row.content or row.session or row.handle or "a person"
    return [what, row.project, row.reason, state, f"asked by {row.asked_by}", confirmed, row.note]
