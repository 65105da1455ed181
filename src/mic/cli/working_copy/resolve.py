"""`mic resolve`: what clashes here, with what the other side meant, and settling it place by place."""

from __future__ import annotations

import os
import signal
import sys
from hashlib import sha256
from typing import Any, NamedTuple, cast

import click
from msgspec.structs import replace

from mic.cli.context.open_session import require_complete
from mic.cli.landing.conflict_story import no_links, record_fields, story_lines
from mic.cli.landing.settled import settled
from mic.cli.landing.unresolved import Unresolved, refuse_half_undone
from mic.cli.terminal.app import json_option
from mic.cli.terminal.editor import run_editor
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, path_fields, plural
from mic.cli.working_copy.place_text import as_text, plain_endings
from mic.cli.working_copy.sync import take_in
from mic.cli.working_copy.sync_plan import REASONS, Decisions
from mic.core.errors import InvalidInput, MicError, NotFound
from mic.core.marked import CHOICES, Choice, Place, chosen, places, settle
from mic.core.merge3 import has_mergeable_lines, merge3_with_markers
from mic.core.paths import display
from mic.core.tree import BLOB, Entry
from mic.workspace import session as local
from mic.workspace.checkout import Checkout
from mic.workspace.columns import git_mode
from mic.workspace.conflict_records import Record, find, keep, sides
from mic.workspace.conflicts import HELD, MARKED, Conflict, labels, open_conflicts, write_conflicts
from mic.workspace.operations import record as write_down
from mic.workspace.paths import tree_path
from mic.workspace.resolutions import forget_all, remember
from mic.workspace.sync_journal import under_way
from mic.workspace.workspace import Workspace

# How places are chosen without a terminal.
_CHOICE = ": `mic resolve PATH --hunk N=ours|theirs|both|base`"
_STRATEGIES = ("ours", "theirs", "union", "interactive")


class Open(NamedTuple):
    """A conflict that is open: `data` is the file with its marked places, b"" where none are marked.

    `now` is the file as it stands, which is `data` unless its clashes are held apart.
    """

    conflict: Conflict
    record: Record | None
    data: bytes
    places: list[Place]
    now: bytes = b""

    @property
    def by_lines(self) -> bool:
        """Whether it is settled place by place."""
        return bool(self.data) or self.conflict.kind == MARKED

    @property
    def path(self) -> bytes:
        """Where."""
        return self.conflict.path

    @property
    def labels(self) -> tuple[bytes, bytes, bytes]:
        """What stands behind its markers."""
        return labels(self.conflict.base, self.conflict.theirs)


@click.command(short_help="Settle what clashes, place by place")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "--strategy", type=click.Choice(_STRATEGIES), help="One side for all places; union takes ours, then theirs."
)
@click.option(
    "--hunk", "hunks", multiple=True, metavar="N=SIDE", help="One place of a file: ours, theirs, both or base."
)
@click.option("--editor", is_flag=True, help="Open the marked files in $VISUAL or $EDITOR.")
@click.option("--forget", is_flag=True, help="Forget how clashes were settled here before.")
@json_option
def resolve(
    out: Output, paths: tuple[str, ...], strategy: str | None, hunks: tuple[str, ...], editor: bool, forget: bool
) -> None:
    """Show what clashes here and what the other side meant, or settle it. Without a path, all of it.

    On a terminal, without a choice, the places are shown side by side, to be settled by keys. Elsewhere they are listed
    with their numbers; --strategy and --hunk make the same choices. What is settled can be undone (`mic undo`), and is
    remembered: when the same lines of a file clash again, `mic sync` settles them the same, and says so.
    """
    if sum((bool(strategy), bool(hunks), editor, forget)) > 1:
        raise click.UsageError("Give one of --strategy, --hunk, --editor and --forget.")
    ws = Workspace.find()
    if forget:
        _forget(ws, out)
        return
    # What was stopped has not said yet what clashes.
    _require_quiet(ws)
    found = _open(ws, paths)
    if hunks:
        _settle_hunks(ws, out, found, hunks)
    elif strategy in ("ours", "theirs", "union"):
        _settle_all(ws, out, found, strategy)
    elif editor:
        _edit(ws, out, found)
    elif strategy == "interactive" or (not out.as_json and _on_a_terminal()):
        _interactive(ws, out, found)
    else:
        _list(ws, out, found)


