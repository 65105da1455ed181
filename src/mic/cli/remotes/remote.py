"""`mic remote`, `mic fetch`, `mic push`: the project's history at other places."""

from __future__ import annotations

from typing import Any

import click

from mic.cli.context.open_session import address_of
from mic.cli.forge.connection import MAIN
from mic.cli.remotes.configured import S3, Remote, find, origin_of, remotes
from mic.cli.remotes.configured import add as add_remote
from mic.cli.remotes.configured import remove as remove_remote
from mic.cli.remotes.configured import rename as rename_remote
from mic.cli.remotes.configured import set_url as set_remote_url
from mic.cli.remotes.git import HEADS, Mirror, Moved
from mic.cli.remotes.s3 import fetch_bucket, open_bucket, push_bucket
from mic.cli.remotes.sealed import make_key
from mic.cli.remotes.words import fetch_words, words_to_push
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, plural
from mic.core.errors import InvalidInput, MicError
from mic.workspace.workspace import Workspace

_WORDS = {"new": "new", "moved": "moved", "forced": "replaced", "gone": "gone"}
_SHORT = 10


@click.group(cls=Suggesting)
def remote() -> None:
    """Other places of the project's history: Git servers, other Micelio projects, buckets.

    `origin` is the project that this workspace is a copy of; you land there. `mic push` and `mic fetch` carry the
    history to and from the others, as Git has it.
    """


@remote.command("list", short_help="The remotes of this workspace.")
@json_option
def list_(out: Output) -> None:
    """The remotes of this workspace, and those of all of yours; `origin` is its project."""
    ws = Workspace.find()
    found = [origin_of(ws), *remotes(ws)]
    width = max(len(each.name) for each in found)
    for each in found:
        where = "  (all workspaces)" if each.everywhere else ""
        out.line(f"{out.paint(f'{each.name:<{width}}', 'cyan')}  {each.kind:<7}  {each.url}{where}")
    out.document({"remotes": [_fields(each) for each in found]})


_everywhere = click.option("--global", "everywhere", is_flag=True, help="For all of your workspaces.")


@remote.command(short_help="Add a remote.")
@click.argument("name")
@click.argument("url")
@_everywhere
@click.option(
    "--key-file", metavar="FILE", default="", help="Encrypt a bucket with the key in FILE, made if it is absent."
)
@click.option("--key-env", metavar="VARIABLE", default="", help="Encrypt a bucket with the key in this variable.")
@json_option
def add(out: Output, name: str, url: str, everywhere: bool, key_file: str, key_env: str) -> None:
    """Add a remote: the URL of a Git server, ORG/PROJECT at this forge, the path of a repository, s3://bucket/prefix.

    Nobody is asked yet: `mic fetch NAME` and `mic push NAME` show whether it is there. Nobody reads an encrypted bucket
    without its key: keep a copy of that.
    """
    if key_file and key_env:
        raise click.UsageError("Give one of --key-file and --key-env.")
    ws = Workspace.find()
    with ws.lock():
        made = add_remote(ws, name, url, everywhere=everywhere, key_file=key_file, key_env=key_env)
        _forget(ws, name)
    out.line(f"Added {made.name}: {made.url}")
    if made.key_file and make_key(made.key_file):
        out.line(f"Its key is in {made.key_file}. Without that file nobody reads the bucket again: keep a copy of it.")
    out.document({"remote": _fields(made)})


@remote.command(short_help="Remove a remote.")
@click.argument("name")
@json_option
def remove(out: Output, name: str) -> None:
    """Remove a remote, and what was seen of it here. Nothing changes there."""
    ws = Workspace.find()
    with ws.lock():
        found = remove_remote(ws, name)
        _forget(ws, name)
    out.line(f"Removed {found.name}.")
    out.document({"remote": _fields(found), "removed": True})


@remote.command(short_help="Give a remote another name.")
@click.argument("name")
@click.argument("new")
@json_option
def rename(out: Output, name: str, new: str) -> None:
    """Give a remote another name."""
    ws = Workspace.find()
    with ws.lock():
        found = rename_remote(ws, name, new)
        if Mirror.is_there(ws):
            Mirror(ws).rename(name, new)
    out.line(f"{name} is {found.name} now.")
    out.document({"remote": _fields(found)})


@remote.command("set-url", short_help="Give a remote another address.")
@click.argument("name")
@click.argument("url")
@json_option
def set_url(out: Output, name: str, url: str) -> None:
    """Give a remote another address."""
    ws = Workspace.find()
    with ws.lock():
        found = set_remote_url(ws, name, url)
    out.line(f"{found.name}: {found.url}")
    out.document({"remote": _fields(found)})


@remote.command(short_help="A remote, and its branches as they were seen last.")
@click.argument("name")
@json_option
def show(out: Output, name: str) -> None:
    """A remote, and its branches as NAME/BRANCH, as `mic fetch` or `mic push` saw them last. Nobody is asked."""
    ws = Workspace.find()
    found, mirror = find(ws, name), Mirror(ws)
    below = f"refs/remotes/{name}/" if name != origin_of(ws).name else HEADS
    seen = mirror.refs(below)
    sealed = "  (encrypted)" if found.key_file or found.key_env else ""
    out.line(f"{out.paint(found.name, 'bold')}  {found.kind}  {found.url}{sealed}")
    for what, specs in (("push", found.push), ("fetch", found.fetch)):
        for spec in specs:
            out.line(f"{what}: {spec}")
    branches = []
    for ref, oid in seen.items():
        branch = ref.removeprefix(below)
        own = mirror.commit(HEADS + branch)
        ahead, behind = mirror.compared(oid, own) if own else (None, None)
        out.line(f"  {name}/{branch}  {oid[:_SHORT]}  {mirror.subject(oid)[:60]}{_distance(ahead, behind)}")
        branches.append({"name": f"{name}/{branch}", "commit": oid, "ahead": ahead, "behind": behind})
    if not seen:
        out.line(f"Nothing of it was seen yet: `mic fetch {name}`.")
    out.document({"remote": _fields(found), "branches": branches})


