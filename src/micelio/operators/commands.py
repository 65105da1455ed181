"""`micelio admin ...`: what the administrators' pages do, at a shell of the machine."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mic.core.errors import InvalidInput
from micelio.operators import purge_command

# Enough for any forge that a list at a shell is of use for.
MOST = 10_000


def add(commands: Any, ready: Callable[[], None]) -> Any:
    """Add `admin` to the commands; `ready` makes the forge's rooms usable. Returns what takes further ones."""
    admin = commands.add_parser("admin", help="accounts, organizations, projects, blocks, jobs and storage")
    kinds = admin.add_subparsers(required=True, metavar="WHAT")

    def command(parent: Any, name: str, run: Callable[[argparse.Namespace], int], words: str) -> Any:
        parser = parent.add_parser(name, help=words)
        parser.add_argument("--json", action="store_true", help="print JSON")

        def started(options: argparse.Namespace) -> int:
            ready()
            return run(options)

        parser.set_defaults(run=started)
        return parser

    users = kinds.add_parser("users", help="accounts").add_subparsers(required=True, metavar="COMMAND")
    command(users, "list", _users, "every account").add_argument("--find", default="", metavar="TEXT")
    for name, run, words in (
        ("show", _show, "one account"),
        ("make-admin", _promote, "let an account run the forge"),
        ("end-admin", _demote, "take that away"),
    ):
        command(users, name, run, words).add_argument("handle")
    suspend = command(users, "suspend", _suspend, "shut every door to an account")
    suspend.add_argument("handle")
    suspend.add_argument("--reason", required=True, help="its owner is told it")
    command(users, "unsuspend", _unsuspend, "open them again").add_argument("handle")
    limits = command(kinds, "limits", _limits, "what an organization has and may have; with numbers: change that")
    limits.add_argument("organization")
    for name, words in (("public", "public projects"), ("private", "private projects"), ("stored-mb", "MiB stored")):
        limits.add_argument(f"--{name}", type=int, metavar="N", help=f"at most so many {words}; 0 for no limit")
    orgs = kinds.add_parser("orgs", help="organizations").add_subparsers(required=True, metavar="COMMAND")
    command(orgs, "list", _orgs, "every organization").add_argument("--find", default="", metavar="TEXT")
    projects = kinds.add_parser("projects", help="projects").add_subparsers(required=True, metavar="COMMAND")
    command(projects, "list", _projects, "every project").add_argument("--find", default="", metavar="TEXT")
    command(kinds, "blocks", _blocks, "who is blocked")
    block = command(kinds, "block", _block, "take nothing more from an address, a network or an account")
    block.add_argument("target", metavar="ADDRESS|NETWORK|HANDLE")
    block.add_argument("--reason", required=True, help="shown to whoever is blocked")
    block.add_argument("--hours", type=int, default=0, help="until it ends (default: when it is lifted)")
    command(kinds, "unblock", _unblock, "lift a block").add_argument("target", metavar="ADDRESS|NETWORK|HANDLE")
    jobs = kinds.add_parser("jobs", help="work in the background").add_subparsers(required=True, metavar="COMMAND")
    listed = command(jobs, "list", _jobs, "what waits, runs or failed")
    listed.add_argument("--state", choices=("waiting", "running", "failed"), default="failed")
    command(jobs, "retry", _retry, "run a failed job again").add_argument("id")
    purge_command.add(command, kinds, _print)
    command(kinds, "storage", _storage, "the store, and room on its disk")
    return kinds


def _users(options: argparse.Namespace) -> int:
    from micelio.accounts.administering import list_accounts
    from micelio.accounts.policy import OPERATOR

    rows = list_accounts(OPERATOR, options.find, limit=MOST)
    return _print(options, rows, lambda row: [row.handle, row.email or "-", _state(row), f"{row.created_at:%Y-%m-%d}"])


def _show(options: argparse.Namespace) -> int:
    from micelio.accounts.administering import get_account
    from micelio.accounts.policy import OPERATOR

    row = get_account(OPERATOR, options.handle)
    return _print(options, [row], lambda row: [row.handle, row.name or "-", row.email or "-", _state(row)])


def _promote(options: argparse.Namespace) -> int:
    return _set_admin(options, True)


def _demote(options: argparse.Namespace) -> int:
    return _set_admin(options, False)


def _set_admin(options: argparse.Namespace, wanted: bool) -> int:
    from micelio.accounts.administering import set_administrator
    from micelio.accounts.policy import OPERATOR

    row = set_administrator(OPERATOR, options.handle, wanted)
    return _print(options, [row], lambda row: [row.handle, _state(row)])


def _suspend(options: argparse.Namespace) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.accounts.suspension import suspend

    suspend(OPERATOR, options.handle, options.reason)
    return _show(options)