def _forget(ws: Workspace, out: Output) -> None:
    with ws.lock():
        count = forget_all(ws)
    out.line(f"Forgotten: how {count:,} {'place was' if count == 1 else 'places were'} settled.")
    out.document({"forgotten": count})


def _open(ws: Workspace, paths: tuple[str, ...]) -> list[Open]:
    """The open conflicts at these paths, or below them; raises InvalidInput for a path without one."""
    wanted = [tree_path(ws, path) for path in paths]
    everything = [_opened(ws, item) for item in open_conflicts(os.fsencode(ws.root))]
    for path in wanted:
        if path and not any(item.path == path or item.path.startswith(path + b"/") for item in everything):
            raise InvalidInput(f"Nothing clashes at {display(path)}.", hint="`mic status` lists what clashes.")
    if not wanted or b"" in wanted:
        return everything
    return [
        item for item in everything if any(item.path == path or item.path.startswith(path + b"/") for path in wanted)
    ]


def _opened(ws: Workspace, item: Conflict) -> Open:
    record = find(ws, item)
    apart = sides(ws, record) if item.kind == HELD and record is not None else None
    if item.kind != MARKED and apart is None:
        return Open(item, record, b"", [])
    names = labels(item.base, item.theirs)
    try:
        with open(os.fsencode(ws.root) + b"/" + item.path, "rb", opener=no_links) as stream:
            now = stream.read()
    except OSError:
        return Open(item, record, b"", [])
    if apart is not None and not has_mergeable_lines(apart[0], now, apart[1]):
        return Open(item, record, b"", [])
    data = now if apart is None else merge3_with_markers(apart[0], now, apart[1], names)
    return Open(item, record, data, places(data, names), now)


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _list(ws: Workspace, out: Output, found: list[Open]) -> None:
    if not found:
        out.line("Nothing clashes here.")
    session = local.current(ws)
    for item in found:
        shown = out.paint(display(item.path), "bold")
        if item.by_lines:
            out.line(f"{shown}: {plural(len(item.places), 'place')} to settle")
        else:
            reason = REASONS.get(item.record.reason, "") if item.record else ""
            out.line(f"{shown}: yours stands over @{item.conflict.theirs}" + (f" ({reason})" if reason else ""))
        for line in story_lines(item.record.landings if item.record else ()):
            out.line(line)
        if session is not None:
            out.line(f"  yours: {session.goal.strip().partition(chr(10))[0]}")
        for number, place in enumerate(item.places, 1):
            out.line(f"  place {number}")
            clash = place.clash
            plain = plain_endings(clash)
            for side, text in (("yours", clash.ours), ("base", clash.base), ("theirs", clash.theirs)):
                out.line(f"    {side}:")
                for row in as_text(text, plain).removesuffix("\n").split("\n") if text else ():
                    out.line(f"      {row}")
    if any(item.by_lines for item in found):
        out.line(f"Settle{_CHOICE}, or --strategy for all of a file.")
    elif found:
        out.line("Settle: `mic resolve PATH --strategy ours`, or theirs.")
    out.document({"conflicts": [_fields(item) for item in found], "session": session.goal if session else None})


def _fields(item: Open) -> dict[str, Any]:
    known = record_fields(item.record) if item.record else {"landings": []}
    return {
        **path_fields(item.path),
        "marked": item.conflict.kind == MARKED,
        "held": item.conflict.kind == HELD,
        **known,
        "base_position": item.conflict.base,
        "position": item.conflict.theirs,
        "places": [
            {
                "number": number,
                "ours": place.clash.ours.decode("utf-8", "replace"),
                "base": place.clash.base.decode("utf-8", "replace"),
                "theirs": place.clash.theirs.decode("utf-8", "replace"),
            }
            for number, place in enumerate(item.places, 1)
        ],
    }


