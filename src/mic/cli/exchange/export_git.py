"""`mic export git` and `mic export bundle`: a project as a Git repository or one file, checked before it is there."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

import click

from mic.cli.context.place import Place, project_option
from mic.cli.exchange import exported
from mic.cli.exchange.export_traces import write_traces
from mic.cli.exchange.import_archive import export_issues
from mic.cli.forge.connection import Address, connect
from mic.cli.forge.git_credential import mic_command
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.output import Output, plural
from mic.cli.transfer.beside import beside
from mic.core.errors import AlreadyExists, Corrupt, InvalidInput, NotFound, Unavailable
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

_PAGE = 1000
NOTES = "refs/notes/ai"
# What git says of a ref that is not there.
_ABSENT = b"couldn't find remote ref"
# A project that is landed on while it is fetched is looked at again.
_TRIES = 5
# What `git fsck` says of an object that came that way; anything else means that the copy is not whole.
_OF_OBJECTS = ("error in ", "warning in ", "notice: ", "Checking ")
_PARTS = ("repository.git", "bundle", "again.git", "traces.jsonl")
_FSCK_OBJECTS = 1  # of its exit code: objects that it calls wrong


class _Exported(NamedTuple):
    """What came: refs and their ids, how many landings were looked up, what fsck says of objects, how many traces."""

    refs: dict[str, str]
    landings: int
    remarks: list[str]
    traces: int


@click.group(cls=Suggesting)
def exports() -> None:
    """Take a project away, as Git or whole, or what the forge holds about you.

    What comes out is checked before it is put in its place.
    """


def _refs_option(command: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--refs", "patterns", multiple=True, metavar="PATTERN",
        help="Only refs like this, such as 'refs/heads/*'; may be given more than once. All, when there is none.",
    )(command)  # fmt: skip


def _authorship_options(command: click.decorators.FC) -> click.decorators.FC:
    notes = click.option(
        "--notes/--no-notes", default=None,
        help="Who wrote which lines, as notes that git-ai reads (refs/notes/ai). Comes along unless --refs chooses.",
    )  # fmt: skip
    traces = click.option(
        "--traces", metavar="FILE", help="Write the same as Agent Trace records to FILE too, one a line."
    )
    return notes(traces(command))


for command in (exported.archive, exported.lines, exported.user, exported.listed, exported.cancel, export_issues):
    exports.add_command(command)


def _asked(arguments: tuple[str, ...], project: str | None, target: str) -> tuple[str | None, str]:
    """The project, None for that of this directory, and where to: as with the other exports, or with --project."""
    if len(arguments) == 2 and project is None:
        return arguments[0], arguments[1]
    if len(arguments) != 1:
        raise click.UsageError(f"Say `[ORG/PROJECT] {target}`.")
    return project, arguments[0]


@exports.command("git", short_help="Into a folder, as a bare repository.")
@click.argument("arguments", metavar="[ORG/PROJECT] DIR", nargs=-1)
@project_option
@_refs_option
@_authorship_options
@json_option
def git(
    out: Output, arguments: tuple[str, ...], project: str | None, patterns: tuple[str, ...], notes: bool | None,
    traces: str | None,
) -> None:  # fmt: skip
    """Write a bare Git repository with all branches, tags and notes into DIR, which must be new or empty.

    It is checked with `git fsck --strict`, its refs are compared with those of the forge, and each landing that came
    from Git is looked up by its id. `git log --notes=ai` and git-ai show who wrote what.
    """
    project, folder = _asked(arguments, project, "DIR")
    if os.path.lexists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        raise AlreadyExists(f"{folder} is there already and is no empty folder.", hint="Name a new one.")
    _new(traces)
    place = Place(project)
    with beside(folder, _PARTS) as work:
        target = os.path.join(work, "repository.git")
        exported = _export(place.address, target, patterns, notes, traces, out)
        if os.path.isdir(folder):
            os.rmdir(folder)
        os.rename(target, folder)
        if traces:
            shutil.move(_traces_beside(target), traces)
    _say(out, place.address, folder, exported)
    out.line(f"Next: git clone {folder}")


@exports.command("bundle", short_help="Into one file, as a Git bundle.")
@click.argument("arguments", metavar="[ORG/PROJECT] FILE", nargs=-1)
@project_option
@_refs_option
@_authorship_options
@json_option
def bundle(
    out: Output, arguments: tuple[str, ...], project: str | None, patterns: tuple[str, ...], notes: bool | None,
    traces: str | None,
) -> None:  # fmt: skip
    """Write a Git bundle with all branches, tags and notes to FILE, which must not be there yet.

    It is unpacked again, and what comes out is checked as `mic export git` checks a folder.
    """
    project, file = _asked(arguments, project, "FILE")
    _new(file)
    _new(traces)
    place = Place(project)
    with beside(file, _PARTS) as work:
        source, packed, again = (os.path.join(work, name) for name in _PARTS[:3])
        exported = _export(place.address, source, patterns, notes, traces, out)
        if not exported.refs:
            raise InvalidInput(f"{place.address} has no commit, and Git makes no empty bundle.", hint="Land something.")
        _git("-C", source, "bundle", "create", "--quiet", packed, "--all")
        _git("clone", "--quiet", "--mirror", packed, again)
        _checked(again)
        if _refs(again) != exported.refs:
            raise Corrupt("The bundle does not have the refs of the project.", hint="Export again.")
        os.rename(packed, file)
        if traces:
            shutil.move(_traces_beside(source), traces)
    _say(out, place.address, file, exported)
    out.line(f"Next: git clone {file} FOLDER")


def _say(out: Output, address: Address, where: str, exported: _Exported) -> None:
    for remark in exported.remarks[:20]:
        out.note(remark)
    if len(exported.remarks) > 20:
        out.note(f"... and {len(exported.remarks) - 20:,} more.")
    out.line(
        f"Exported {address} to {where}: {plural(len(exported.refs), 'ref')}, {plural(exported.landings, 'landing')}, "
        "checked with git fsck --strict."
    )
    out.document(
        {
            "project": str(address),
            "instance": address.instance,
            "path": where,
            "refs": exported.refs,
            "landings": exported.landings,
            "fsck": exported.remarks,
            "traces": exported.traces,
        }
    )


def _new(file: str | None) -> None:
    if file and os.path.lexists(file):
        raise AlreadyExists(f"{file} is there already.", hint="Name a new file.")


def _export(
    address: Address, target: str, patterns: tuple[str, ...], notes: bool | None, traces: str | None, out: Output
) -> _Exported:
    """Fetch a project into a new bare repository, and check it."""
    with connect(address.instance) as client:
        head = client.call(client.projects.GetProject, pb.GetProjectRequest(project=address.ref)).project.head_position
        url = f"{address.instance.rstrip('/')}/{address.organization}/{address.project}.git"
        _git("init", "--quiet", "--bare", "--object-format=sha1", "--initial-branch=main", target)
        wanted = [pattern for pattern in patterns or ("refs/*",) if pattern != NOTES]
        out.note(f"Fetching {address} ...")
        if wanted:
            _fetch_refs(target, url, address, wanted)
        if NOTES in patterns or traces or (notes if notes is not None else not patterns):
            _fetch_notes(target, url)
        refs = _refs(target)
        out.note("Checking ...")
        remarks = _checked(target)
        main = refs.get("refs/heads/main")
        landings = _landings(client, address, target, head) if main else 0
        page = url.removesuffix(".git")
        count = write_traces(target, _traces_beside(target), page, _environment()) if traces else 0
        if traces and notes is False:
            _git("-C", target, "update-ref", "-d", NOTES)
            refs.pop(NOTES, None)
        return _Exported(refs, landings, remarks, count)


def _traces_beside(target: str) -> str:
    return os.path.join(os.path.dirname(target), "traces.jsonl")


def _fetch_refs(target: str, url: str, address: Address, patterns: Sequence[str]) -> None:
    """Fetch the refs of these patterns, all as they are at one moment."""
    wanted = [_spec(pattern) for pattern in patterns]
    asked = [] if list(patterns) == ["refs/*"] else patterns
    for _ in range(_TRIES):
        _git("-C", target, *_credentials(), "fetch", "--quiet", "--prune", "--no-tags", url, *wanted)
        said = _git("-C", target, *_credentials(), "ls-remote", "--refs", url, *asked).splitlines()
        if {name: oid for oid, _, name in (line.partition("\t") for line in said)} == _refs(target):
            return
    raise Unavailable(f"{address} changes faster than it can be exported.", hint="Try again.")


def _fetch_notes(target: str, url: str) -> None:
    """Who wrote what is in no list of refs: it comes when it is named."""
    fetch = ("-C", target, *_credentials(), "fetch", "--quiet", "--no-tags", url, f"+{NOTES}:{NOTES}")
    done = _run(*fetch)
    if done.returncode and _ABSENT not in done.stderr:
        _git(*fetch)


def _spec(pattern: str) -> str:
    if not pattern.startswith("refs/") or pattern.count("*") > 1 or any(sign in pattern for sign in " :^~?[\\"):
        raise InvalidInput(f"{pattern!r} is no pattern of refs.", hint="Use one like 'refs/heads/*' or 'refs/tags/v1'.")
    return f"+{pattern}:{pattern}"


def _credentials() -> tuple[str, ...]:
    """git asks mic, and no other helper learns the token."""
    return "-c", "credential.helper=", "-c", f"credential.helper=!{shlex.quote(mic_command())} auth git-credential"


def _refs(repository: str) -> dict[str, str]:
    said = _git("-C", repository, "for-each-ref", "--format=%(objectname)%09%(refname)").splitlines()
    return {name: oid for oid, _, name in (line.partition("\t") for line in said)}


def _checked(repository: str) -> list[str]:
    """What git's fsck says of objects. Raises Corrupt when the copy is not whole."""
    done = _run("-C", repository, "fsck", "--full", "--strict", "--no-dangling", "--no-progress")
    lines = [line for line in (done.stdout + done.stderr).decode("utf-8", "replace").splitlines() if line]
    wrong = [line for line in lines if not line.startswith(_OF_OBJECTS)]
    if wrong or done.returncode & ~_FSCK_OBJECTS:
        said = wrong[0] if wrong else f"exit code {done.returncode}"
        raise Corrupt(f"What was fetched is not whole: {said}.", hint="Export again; tell whoever runs the forge.")
    return lines