def _distance(ahead: int | None, behind: int | None) -> str:
    """How a remote's branch stands to that of the project, as the project was seen here last."""
    if ahead is None or behind is None or not (ahead or behind):
        return ""
    words = [f"{plural(count, 'commit')} {what}" for count, what in ((ahead, "ahead"), (behind, "behind")) if count]
    return f"  ({', '.join(words)})"


@click.command(short_help="Learn what is at a remote")
@click.argument("name", metavar="[REMOTE]", required=False, default="")
@click.option("--all", "every", is_flag=True, help="All remotes, one after the other.")
@json_option
def fetch(out: Output, name: str, every: bool) -> int:
    """Bring a remote's branches here, to be shown as REMOTE/BRANCH by `mic remote show`. Your files stay as they are.

    What landed in the project itself comes with `mic sync`.
    """
    if bool(name) == every:
        raise WrongCommandLine("Say which remote, or --all.", hint="`mic remote list` lists them.")
    ws = Workspace.find()
    wanted = [each for each in remotes(ws)] if every else [find(ws, name)]
    if not wanted:
        out.line("There is no remote beside origin: `mic remote add` adds one.")
    failed: MicError | None = None
    told = []
    # Without the workspace's lock: nothing of it changes, git guards its refs, and it may take minutes.
    mirror = Mirror(ws)
    for each in wanted:
        try:
            told.append(_fetch(out, mirror, each, ws))
        except MicError as error:
            if not every:
                raise
            # The others are fetched all the same; the first failure is what the command ends with.
            out.note(f"{each.name}: {error.message}")
            failed = failed or error
    if failed is not None:
        raise failed
    out.document({"remotes": told})
    return 0


def _fetch(out: Output, mirror: Mirror, remote: Remote, ws: Workspace) -> dict[str, Any]:
    if remote == origin_of(ws):
        before = mirror.refs(HEADS)
        mirror.refresh()
        below, moved = HEADS, mirror.moved(before, mirror.refs(HEADS))
    else:
        below = f"refs/remotes/{remote.name}/"
        bucket = remote.kind == S3
        moved = fetch_bucket(mirror, remote, open_bucket(remote)) if bucket else mirror.fetch(remote)
        fetch_words(mirror, remote, moved, out)
    for each in moved:
        shown = each._replace(ref=f"{remote.name}/{each.ref.removeprefix(below)}")
        out.line(_line(out, shown))
    if not moved:
        out.line(f"Nothing new at {remote.name}.")
    return {"remote": remote.name, "refs": [_moved_fields(each) for each in moved]}


@click.command(short_help="Send the project's history to a remote")
@click.argument("name", metavar="REMOTE")
@click.argument("refspecs", metavar="[REFSPEC]...", nargs=-1)
@click.option("--commits-only", "bare", is_flag=True, help="To another Micelio without what sessions said.")
@json_option
def push(out: Output, name: str, refspecs: tuple[str, ...], bare: bool) -> None:
    """Send what landed in the project to a remote, as the commits that every Git client gets of it.

    Without REFSPEC, the branch that this working copy follows, or what `push` says in the settings of the remote.
    REFSPEC is BRANCH, BRANCH:OTHER, 'refs/tags/*:refs/tags/*', or :BRANCH to delete it there; + before it replaces what
    is not behind. What has not landed is not sent: `mic session push` saves that.

    To another Micelio the goals, decisions and conversations of the landings go along, and who wrote which lines.
    """
    ws = Workspace.find()
    found = find(ws, name)
    if found == origin_of(ws):
        raise InvalidInput("origin is the project itself.", hint="`mic land` lands there, `mic session push` saves.")
    mirror = Mirror(ws)
    mirror.refresh()
    if not mirror.refs(HEADS):
        raise InvalidInput("Nothing has landed in the project yet.", hint="`mic land` first.")
    specs = mirror.specs(refspecs or found.push or [ws.config.branch or MAIN])
    bucket = open_bucket(found) if found.kind == S3 else None
    if bucket is not None:
        moved = push_bucket(mirror, found, bucket, specs)
    else:
        notes = [] if bare else words_to_push(mirror, found, address_of(ws), specs, out)
        moved = mirror.push(found, specs, notes)
    for each in moved:
        out.line(_line(out, each._replace(ref=each.ref.removeprefix(HEADS))))
    out.line(f"Pushed to {found.name}: {plural(len(moved), 'ref')}." if moved else f"{found.name} has it all already.")
    out.document({"remote": _fields(found), "refs": [_moved_fields(each) for each in moved]})


def _forget(ws: Workspace, name: str) -> None:
    if Mirror.is_there(ws):
        Mirror(ws).forget(name)


def _line(out: Output, each: Moved) -> str:
    old, new = each.old[:_SHORT], each.new[:_SHORT]
    where = f"{old}..{new}" if old and new else new or old
    return f"{_WORDS[each.how]:<8}  {out.paint(each.ref, 'cyan')}  {where}".rstrip()


def _moved_fields(each: Moved) -> dict[str, Any]:
    return {"ref": each.ref, "old": each.old or None, "new": each.new or None, "how": each.how}


def _fields(each: Remote) -> dict[str, Any]:
    return {
        "name": each.name,
        "url": each.url,
        "kind": each.kind,
        "push": list(each.push),
        "fetch": list(each.fetch),
        "global": each.everywhere,
        "encrypted": bool(each.key_file or each.key_env),
    }