def _settle_hunks(ws: Workspace, out: Output, found: list[Open], hunks: tuple[str, ...]) -> None:
    marked = [item for item in found if item.by_lines]
    if len(found) != 1 or len(marked) != 1:
        raise WrongCommandLine("--hunk goes with one file that has marked places.", hint="`mic resolve` lists them.")
    item = marked[0]
    choices: dict[int, Choice] = {}
    for text in hunks:
        number, _, side = text.partition("=")
        if side == "union":
            side = "both"
        if not number.isascii() or not number.isdecimal() or side not in CHOICES:
            raise WrongCommandLine(f"{text[:100]!r} is no choice.", hint="For example: --hunk 1=theirs.")
        if not 1 <= int(number[:9]) <= len(item.places):
            raise WrongCommandLine(
                f"{display(item.path)} has {plural(len(item.places), 'marked place')}, and no number {number[:9]}.",
                hint="`mic resolve` lists them.",
            )
        choices[int(number[:9])] = side
    write(ws, [(item, {number: chosen(item.places[number - 1].clash, side) for number, side in choices.items()})])
    _report(ws, out, [(item.path, len(choices), "")])


def _settle_all(ws: Workspace, out: Output, found: list[Open], strategy: str) -> None:
    side: Choice = "both" if strategy == "union" else cast(Choice, strategy)
    standing = [item for item in found if not item.by_lines]
    if standing and side == "both":
        raise InvalidInput(
            f"{display(standing[0].path)} has no lines that could be put together.",
            hint=f"Take one side: `mic resolve {display(standing[0].path)} --strategy ours`, or theirs.",
        )
    marked = [item for item in found if item.by_lines]
    broken = next((item for item in marked if not item.places and item.conflict.kind == MARKED), None)
    if broken is not None:
        raise InvalidInput(
            f"The markers in {display(broken.path)} are not whole.", hint="Mend the file by hand: `--editor` opens it."
        )
    write(
        ws,
        [(item, {number: chosen(place.clash, side) for number, place in enumerate(item.places, 1)}) for item in marked],
    )
    if standing:
        paths = frozenset(item.path for item in standing)
        decisions = Decisions(paths if side == "ours" else frozenset(), paths if side == "theirs" else frozenset())
        with settled(ws, out, signed_in=False) as client:
            _require_quiet(ws)
            take_in(client, ws, decisions, out, stay=True, recorded=bool(marked))
    done = [(item.path, len(item.places), f" with {strategy}") for item in marked]
    _report(ws, out, sorted([*done, *((item.path, 0, f" with {strategy}") for item in standing)]))


def write(ws: Workspace, settled_places: list[tuple[Open, dict[int, bytes]]], *, mark: bool = False) -> None:
    """Put these lines into the marked places of files, each file whole or not at all, and remember them.

    With `mark`, also what was held apart and is not settled goes into its file, between marker lines. Raises
    InvalidInput for a file that changed since it was read.
    """
    due = [(item, lines) for item, lines in settled_places if lines or mark or (_held(item) and not item.places)]
    if not due:
        return
    with ws.lock():
        require_complete(ws)
        _require_quiet(ws)
        root = os.fsencode(ws.root)
        now = []
        for item, _ in due:
            stat = os.lstat(root + b"/" + item.path)
            with open(root + b"/" + item.path, "rb") as stream:
                if stream.read() != item.now:
                    raise InvalidInput(f"{display(item.path)} changed meanwhile.", hint="Run the same command again.")
            now.append(stat)
        write_down(ws, "mic resolve", files=True)
        for item, _ in due:
            if _held(item) and item.record is not None:
                keep(ws, replace(item.record, marked=sha256(item.data).digest()), item.data)
        entries = []
        for (item, lines), stat in zip(due, now, strict=True):
            for number, text in lines.items():
                remember(ws, item.path, item.places[number - 1].clash, text)
            data = settle(item.data, item.labels, lines)
            entries.append((Entry(item.path, git_mode(stat.st_mode), BLOB, len(data), sha256(data).digest()), data))
        checkout = Checkout(ws)
        try:
            checkout.plan([entry for entry, _ in entries])
            for (entry, data), stat in zip(entries, now, strict=True):
                checkout.expect(entry.path, stat)
                checkout.write(entry, [data])
        finally:
            checkout.close()
        # Last of all: until then they are known as held apart, and nothing of them is lost.
        _let_out(ws, {item.path for item, _ in due if _held(item)})


def _held(item: Open) -> bool:
    return item.conflict.kind == HELD


def _let_out(ws: Workspace, paths: set[bytes]) -> None:
    """Clashes that were held apart stand in their files now, as far as they are not settled."""
    if paths:
        every = open_conflicts(os.fsencode(ws.root))
        for item in every:
            item.kind = MARKED if item.path in paths else item.kind
        write_conflicts(os.fsencode(ws.root), every)