def _unsuspend(options: argparse.Namespace) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.accounts.suspension import unsuspend

    unsuspend(OPERATOR, options.handle)
    return _show(options)


def _limits(options: argparse.Namespace) -> int:
    """Those that are not named keep what they are."""
    from micelio.accounts.policy import OPERATOR
    from micelio.projects.limits import set_limits, usage

    found = usage(OPERATOR, options.organization)
    if (options.public, options.private, options.stored_mb) != (None, None, None):
        set_limits(
            OPERATOR,
            options.organization,
            public_projects=found.limits.public_projects if options.public is None else options.public,
            private_projects=found.limits.private_projects if options.private is None else options.private,
            stored_bytes=found.limits.stored_bytes if options.stored_mb is None else options.stored_mb << 20,
        )
        found = usage(OPERATOR, options.organization)
    names = found.limits._fields
    rows = [{"what": name, "has": getattr(found, name), "may_have": getattr(found.limits, name)} for name in names]

    def words(row: Any) -> list[str]:
        most = f"of {row['may_have']:,}" if row["may_have"] else "no limit"
        return [row["what"].replace("_", " "), f"{row['has']:,}", most]

    return _print(options, rows, words)


def _orgs(options: argparse.Namespace) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.organizations.administering import all_organizations

    rows = all_organizations(OPERATOR, options.find, limit=MOST)
    return _print(options, rows, lambda row: [row.handle, row.name, f"{row.members} members"])


def _projects(options: argparse.Namespace) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.projects.administering import all_projects

    def pages() -> Iterable[Any]:
        after = ""
        while rows := all_projects(OPERATOR, options.find, after, 100):
            yield from rows
            after = f"{rows[-1].owner}/{rows[-1].handle}"

    def words(row: Any) -> list[str]:
        size = "-" if row.size is None else f"{row.size:,} bytes"
        stored = "" if row.measured_at is None else f"{row.stored_bytes:,} bytes in {row.stored_objects:,} objects"
        return [f"{row.owner}/{row.handle}", row.visibility, f"{row.landings} landings", size, stored]

    return _print(options, pages(), words)


def _blocks(options: argparse.Namespace) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.operators.blocks import list_blocks

    return _print(options, list_blocks(OPERATOR, MOST), _block_words)


def _block(options: argparse.Namespace) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.operators.blocks import block

    return _print(options, [block(OPERATOR, options.target, options.reason, options.hours)], _block_words)


def _unblock(options: argparse.Namespace) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.operators.blocks import lift_all

    lifted = lift_all(OPERATOR, options.target)
    return _print(options, lifted, lambda row: [row.account or row.network, "lifted"])


def _block_words(row: Any) -> list[str]:
    until = f"until {row.ends_at:%Y-%m-%d %H:%M} UTC" if row.ends_at else "until it is lifted"
    return [row.account or row.network, until, f"by {row.made_by}", row.reason]


def _jobs(options: argparse.Namespace) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.operators.overview import jobs

    rows = jobs(OPERATOR, options.state, MOST)
    return _print(options, rows, lambda row: [str(row.id), row.name, f"attempt {row.attempt}", row.problem])


def _retry(options: argparse.Namespace) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.operators.overview import retry_job

    try:
        job = UUID(options.id)
    except ValueError as error:
        raise InvalidInput(f"{options.id[:60]!r} is not the id of a job.", hint="`micelio admin jobs list`.") from error
    return _print(options, [{"job": retry_job(OPERATOR, job)}], lambda row: [row["job"], "waits to run again"])


def _storage(options: argparse.Namespace) -> int:
    from micelio.accounts.policy import OPERATOR
    from micelio.operators.overview import storage

    found = storage(OPERATOR)

    def words(row: Any) -> list[str]:
        room = "" if row.disk_free is None else f"{row.disk_free:,} of {row.disk_total:,} bytes free"
        verdict = row.report.verdict if row.report is not None else "not examined (micelio store doctor)"
        return [row.address, row.kind, room, verdict]

    return _print(options, [found], words)


def _state(row: Any) -> str:
    closed = ", suspended" if row.suspended else "" if row.is_active else ", cannot sign in"
    return ("administrator" if row.is_admin else "user") + closed


def _print(options: argparse.Namespace, rows: Iterable[Any], words: Callable[[Any], list[str]]) -> int:
    """One line a row: JSON, or columns with tabs between them and nothing that a terminal would obey."""
    for row in rows:
        if options.json:
            data = asdict(row) if is_dataclass(row) and not isinstance(row, type) else row
            line = json.dumps(data, default=_plain)
        else:
            line = "\t".join(filter(None, ("".join(filter(str.isprintable, word)) for word in words(row))))
        sys.stdout.write(f"{line}\n")
    return 0


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
