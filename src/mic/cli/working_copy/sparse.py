"""`mic sparse`: which folders of its project a working copy has."""

from __future__ import annotations

import os
from stat import S_ISDIR

import click

from mic.cli.context.open_session import address_of
from mic.cli.landing.settled import settled
from mic.cli.landing.unresolved import require_resolved
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, path_fields, plural
from mic.cli.transfer.parts import part_fields, part_of, require_folders, words_of
from mic.cli.working_copy.clone import tree_entries
from mic.cli.working_copy.sync_apply import carry_out
from mic.cli.working_copy.sync_plan import Decisions, Planner, lstat
from mic.core.errors import Conflicted, Corrupt, NotFound
from mic.core.paths import display
from mic.workspace.kept import Kept
from mic.workspace.operations import record
from mic.workspace.part import WHOLE, Part
from mic.workspace.place import exists
from mic.workspace.status import status as working_status
from mic.workspace.sync_journal import REMOVE, WRITE, Journal, begin
from mic.workspace.workspace import Workspace

_MOST_NAMED = 10


@click.group(cls=Suggesting)
def sparse() -> None:
    """Which folders of the project are here; the files in the folders above them are, too.

    Folders are given from the top of the project, wherever you are: `src/lib`; / is the top alone. What is not here
    can still be read with `mic ls`, `mic cat`, `mic log` and `mic blame`, and lands untouched.
    """


@sparse.command("list", short_help="The folders that are here.")
@json_option
def list_(out: Output) -> None:
    """The folders of the project that are here."""
    part = Workspace.find().part()
    if part == WHOLE:
        out.line("Everything is here.")
    elif not part.folders:
        out.line("Only the files at the top are here.")
    for folder in part.folders or ():
        out.line(display(folder))
    out.document({"sparse": part_fields(part)})


@sparse.command("set", short_help="Have these folders here, and no others.")
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True)
@json_option
def set_(out: Output, folders: tuple[str, ...]) -> None:
    """Have these folders here, and no others. Nothing that you changed goes: then the command changes nothing."""
    _change(out, "set", Part(()), part_of(folders) or WHOLE)


@sparse.command("add", short_help="Bring folders here.")
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True)
@json_option
def add(out: Output, folders: tuple[str, ...]) -> None:
    """Bring folders here, beside those that are."""
    named = part_of(folders)
    here = Workspace.find().part()
    if here.folders is None or named is None or named.folders is None:
        _change(out, "add", here, WHOLE)
    else:
        _change(out, "add", here, Part.of((*here.folders, *named.folders)))


@sparse.command("remove", short_help="Take folders away from here.")
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True)
@json_option
def remove(out: Output, folders: tuple[str, ...]) -> None:
    """Take folders away from here, which stay in the project. They are folders that `mic sparse list` shows."""
    named = part_of(folders)
    here = Workspace.find().part()
    known = set(here.folders or ())
    wanted = set((named.folders if named is not None else None) or ())
    if here == WHOLE:
        raise WrongCommandLine("Everything is here.", hint="`mic sparse set FOLDER...` says what stays.")
    if not wanted or wanted - known:
        shown = display(min(wanted - known)) if wanted - known else "/"
        raise NotFound(f"{shown} is none of the folders that are here.", hint="`mic sparse list` shows them.")
    _change(out, "remove", here, Part.of(known - wanted) if known - wanted else Part(()))


@sparse.command("all", short_help="Bring everything here.")
@json_option
def all_(out: Output) -> None:
    """Bring everything here; the working copy is one like any other then."""
    _change(out, "all", WHOLE, WHOLE)


def _stands(root: bytes, path: bytes) -> bytes:
    """What is in the way at a path: a file of that name, or one where a folder above it should be."""
    end = path.find(b"/")
    while end >= 0:
        stat = lstat(root + b"/" + path[:end])
        if stat is not None and not S_ISDIR(stat.st_mode):
            return path[:end]
        end = path.find(b"/", end + 1)
    return path


def _change(out: Output, verb: str, known: Part, wanted: Part) -> None:
    """Bring the files here to those of a part, on the position where they stand. `known` folders were named before."""
    ws = Workspace.find()
    with settled(ws, out, signed_in=False) as client:
        require_resolved(ws)
        mine = [change.path for change in working_status(ws).changes]
        outside = [path for path in mine if not wanted.holds(path)]
        if outside:
            raise _refused(outside, "You changed what would go", "Land or push your changes first, or put them back.")
        position, tree, project = ws.config.position, ws.config.tree, address_of(ws).ref
        root = os.fsencode(ws.root)
        fresh = [folder for folder in wanted.folders or () if folder not in (known.folders or ())]
        # One that is new here is in no landing yet.
        require_folders(client, project, position, [each for each in fresh if not exists(root + b"/" + each)])
        target = {entry.path: entry for entry in tree_entries(client, project, position, tree, wanted)}
        before = {entry.path: entry for entry in ws.index().entries()}
        plan = Planner(ws, before, target, Decisions(frozenset(), frozenset())).make(
            client, project, (position, position)
        )
        met = plan.met()
        if met:
            met = sorted({_stands(root, path) for path in met})
            raise _refused(met, "Your files are in the way", "Move them away, or land them first.")
        if plan.steps or not _is(ws, wanted):
            record(ws, f"mic sparse {verb}", files=True)
            # First: stopped behind it, the next sync goes by it.
            ws.set_part(wanted)
            steps = [plan.steps[path] for path in sorted(plan.steps)]
            kept, line = [Kept.fresh(ws, "sparse").name], ws.config.branch
            journal = Journal(position, tree, position, tree, steps, kept, line, line)
            carry_out(client, ws, project, begin(ws, journal, target), plan.contents, out)
    acts = [step.act for step in plan.steps.values()]
    came, went = acts.count(WRITE), acts.count(REMOVE)
    here = "Everything is here" if wanted == WHOLE else f"Here are {plural(len(target), 'file')}{words_of(wanted)}"
    out.line(f"{here}: {plural(came, 'file')} came, {plural(went, 'file')} went.")
    out.document({"sparse": part_fields(wanted), "files": len(target), "came": came, "went": went})


def _is(ws: Workspace, wanted: Part) -> bool:
    try:
        return ws.part() == wanted
    except Corrupt:
        return False


def _refused(paths: list[bytes], what: str, hint: str) -> Conflicted:
    named = "".join(f"\n  {display(path)}" for path in paths[:_MOST_NAMED])
    more = f"\n  and {len(paths) - _MOST_NAMED:,} more" if len(paths) > _MOST_NAMED else ""
    return Conflicted(
        f"{what}:{named}{more}", hint=f"Nothing was touched. {hint}", document={"paths": list(map(path_fields, paths))}
    )