def _require_quiet(ws: Workspace) -> None:
    refuse_half_undone(ws)
    if under_way(ws):
        raise Unresolved(
            "A sync was stopped half way.", hint="Run `mic sync` again: it goes on.", document={"unresolved": []}
        )


def _report(ws: Workspace, out: Output, done: list[tuple[bytes, int, str]]) -> None:
    left = {item.path: len(item.places) for item in _open(ws, ())}
    for path, count, how in done:
        still = f", {plural(left[path], 'place')} left" if left.get(path) else ""
        out.line(f"settled{how}: {display(path)}" + (f" ({plural(count, 'place')}{still})" if count else ""))
    if not done:
        out.line("Nothing was settled.")
    if done and not left:
        out.line("Nothing clashes any more: `mic land`.")
    elif any(left.values()):
        out.line(f"`mic resolve` lists what is left by number; settle it{_CHOICE}.")
    out.document(
        {
            "settled": [{**path_fields(path), "places": count, "left": left.get(path, 0)} for path, count, _ in done],
            "open": [path_fields(path) for path in sorted(left)],
        }
    )


def _edit(ws: Workspace, out: Output, found: list[Open]) -> None:
    marked = [item for item in found if item.by_lines]
    if not marked:
        raise NotFound("No file here has marked places.", hint="`mic resolve` lists what clashes.")
    write(ws, [(item, {}) for item in marked if _held(item)], mark=True)
    names = [os.fsdecode(os.fsencode(ws.root) + b"/" + item.path) for item in marked]
    run_editor(names)
    left = {item.path: len(item.places) for item in _open(ws, ())}
    _report(
        ws,
        out,
        [(i.path, len(i.places) - left.get(i.path, 0), "") for i in marked if left.get(i.path, 0) < len(i.places)],
    )


def _interactive(ws: Workspace, out: Output, found: list[Open]) -> None:
    if out.as_json or not _on_a_terminal():
        raise WrongCommandLine(
            "There is no terminal to choose on.",
            hint="--strategy and --hunk make the same choices; `mic resolve` lists.",
        )
    marked = [item for item in found if item.by_lines and item.places]
    if not marked:
        _list(ws, out, found)
        return
    from mic.cli.working_copy.resolver import Resolver, Shown  # textual takes 300 ms to load

    shown = [
        Shown(display(item.path), item.places, story_lines(item.record.landings if item.record else (), ""))
        for item in marked
    ]
    resolver = Resolver(shown)
    chosen_lines = resolver.run()
    if resolver.ended_by:
        _end_by(resolver.ended_by)
    if resolver.return_code:
        raise MicError(
            "The places could not be shown; nothing was changed.", hint="--strategy and --hunk make the same choices."
        )
    if chosen_lines is None:
        out.line("Left as it was.")
        return
    due, lost = _as_it_stands(ws, list(zip(marked, chosen_lines, strict=True)))
    write(ws, due)
    _report(ws, out, [(item.path, len(lines), "") for item, lines in due if lines])
    for path, count in lost:
        shown_path = display(path)
        what = f"{plural(count, 'choice')} for it {'is' if count == 1 else 'are'} left out"
        out.note(f"{shown_path} changed while it was open, and {what}: `mic resolve {shown_path}`.")
    standing = [item for item in found if not item.by_lines]
    if standing:
        out.line()
        _list(ws, out, standing)


def _as_it_stands(
    ws: Workspace, chosen_ones: list[tuple[Open, dict[int, bytes]]]
) -> tuple[list[tuple[Open, dict[int, bytes]]], list[tuple[bytes, int]]]:
    """The choices, those of files that changed meanwhile at the same places as they stand now; and of how many of a
    file the place is not there any more."""
    due, lost = [], []
    for item, lines in chosen_ones:
        fresh = _opened(ws, item.conflict) if lines else item
        if fresh.now == item.now:
            due.append((item, lines))
            continue
        kept: dict[int, bytes] = {}
        for number, text in lines.items():
            clash = item.places[number - 1].clash
            there = [at for at, place in enumerate(fresh.places, 1) if place.clash == clash]
            if len(there) == 1:
                kept[there[0]] = text
        if kept:
            due.append((fresh, kept))
        if len(kept) < len(lines):
            lost.append((item.path, len(lines) - len(kept)))
    return due, lost


def _end_by(number: int) -> None:
    """End as a command ends that the screen did not keep the signal from."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
