"""`mic status` and bare `mic`: run on every prompt, so nothing is imported here that an unchanged tree does not need.

Budget: the whole process at most twice `git status` on the same tree plus the interpreter's bare start.
"""

from __future__ import annotations

import posix
import sys
import time

from mic.daemon import door
from mic.workspace.columns import Columns
from mic.workspace.goal import read_line
from mic.workspace.place import FOLDER, exists, find_root, read_columns, read_config
from mic.workspace.renew import scan_and_renew
from mic.workspace.unwritten import unwritten

TYPE_CHECKING = False  # as typing has it, which takes 5 ms to load
if TYPE_CHECKING:
    from mic.daemon.watched import Seen

_KIND = 0o170000
_LETTERS = "AMDT"
_WORDS = ("added", "modified", "deleted", "type_changed")
_COLOURS = ("32", "33", "31", "35")
_TYPE_CHANGED = 3
# So many files are looked at in 60 ms and more; below that the daemon would save nothing that anybody feels.
PAYS = 20_000
# Lines of changes that bare `mic` shows before it counts the rest.
_BARE_LINES = 10
# What `mic status` says of a clash, by its kind; the number is the position of the other side.
_CLASHES = {
    "marked": "marked lines to mend",
    "yours": "yours stands over @{}",
    "held": "clashes with @{}, held apart: `mic resolve`",
}


class View:
    """What both commands say about a workspace, gathered once."""

    __slots__ = (
        "changes", "config", "conflicts", "files", "incomplete", "queued", "root", "session", "sparse", "stopped",
        "undoing", "unwritten", "waiting",
    )  # fmt: skip

    def __init__(self, root: bytes, seen: Seen | None = None) -> None:
        """`seen` is what the daemon knows of the files; without it they are looked at now."""
        self.root = root
        self.config = read_config(root)
        self.incomplete = exists(root + b"/" + FOLDER + b"/incomplete")
        # A sync that was stopped half way.
        self.stopped = exists(root + b"/" + FOLDER + b"/sync")
        # What goes on with an undo that was stopped half way.
        self.undoing = _undoing(root) if exists(root + b"/" + FOLDER + b"/undoing") else ()
        self.conflicts = _conflicts(root) if exists(root + b"/" + FOLDER + b"/conflicts") else []
        # The folders that are here, None where everything is.
        self.sparse = _sparse(root) if exists(root + b"/" + FOLDER + b"/sparse") else None
        self.queued = read_line(root, b"queued")
        self.waiting = _waiting(root)
        # Stopped while it was put aside, a session stands in both places, and has been sent.
        self.session = read_line(root) if self.queued is None else None
        if seen is not None:
            columns, changes, self.unwritten = seen
        else:
            columns = read_columns(root)
            changes = scan_and_renew(root, columns, forks=True).changes
            self.unwritten = unwritten(columns)
        self.files = len(columns.paths)
        self.changes = [
            (path, _kind_of_change(columns, op, mode, number), mode, columns.modes[number] if number >= 0 else 0)
            for path, op, mode, number in changes
        ]


def _sparse(root: bytes) -> tuple[bytes, ...] | None:
    from mic.workspace.part import read_part

    return read_part(root).folders


def _undoing(root: bytes) -> tuple[str, ...]:
    from mic.workspace.undoing import goes_on

    return goes_on(root)


def _waiting(root: bytes) -> int:
    """How many operations wait for the forge: their files have numbers for names."""
    try:
        names = posix.listdir(root + b"/" + FOLDER + b"/pending")
    except FileNotFoundError:
        return 0
    return sum(name.isdigit() for name in names)


def _conflicts(root: bytes) -> list[tuple[bytes, str, int]]:
    """Path, kind and their position of each conflict that is open."""
    from mic.workspace.conflicts import open_conflicts

    return [(item.path, item.kind, item.theirs) for item in open_conflicts(root)]


def status(as_json: bool) -> int:
    """Prints the state of the workspace around the current folder; raises NotFound outside of one."""
    root = find_root(posix.getcwdb())
    if root is None:
        from mic.core.errors import NotFound

        raise NotFound("This is not a mic workspace.", hint="`mic clone ORG/PROJECT` makes one.")
    if not _told_by_daemon(b"status", root, as_json):
        view = View(root)
        sys.stdout.write(status_text(view, as_json, _colour()))
        start_daemon_where_it_pays(view.files)
    return 0


def status_text(view: View, as_json: bool, colour: bool) -> str:
    """What `mic status` prints."""
    return _json(view) if as_json else _text(view, len(view.changes), colour)


def _told_by_daemon(verb: bytes, root: bytes, as_json: bool) -> bool:
    """Whether the daemon had the answer, which is printed then."""
    answer = door.ask(verb, root, b"json" if as_json else b"colour" if _colour() else b"text")
    if answer is None or answer[0] != door.FINISHED:
        if answer is not None and answer[0] == door.SENTENCE:
            sys.stderr.write(f"mic: The daemon does not watch this workspace: {answer[1].decode()}.\n")
        return False
    sys.stdout.write(answer[1].decode())
    return True


