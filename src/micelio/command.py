"""The `micelio` command: run a forge and look after it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from mic.core.errors import MicError, NotFound
from micelio import __version__, config
from micelio.accounts import mail_command
from micelio.edge import instance
from micelio.operators import commands as admin
from micelio.sentences import for_people, one_line
from micelio.tokens import token_command

if TYPE_CHECKING:
    from micelio.accounts.models import User

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 a clear sentence on stderr, 2 wrong usage, 130 interrupted."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(options.run(options))
    except MicError as error:
        print(f"micelio: {one_line(for_people(error, lambda _: ''))}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        # `mic` is installed without what a forge needs; the command comes with it all the same.
        name = (error.name or "").partition(".")[0]
        if name in ("", "mic", "micelio"):
            raise
        print(
            f"micelio: {name} is missing, which only a forge needs. Install micelio[forge] in place of micelio, as in"
            " `uv tool install 'micelio[forge]'`.",
            file=sys.stderr,
        )
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

    rebuild = commands.add_parser(
        "rebuild",
        help="derive all lists again from the object store",
        description="Derive all lists again from the object store, also into an empty database.",
    )
    rebuild.set_defaults(run=_rebuild)

    off = commands.add_parser("second-factor-off", help="let somebody in who lost every second factor")
    off.add_argument("handle")
    off.set_defaults(run=_second_factor_off)

    networks = commands.add_parser(
        "networks-off",
        help="let members of an organization in from everywhere",
        description="Let members of an organization in from everywhere, when its owners shut themselves out.",
    )
    networks.add_argument("organization")
    networks.set_defaults(run=_networks_off)

    anew = commands.add_parser("encrypt-anew", help="encrypt stored secrets with the newest ENCRYPTION_KEY")
    anew.set_defaults(run=_encrypt_anew)

    audit = commands.add_parser("audit", help="the log of who did what")
    kinds = audit.add_subparsers(required=True, metavar="COMMAND")
    check = kinds.add_parser("verify", help="check that nothing sealed was changed, left out or put in")
    check.add_argument(
        "--known", default="", metavar="DIGEST", help="a digest noted earlier, which must be in the chain"
    )
    check.set_defaults(run=_audit_verify)
    export = kinds.add_parser("export", help="print every event as one line of JSON, oldest first")
    export.set_defaults(run=_audit_export)

    verify = commands.add_parser(
        "verify",
        help="check every object of a project, or of all; changes nothing",
        description="Check that every object of a project, or of all, is there and whole. It changes nothing.",
    )
    verify.add_argument("projects", nargs="*", metavar="ORG/PROJECT", help="the projects to check (default: all)")
    verify.add_argument("--json", action="store_true", help="print the findings as JSON")
    verify.set_defaults(run=_verify)

    gc = commands.add_parser(
        "gc",
        help="remove what nothing names, in stages; a round runs each day by itself",
        description="Remove what nothing names any more, in stages. A round runs each day by itself.",
    )
    gc.add_argument("projects", nargs="*", metavar="ORG/PROJECT", help="the projects to look at (default: all)")
    gc.add_argument("--dry-run", action="store_true", help="say what there is and what would become of it")
    gc.add_argument("--keep", type=float, default=7, metavar="DAYS", help="how long an upload may wait (default: 7)")
    gc.add_argument("--json", action="store_true", help="print all of it as JSON")
    gc.set_defaults(run=_gc)

    repair = commands.add_parser("repair", help="derive again what can be; the forge must be stopped")
    repair.add_argument("project", metavar="ORG/PROJECT")
    repair.add_argument(
        "--accept-loss", action="store_true", help="put the head back even below landings that are gone for good"
    )
    repair.set_defaults(run=_repair)

    token_command.add(commands, lambda options: _account(options.handle, create=options.create))

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

    mail_command.add(admin.add(commands, _open_existing), _open_existing)

    check = commands.add_parser("migrate-check", help="fail when models and migrations differ")
    check.set_defaults(run=_migrate_check)
    return parser


def _serve(options: argparse.Namespace) -> int:
    from micelio.edge.serve import serve

    return serve(config.load(), options.first_project)


def _rebuild(options: argparse.Namespace) -> int:
    settings = config.load()
    instance.check_exists(settings, with_database=False)
    with instance.prepare(settings), _alone(settings):
        _start_django(settings)
        from micelio.accounts import actions
        from micelio.accounts.actor import actor_of
        from micelio.accounts.policy import OPERATOR
        from micelio.edge import schema
        from micelio.projects.queries import project_name
        from micelio.projects.restore import restore
        from micelio.search import indexer
        from micelio.sessions import projector

        schema.ensure()
        projects = restore(actor_of(actions.ensure_administrator(OPERATOR), "command"))
        landings, damaged = projector.rebuild()
        unindexed = indexer.rebuild()
        damage = [for_people(error, project_name) for error in damaged]
        damage += [said for error in unindexed if (said := for_people(error, project_name)) not in damage]
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


def _gc(options: argparse.Namespace) -> int:
    _open_existing()
    from micelio.edge.gc import gc

    return gc(options.projects, options.keep, dry=options.dry_run, as_json=options.json)


def _repair(options: argparse.Namespace) -> int:
    settings = config.load()
    instance.check_exists(settings)
    with instance.prepare(settings), _alone(settings):
        _start_django(settings)
        from micelio.edge.verify import repair

        return repair(options.project, options.accept_loss)


def _second_factor_off(options: argparse.Namespace) -> int:
    user = _account(options.handle, create=False)
    from micelio.accounts.policy import OPERATOR
    from micelio.accounts.second_factor import remove_all

    removed = remove_all(OPERATOR, user)
    print(f"{user.handle} signs in without a second factor now; {removed} removed.")
    return 0


def _networks_off(options: argparse.Namespace) -> int:
    _open_existing()
    from micelio.accounts.policy import OPERATOR
    from micelio.organizations.networks import lift_networks

    print(f"Members of {lift_networks(OPERATOR, options.organization)} come from everywhere now.")
    return 0


def _encrypt_anew(options: argparse.Namespace) -> int:
    _open_existing()
    from micelio.accounts import browser_sessions, second_factor
    from micelio.api import idempotency
    from micelio.mail import outbox
    from micelio.vault import keyring

    done = sum(room.encrypt_anew() for room in (second_factor, outbox, idempotency))
    signed_in = browser_sessions.encrypt_anew()
    print(
        f"Encrypted anew with the key {keyring().newest}: {done} secrets, and {signed_in} sessions of browsers. "
        "Older keys are not needed any more."
    )
    return 0


def _audit_verify(options: argparse.Namespace) -> int:
    _open_existing()
    from micelio.audit.seals import check, seal

    seal()
    found = check(options.known)
    if found.broken:
        print(f"The audit log is broken: {found.broken}.", file=sys.stderr)
        print(f"Sound up to there: {found.events:,} events, digest {found.digest}", file=sys.stderr)
        return 1
    print(
        f"Sound: {found.events:,} events under {found.seals:,} seals. "
        "Note this digest elsewhere, to check against it later:"
    )
    print(found.digest)
    return 0


def _audit_export(options: argparse.Namespace) -> int:
    _open_existing()
    from micelio.accounts.policy import OPERATOR
    from micelio.accounts.queries import all_events
    from micelio.audit.queries import lines

    for text in lines(all_events(OPERATOR)):
        sys.stdout.buffer.write(text)
    return 0


def _open_existing() -> None:
    settings = config.load()
    instance.check_exists(settings)
    _start_django(settings)


def _link(options: argparse.Namespace) -> int:
    user = _account(options.handle, create=options.create, is_admin=options.admin)
    from micelio.accounts import actions
    from micelio.accounts.policy import OPERATOR

    print(f"{config.current().base_url}/-/sign-in/once/{actions.make_sign_in_link(OPERATOR, user)}")
    return 0


def _store_doctor(options: argparse.Namespace) -> int:
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
    return 0 if report.lands else 1


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


def _alone(settings: config.Settings) -> AbstractContextManager[None]:
    """Raises Busy while another forge serves the same PostgreSQL; the data directory's lock says it over SQLite."""
    if settings.postgres is None:
        return nullcontext()
    from micelio.cluster.presence import maintenance

    return maintenance(settings.postgres)


def _start_django(settings: config.Settings) -> None:
    import django

    if settings.postgres is not None:
        from micelio.cluster.server import examine

        examine(settings.postgres)
    config.install(settings)
    os.environ["DJANGO_SETTINGS_MODULE"] = "micelio.django_settings"
    django.setup()


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
