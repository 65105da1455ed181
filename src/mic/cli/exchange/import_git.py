"""`mic import`: a Git repository with all of its refs; how far an import is; and ending one."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import click

from mic.cli.exchange.import_archive import archive
from mic.cli.exchange.import_micelio import micelio
from mic.cli.forge.connection import Address, connect, parse_address
from mic.cli.forge.credentials import default_instance
from mic.cli.forge.found_secrets import history_error
from mic.cli.forge.own_organizations import all_organizations
from mic.cli.forge.roles import ADMINISTERING, WRITING
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, plural, when
from mic.cli.terminal.progress import Progress
from mic.cli.transfer.import_source import Pack, Refs, is_url, label, opened
from mic.core.errors import InvalidInput, MicError, NotFound, PermissionDenied, SecretFound
from mic.core.paths import display
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

_PIECE = 1 << 20
# What one call sends: a token lasts longer than that takes.
_CALL = 64 << 20
_OPEN = ("receiving", "waiting", "running")
# Seconds between two looks at an import: at first, and at most.
_LOOK, _MOST = 0.05, 1.0
# How fast it went is said of so many commits.
_MANY = 1_000
# Refs that are named one by one; of more it is said how many.
_NAMED = 10
_STAGES = {
    "metadata": "Reading refs",
    "objects": "Checking objects",
    "landings": "Landing commits",
    "validation": "Comparing",
    "finalisation": "Finishing",
}


@click.group(cls=Suggesting)
def imports() -> None:
    """Bring a Git repository in, what another forge knows of it, or a project from its archive.

    When it makes the project, --visibility says who may see it.
    """


imports.add_command(archive)
imports.add_command(micelio)


@imports.command("git", short_help="Bring a Git repository in, with all its branches and tags.")
@click.argument("source", metavar="PATH|BUNDLE|URL")
@click.argument("project", metavar="[ORG/PROJECT]", required=False)
@click.option(
    "--visibility", type=click.Choice(["private", "public"]), default="private", show_default=True,
    help="Of the project, when the import makes it.",
)  # fmt: skip
@click.option(
    "--accept-secrets", metavar="REASON", default="",
    help="Let the history in though it holds what looks like secrets; for admins, and for secrets that were revoked.",
)  # fmt: skip
@click.option("--by-forge", is_flag=True, help="Have the forge fetch the URL, which has to be public.")
@json_option
def git(out: Output, source: str, project: str | None, visibility: str, accept_secrets: str, by_forge: bool) -> None:
    """Bring a Git repository in, with all its branches, tags and notes. The project is made when there is none.

    Each first-parent commit of the default branch becomes a landing with its author, date and message. Nothing is
    visible before all of it is there. An interrupted import goes on when it is run again; run later, it brings what is
    new.
    """
    if by_forge:
        _require_public(source)
    address, before = _checked(parse_address(project) if project else None, source)
    started = time.monotonic()
    if by_forge:
        with connect(address.instance, signed_in=True) as client:
            _prepare(client, address, visibility, out)
            request = pb.StartImportRequest(project=address.ref, url=source, accept_secrets=accept_secrets)
            run = client.call(client.projects.StartImport, request).run
            run = _finished(client, address, run, out)
        return _told(out, address, run, _Before(before, "its default branch", None), started)
    with ExitStack() as held:
        try:
            found = held.enter_context(opened(source, f"{address.instance} {address} {source}", out))
            refs = found.refs()
            # A connection of its own: to fetch may take longer than the token of the first one is good for.
            with connect(address.instance, signed_in=True) as client:
                tips = _tips(client, address)
            pack = found.pack(refs, tips)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("Nothing was sent; run the same command again to go on.") from None
        started = time.monotonic()
        with connect(address.instance, signed_in=True) as client:
            _prepare(client, address, visibility, out)
            run = _send(client, address, _request(address, source, refs, pack, accept_secrets), pack, out)
            run = _finished(client, address, run, out)
        found.done()
    fresh = [name for name, oid in sorted(refs.refs.items()) if oid not in tips and name != refs.head]
    _told(out, address, run, _Before(before, refs.branch, fresh), started)


@imports.command(short_help="How far an import is.")
@click.argument("project", metavar="ORG/PROJECT")
@json_option
def status(out: Output, project: str) -> None:
    """How far the newest import into a project is, or what became of it."""
    address = parse_address(project)
    with connect(address.instance, signed_in=True) as client:
        run = _look(client, address, "")
    out.line(f"{run.source}: {run.state}, begun {when(run.created_at_ms)}")
    if run.state in _OPEN:
        done, total = _counted(run)
        out.line(f"{_STAGES[run.stage]}: {done:,} of {total:,}" if total else _STAGES[run.stage])
    _notes(out, run)
    if run.error:
        out.line(f"{run.error} {run.hint}".strip())
    out.document(_document(address, run))


@imports.command(short_help="End an import that is at work.")
@click.argument("project", metavar="ORG/PROJECT")
@json_option
def cancel(out: Output, project: str) -> None:
    """End the import into a project that is at work; what it has brought so far is removed."""
    address = parse_address(project)
    with connect(address.instance, signed_in=True) as client:
        run = _look(client, address, "")
        if run.state not in _OPEN:
            raise InvalidInput(f"The import into {address} has ended: {run.state}.", hint="There is nothing to end.")
        run = client.call(client.projects.CancelImport, pb.GetImportRequest(project=address.ref, id=run.id)).run
    out.line(f"Ended the import of {run.source} into {address}.")
    out.document(_document(address, run))


# ---------------------------------------------------------------- before


class _Before(NamedTuple):
    """How it stood: the project's position, the name of the default branch, and refs that name what was not there.

    These are None where the forge fetches, which alone knows them.
    """

    position: int
    branch: str
    fresh: list[bytes] | None


def _checked(address: Address | None, source: str) -> tuple[Address, int]:
    """Where to import to, and its position. All that the forge can refuse is asked here, before a repository is
    fetched in vain."""
    with connect(address.instance if address else default_instance(), signed_in=True) as client:
        # That the token is good; a public project is shown without one.
        client.call(client.auth.GetCurrentUser, pb.GetCurrentUserRequest())
        address = address or _default_address(client, source)
        found = _project(client, address)
        if found is None:
            _require_maker(client, address)
        elif found.role not in WRITING:
            raise PermissionDenied(
                f"Only members of {address.organization} may import into {address}.",
                hint=f"An admin of {address.organization} can give you the role member."
                if found.role
                else f"Ask an admin of {address.organization} to invite you.",
            )
    return address, found.head_position if found is not None else 0


def _require_public(source: str) -> None:
    """What the forge would refuse, said before a project is made for it. Raises WrongCommandLine."""
    try:
        parts = urllib.parse.urlsplit(source)
    except ValueError:  # brackets that are no address of IPv6
        parts = urllib.parse.SplitResult("", "", "", "", "")
    if parts.scheme not in ("https", "http") or not parts.netloc:
        raise WrongCommandLine(
            "The forge fetches from https addresses.", hint="Without --by-forge any other source is brought."
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise WrongCommandLine(
            "The address holds a name, a password or a question, which the forge would keep.",
            hint="Without --by-forge your own git fetches.",
        )


def _require_maker(client: Client, address: Address) -> None:
    """Raises NotFound, PermissionDenied unless a project can be made there."""
    request = pb.GetOrganizationRequest(handle=address.organization)
    if client.call(client.organizations.GetOrganization, request).organization.role not in ADMINISTERING:
        raise PermissionDenied(
            f"There is no project {address}, and only admins of {address.organization} may make it.",
            hint=f"Ask one, or import into an organization of your own: `mic import git PATH ORG/{address.project}`.",
        )


def _default_address(client: Client, source: str) -> Address:
    name = label(source).rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git").lower()
    handle = re.sub(r"[^a-z0-9._-]+", "-", name).strip("-._")
    ours = [item.handle for item in all_organizations(client) if item.role in ADMINISTERING]
    if len(ours) != 1 or not handle:
        where = f" Yours are: {', '.join(ours)}." if ours else " `mic org create HANDLE` makes an organization."
        raise WrongCommandLine(
            "It is not clear which project to import into.",
            hint=f"Name it: `mic import git {label(source) if is_url(source) else source} ORG/PROJECT`.{where}",
        )
    return Address(default_instance(), ours[0], handle)


def _project(client: Client, address: Address) -> pb.Project | None:
    """The project, None when there is none."""
    try:
        found: pb.Project = client.call(client.projects.GetProject, pb.GetProjectRequest(project=address.ref)).project
    except NotFound:
        return None
    return found


def _prepare(client: Client, address: Address, visibility: str, out: Output) -> None:
    """Make the project when there is none."""
    if _project(client, address) is None:
        request = pb.CreateProjectRequest(
            organization=address.organization, handle=address.project, visibility=visibility
        )
        made = client.call(client.projects.CreateProject, request).project
        out.line(f"Made the {made.visibility} project {address}.")


def _tips(client: Client, address: Address) -> list[bytes]:
    """Git objects that the project has."""
    try:
        request = pb.GetImportTipsRequest(project=address.ref)
        oids = client.call(client.projects.GetImportTips, request, seconds=600).oids
    except NotFound:
        return []
    return [oids[at : at + 20] for at in range(0, len(oids), 20)]


def _request(address: Address, source: str, refs: Refs, pack: Pack, accept: str) -> pb.StartImportRequest:
    sent = pb.SentRepository(
        source=label(source), names=refs.refs, oids=b"".join(refs.refs.values()), head=refs.head,
        detached=refs.detached, pack=pack.name, size=pack.size,
    )  # fmt: skip
    return pb.StartImportRequest(project=address.ref, sent=sent, accept_secrets=accept)


# ---------------------------------------------------------------- sending and waiting


def _send(client: Client, address: Address, request: pb.StartImportRequest, pack: Pack, out: Output) -> pb.GitImport:
    """Begin the import, or go on with it, and send what the forge has not got."""
    run: pb.GitImport = client.call(client.projects.StartImport, request, seconds=600).run
    try:
        with Progress(out, "Sending", max(pack.size >> 10, 1)) as bar:
            while run.state == "receiving":
                bar.at(run.received >> 10)
                messages = _messages(address, run, pack)
                run = client.call(client.projects.SendImport, messages, seconds=3600).run
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"The project {address} is there, without the import; run the same command again to go on."
        ) from None
    return run


def _messages(address: Address, run: pb.GitImport, pack: Pack) -> Iterator[pb.SendImportRequest]:
    yield pb.SendImportRequest(project=address.ref, id=run.id, offset=run.received)
    with open(pack.path, "rb") as file:
        file.seek(run.received)
        left = _CALL
        while left > 0 and (data := file.read(_PIECE)):
            yield pb.SendImportRequest(data=data)
            left -= len(data)


def _look(client: Client, address: Address, run_id: str) -> pb.GitImport:
    request = pb.GetImportRequest(project=address.ref, id=run_id)
    found: pb.GitImport = client.call(client.projects.GetImport, request).run
    return found


def _finished(client: Client, address: Address, run: pb.GitImport, out: Output) -> pb.GitImport:
    """The import when it has ended. Raises what it failed with."""
    pause = _LOOK
    try:
        while run.state in _OPEN:
            stage = run.stage
            with Progress(out, _STAGES[stage], _counted(run)[1] or 1) as bar:
                while run.state in _OPEN and run.stage == stage:
                    bar.at(_counted(run)[0])
                    time.sleep(pause)
                    pause = min(pause * 1.2, _MOST)
                    run = _look(client, address, run.id)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"The forge goes on with the import: `mic import status {address}`, `mic import cancel {address}`."
        ) from None
    if run.state == "failed":
        raise _failure(run)
    if run.state == "canceled":
        raise InvalidInput("The import was ended; nothing of it is visible.", hint="Run it again to begin anew.")
    return run


def _failure(run: pb.GitImport) -> MicError:
    from mic.rpc.status import error_of

    error = error_of(run.error_code, run.error, run.hint)
    if not isinstance(error, SecretFound) or not run.document:
        return error
    return history_error(SecretFound(run.error, hint=run.hint, document=json.loads(run.document)))


def _counted(run: pb.GitImport) -> tuple[int, int]:
    """How much of the stage is done, and of how much."""
    if run.state == "receiving":
        return run.received, run.size
    if run.stage == "objects":
        return run.objects_done, run.objects_total
    return (run.landings_done, run.landings_total) if run.stage == "landings" else (0, 0)


def _told(out: Output, address: Address, run: pb.GitImport, before: _Before, started: float) -> None:
    seconds = max(time.monotonic() - started, 0.001)
    speed = plural(int(run.landings_total / seconds), "commit")
    rate = f" in {seconds:.1f} s ({speed}/s)" if run.landings_total >= _MANY else ""
    commits = f"Imported {plural(run.landings_total, 'commit')} of {before.branch} into {address}{rate}"
    if not before.position:
        out.line(f"{commits}: it is at @{run.position}.")
    elif run.position != before.position:
        out.line(f"{commits}: main moved from @{before.position} to @{run.position}.")
    elif before.fresh:
        out.line(f"No new commit of {before.branch}: main of {address} stays at @{run.position}.")
    else:
        out.line(f"Nothing new: {address} is at @{run.position}.")
    if before.fresh is not None and before.branch not in ("main", "detached") and run.position != before.position:
        out.line(f"The branch {before.branch} is main here.")
    if before.position and before.fresh:
        more = len(before.fresh) - _NAMED
        named = ", ".join(display(_short(name)) for name in before.fresh[:_NAMED])
        out.line(f"New or moved: {named}" + (f", and {more:,} more." if more > 0 else "."))
    _notes(out, run)
    out.line(f"Next: mic clone {address}")
    moved = {
        "from_position": before.position,
        "fresh": None if before.fresh is None else [name.decode("utf-8", "replace") for name in before.fresh],
    }
    out.document({**_document(address, run), "instance": address.instance, "branch": before.branch, **moved})


def _short(name: bytes) -> bytes:
    return name.removeprefix(b"refs/heads/").removeprefix(b"refs/tags/")


def _notes(out: Output, run: pb.GitImport) -> None:
    for old, new in sorted(run.aside.items()):
        out.line(f"{old} is kept as {new}.")
    if run.marked:
        words = ", ".join(f"{count:,} {msg_id}" for msg_id, count in sorted(run.marked.items()))
        out.line(f"Kept although git's fsck calls it an error: {words}.")


def _document(address: Address, run: pb.GitImport) -> dict[str, Any]:
    return {
        "project": str(address),
        "import": run.id,
        "source": run.source,
        "state": run.state,
        "stage": run.stage,
        "refs": run.refs,
        "objects": run.objects_total,
        "commits": run.landings_total,
        "position": run.position,
        "aside": dict(run.aside),
        "marked": {name: int(count) for name, count in run.marked.items()},
        **({"error": run.error} if run.error else {}),
    }