def log(argv: list[str]) -> bool:
    """Whether the daemon, which holds a connection to the forge, had the answer to `mic log [-n COUNT] [--json]`."""
    words = [word for word in argv[1:] if word != "--json"]
    if len(argv) - 1 - len(words) > 1 or (words and (words[0] != "-n" or len(words) != 2 or not words[1].isdecimal())):
        return False
    environment = posix.environ
    # A token of this one command is its own affair.
    if environment.get(b"MICELIO_TOKEN") or not door.there() or (root := find_root(posix.getcwdb())) is None:
        return False
    number = words[1].encode() if words else b"20"
    form = b"json" if len(words) < len(argv) - 1 else b"colour" if _colour() else b"text"
    mine = [environment.get(name, b"") for name in door.LIKE_MINE]
    answer = door.ask(b"log", root, form, number, *mine, patience=10)
    if answer is None or answer[0] != door.FINISHED:
        return False
    sys.stdout.write(answer[1].decode())
    return True


def start_daemon_where_it_pays(files: int) -> None:
    """Starts the daemon for the next time, when there are many files and nobody wants it not to."""
    if files >= PAYS and door.address() is not None and not door.listening():
        from mic.cli.program.daemon_start import start_unasked

        start_unasked(find_root(posix.getcwdb()) or b"/")


def bare(as_json: bool) -> int:
    """Prints what there is here and what to do next."""
    root = find_root(posix.getcwdb())
    if root is None:
        steps = [
            ("mic auth login", "sign in to a forge"),
            ("mic clone ORG/PROJECT", "get a project's files"),
            ("mic import git PATH", "bring a Git repository in"),
            ("mic --help", "see all commands"),
        ]
        text = "This folder is not a mic workspace.\n"
        fields: dict[str, object] = {"workspace": None}
    else:
        if not _told_by_daemon(b"bare", root, as_json):
            view = View(root)
            sys.stdout.write(bare_text(view, as_json, _colour()))
            start_daemon_where_it_pays(view.files)
        return 0
    sys.stdout.write(_with_steps(text, fields, steps, as_json))
    return 0


def bare_text(view: View, as_json: bool, colour: bool) -> str:
    """What bare `mic` prints in a workspace."""
    text = "" if as_json else _text(view, _BARE_LINES, colour)
    return _with_steps(text, {"workspace": _fields(view)} if as_json else {}, _next_steps(view), as_json)


def _with_steps(text: str, fields: dict[str, object], steps: list[tuple[str, str]], as_json: bool) -> str:
    if as_json:
        import json

        fields["next"] = [{"command": command, "does": does} for command, does in steps]
        return json.dumps(fields, ensure_ascii=False) + "\n"
    width = max(len(command) for command, _ in steps)
    lines = [f"  {command.ljust(width)}  {does}\n" for command, does in steps]
    return f"{text}\nNext:\n{''.join(lines)}"


def _next_steps(view: View) -> list[tuple[str, str]]:
    config = view.config
    if view.incomplete:
        name = f"{config['organization']}/{config['project']}"
        if branch := config.get("branch"):
            name += f"@{branch}"
        return [(f"mic clone {name} {_shown(view.root)}", "finish the interrupted clone")]
    if view.stopped:
        return [("mic sync", "finish the interrupted sync"), ("mic sync --abort", "undo it")]
    if view.undoing:
        return [(command, f"finish the interrupted {command.removeprefix('mic ')}") for command in view.undoing]
    steps = []
    if view.queued is not None:
        steps.append(("mic land --wait", "see where the queued session landed"))
    if view.waiting:
        steps.append(("mic sync", "send what waits for the forge"))
    if any(kind == "held" for _, kind, _ in view.conflicts):
        steps.append(("mic resolve", "see what clashes, and settle it"))
    if any(kind == "marked" for _, kind, _ in view.conflicts):
        steps.append(("mic resolve", "settle the marked places; without a terminal, see their numbers for --hunk"))
        steps.append(("mic sync --ours PATH", "take your version whole, instead of mending the marked lines"))
        steps.append(("mic sync --theirs PATH", "take theirs whole"))
        steps.append(("mic sync --abort", "undo the sync"))
        return steps
    if view.session is None:
        steps.append(('mic session start "GOAL"', "say what you are about to do"))
    else:
        steps.append(('mic session note "TEXT"', "add to the conversation"))
        steps.append(('mic session decide "WHAT" --why "WHY"', "record a decision"))
    if view.changes:
        steps.append(("mic diff", "see what changed"))
        steps.append(("mic land" if view.session else 'mic land "GOAL"', "land the changes"))
    steps.append(("mic log", "see what landed before"))
    return steps


