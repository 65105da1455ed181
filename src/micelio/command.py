"""The `micelio` command: run a forge and look after it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from mic.core.errors import MicError, NotFound
from micelio import __version__, config
from micelio.edge import instance
from micelio.sentences import for_people, one_line

if TYPE_CHECKING:
    from micelio.accounts.models import User

INTERRUPTED = 130
# Ten years: who wants a token for longer wants one that never ends, and there is none.
MOST_DAYS = 3650


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 a clear sentence on stderr, 2 wrong usage, 130 interrupted."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(options.run(options))
    except MicError as error:
        print(f"micelio: {one_line(for_people(error, lambda _: ''))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="micelio", description="A forge for people and agents.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"micelio {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the forge until Ctrl-C")
    serve.add_argument(
        "--first-project", type=Path, metavar="PATH", help="Git checkout to import while there is no project"
    )
    serve.set_defaults(run=_serve)

    rebuild = commands.add_parser("rebuild", help="derive all lists again from the object store")
    rebuild.set_defaults(run=_rebuild)

    verify = commands.add_parser("verify", help="check every object of a project, or of all; changes nothing")
    verify.add_argument("projects", nargs="*", metavar="ORG/PROJECT", help="the projects to check (default: all)")
    verify.add_argument("--json", action="store_true", help="print the findings as JSON")
    verify.set_defaults(run=_verify)

    repair = commands.add_parser("repair", help="derive again what can be; the forge must be stopped")
    repair.add_argument("project", metavar="ORG/PROJECT")
    repair.add_argument(
        "--accept-loss", action="store_true", help="put the head back even below landings that are gone for good"
    )
    repair.set_defaults(run=_repair)

    token = commands.add_parser("token", help="print an access token for scripts")
    token.add_argument("handle", help="the account it acts for")
    token.add_argument("--days", type=_days, default=30, help="how long it is good for (default: 30)")
    token.add_argument("--create", action="store_true", help="make the account when there is none")
    token.set_defaults(run=_token)

    link = commands.add_parser("link", help="print a one-time sign-in link for an account")
    link.add_argument("handle", help="the account it signs in")
    link.add_argument("--create", action="store_true", help="make the account when there is none")
    link.add_argument("--admin", action="store_true", help="with --create: make it an administrator")
    link.set_defaults(run=_link)

    store = commands.add_parser("store", help="look after the object store").add_subparsers(
        required=True, metavar="COMMAND"
    )
    doctor = store.add_parser("doctor", help="try whether the store is safe to land on")
    doctor.add_argument("--json", action="store_true", help="the report as one line of JSON")
    doctor.set_defaults(run=_store_doctor)

    check = commands.add_parser("migrate-check", help="fail when models and migrations differ")
    check.set_defaults(run=_migrate_check)
    return parser


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MOST_DAYS):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is not a number of days from 1 to {MOST_DAYS:,}")
    return int(text)


def _serve(options: argparse.Namespace) -> int:
    from micelio.edge.serve import serve

    return serve(config.load(), options.first_project)


def _rebuild(options: argparse.Namespace) -> int:
    settings = config.load()
    instance.check_exists(settings, with_database=False)
    with instance.prepare(settings):
        _start_django(settings)
        from micelio.accounts import actions
        from micelio.accounts.actor import actor_of
        from micelio.accounts.policy import OPERATOR
        from micelio.edge import schema
        from micelio.projects.queries import project_name
        from micelio.projects.restore import restore
        from micelio.sessions import projector

        schema.ensure()
        projects = restore(actor_of(actions.ensure_administrator(OPERATOR), "command"))
        landings, damaged = projector.rebuild()
        damage = [for_people(error, project_name) for error in damaged]
    print(f"Projects restored: {projects}. Landings derived: {landings}.")
    for error in damage:
        print(f"micelio: {one_line(error)}", file=sys.stderr)
    return 1 if damage else 0


def _verify(options: argparse.Namespace) -> int:
    settings = config.load()
    instance.check_exists(settings)
    _start_django(settings)
    from micelio.edge.verify import verify

    return verify(options.projects, options.json)


def _repair(options: argparse.Namespace) -> int:
    settings = config.load()
    instance.check_exists(settings)
    with instance.prepare(settings):
        _start_django(settings)
        from micelio.edge.verify import repair

        return repair(options.project, options.accept_loss)


def _token(options: argparse.Namespace) -> int:
    user = _account(options.handle, create=options.create)
    from micelio.accounts import actions
    from micelio.accounts.policy import OPERATOR

    print(actions.issue_token(OPERATOR, user, timedelta(days=options.days)))
    return 0


def _link(options: argparse.Namespace) -> int:
    user = _account(options.handle, create=options.create, is_admin=options.admin)
    from micelio.accounts import actions
    from micelio.accounts.policy import OPERATOR

    print(f"{config.current().base_url}/-/sign-in/once/{actions.make_sign_in_link(OPERATOR, user)}")
    return 0


def _store_doctor(options: argparse.Namespace) -> int:
    from mic.store.doctor import Verdict
    from micelio.projects.stores import examined

    settings = config.load()
    if settings.s3 is None:
        instance.check_exists(settings)
    report = examined(settings)
    if options.json:
        print(report.as_json())
    else:
        print(f"The store at {report.address}:")
        for finding in report.findings:
            print(f"  {finding.outcome:<7}  {finding.probe:<18}  {finding.words}")
        print(f"Verdict: {report.verdict}. {report.words}")
    return 0 if report.verdict is Verdict.SOUND else 1


def _migrate_check(options: argparse.Namespace) -> int:
    _start_django(config.load())
    from micelio.edge import schema

    return 0 if schema.models_match() else 1


def _account(handle: str, *, create: bool, is_admin: bool = False) -> User:
    """The active account `handle` of an existing forge. Raises NotFound, or makes it."""
    settings = config.load()
    instance.check_exists(settings)
    _start_django(settings)
    from micelio.accounts import actions
    from micelio.accounts.models import User
    from micelio.accounts.policy import OPERATOR

    user = User.objects.filter(handle=handle.lower(), is_active=True).first()
    if user is not None:
        return user
    if create:
        return actions.create_user(OPERATOR, handle, is_admin=is_admin)
    raise NotFound(f"There is no account {handle!r}.", hint="Add --create to make it.")


def _start_django(settings: config.Settings) -> None:
    import django

    config.install(settings)
    os.environ["DJANGO_SETTINGS_MODULE"] = "micelio.django_settings"
    django.setup()


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