def _landings(client: Client, address: Address, repository: str, head: int) -> int:
    """Look the commit of every landing up that came from Git; how many landings there are. Raises Corrupt."""
    environment = _environment()
    command = ["git", "-C", repository, "cat-file", "--batch-check", "--buffer"]
    count, token = 0, ""
    while head:
        request = pb.ListLandingsRequest(project=address.ref, page_size=_PAGE, page_token=token)
        answer = client.call(client.sessions.ListLandings, request)
        named = [item.git_commit.hex() for item in answer.landings if item.git_commit]
        asked = "".join(f"{oid}\n" for oid in named).encode()
        done = subprocess.run(command, input=asked, env=environment, capture_output=True, check=False)
        said = done.stdout.decode("ascii", "replace").splitlines()
        for oid, line in zip(named, said, strict=True):
            if not line.startswith(f"{oid} commit "):
                raise Corrupt(f"The commit {oid} of a landing did not come.", hint="Tell whoever runs the forge.")
        count += len(answer.landings)
        token = answer.next_page_token
        if not token:
            break
    return count


def _environment() -> dict[str, str]:
    """Without GIT_*, which could run commands, or name other repositories or another hash."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:http:file", "LC_ALL": "C"}


def _run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", *arguments], env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise NotFound("There is no `git` on this machine.", hint="Install it.") from error


def _git(*arguments: str) -> str:
    """What git prints. Raises Unavailable with the line that it fails with."""
    done = _run(*arguments)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = next((line for line in said if line.startswith("fatal: ")), said[-1] if said else "")
        why = why.removeprefix("fatal: ").rstrip(".") or f"exit code {done.returncode}"
        raise Unavailable(f"git could not export the project: {why}.", hint="Mend that, and run it again.")
    return done.stdout.decode("utf-8", "surrogateescape")