def _text(view: View, limit: int, colour: bool) -> str:
    config = view.config
    where = f"{config['organization']}/{config['project']}"
    if branch := config.get("branch"):
        where += f", branch {branch},"
    lines = [f"{where} at landing {config['position']}, from {config['instance']}\n"]
    if view.sparse is not None:
        named = ", ".join(map(_shown, view.sparse)) or "the files at the top"
        lines.append(f"Of it only {named} is here.\n" if len(view.sparse) == 1 else f"Of it only {named} are here.\n")
    if view.incomplete:
        lines.append("The clone was interrupted; run it again to complete it.\n")
    if view.queued is not None:
        first, _, more = view.queued[2].partition("\n")
        lines.append(f"Queued to land: {first}{' ...' if more else ''} (`mic land --wait` says where)\n")
    elif view.session is None:
        lines.append("No session is open.\n")
    else:
        started_ms, base, goal = view.session
        first, _, more = goal.partition("\n")
        based = "" if str(base) == config["position"] else f", on landing {base}"
        lines.append(f"Session: {first}{' ...' if more else ''} (started {_age(started_ms)}{based})\n")
    if view.waiting:
        what = "operation waits" if view.waiting == 1 else "operations wait"
        lines.append(f"{view.waiting} {what} for the forge (`mic sync` sends, `mic pending list` lists)\n")
    if view.stopped:
        lines.append("A sync was stopped half way; run `mic sync` again, or `mic sync --abort`.\n")
    if view.undoing:
        from mic.workspace.undoing import in_words

        lines.append(f"An undo was stopped half way; run {in_words(view.undoing)} again.\n")
    if view.conflicts:
        lines.append("Clashes:\n")
        for path, how, theirs in view.conflicts:
            what = _CLASHES[how].format(theirs)
            lines.append(f"  {_shown(path)}: {what}\n")
        if view.changes:
            lines.append("Changed:\n")
    if not view.changes:
        lines.append("Nothing changed.\n")
    for path, kind, mode, old in view.changes[:limit]:
        letter = f"\x1b[{_COLOURS[kind]}m{_LETTERS[kind]}\x1b[0m" if colour else _LETTERS[kind]
        words = ""
        if old and mode and old != mode:
            from mic.cli.terminal.mode_words import mode_words

            words = mode_words(old, mode)
        lines.append(f"  {letter} {_shown(path)}{words}\n")
    if len(view.changes) > limit:
        lines.append(f"  and {len(view.changes) - limit} more; `mic status` lists them\n")
    if view.unwritten:
        lines.append("Kept in history, not written here:\n")
        lines += [f"  {_shown(path)}: {reason}\n" for path, reason in view.unwritten]
    return "".join(lines)


def _json(view: View) -> str:
    import json

    return json.dumps(_fields(view), ensure_ascii=False) + "\n"


def _fields(view: View) -> dict[str, object]:
    config = view.config
    session, queued = (
        {"goal": line[2], "started_ms": line[0], "base_position": line[1]} if line is not None else None
        for line in (view.session, view.queued)
    )
    return {
        "root": _path_fields(view.root)["path"],
        "instance": config["instance"],
        "organization": config["organization"],
        "project": config["project"],
        "branch": config.get("branch") or "main",
        "position": int(config["position"]),
        "tree": config["tree"],
        "sparse": None if view.sparse is None else [_path_fields(folder) for folder in view.sparse],
        "incomplete": view.incomplete,
        "sync_stopped": view.stopped,
        "undo_stopped": bool(view.undoing),
        "conflicts": [
            {**_path_fields(path), "marked": kind == "marked", "held": kind == "held", "position": theirs}
            for path, kind, theirs in view.conflicts
        ],
        "session": session,
        "queued": queued,
        "pending": view.waiting,
        "changes": [
            {**_path_fields(path), "op": _WORDS[kind], "mode": _octal(mode), "old_mode": _octal(old)}
            for path, kind, mode, old in view.changes
        ],
        "unwritten": [{**_path_fields(path), "reason": reason} for path, reason in view.unwritten],
    }


def _octal(mode: int) -> str | None:
    return f"{mode:06o}" if mode else None


def _path_fields(path: bytes) -> dict[str, object]:
    """`path` as text, and its bytes in base64 where the text cannot say them."""
    try:
        return {"path": path.decode()}
    except UnicodeDecodeError:
        from base64 import b64encode

        return {"path": path.decode("utf-8", "replace"), "path_bytes": b64encode(path).decode()}


def _kind_of_change(columns: Columns, op: int, mode: int, number: int) -> int:
    if op == 1 and (columns.modes[number] ^ mode) & _KIND:
        return _TYPE_CHANGED
    return op


def _age(started_ms: int) -> str:
    seconds = max(0, int(time.time()) - started_ms // 1000)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def _shown(path: bytes) -> str:
    text = path.decode("utf-8", "replace")
    if text.isprintable():
        return text
    from mic.core.paths import display

    return display(path)


def _colour() -> bool:
    return not posix.environ.get(b"NO_COLOR") and posix.environ.get(b"TERM") != b"dumb" and sys.stdout.isatty()
