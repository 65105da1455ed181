"""What changed in one file, as commands show it: a patch, words, counts with a bar, fields of JSON."""

from __future__ import annotations

from typing import NamedTuple

from mic.cli.terminal.mode_words import mode_words
from mic.cli.terminal.output import ESCAPE, Output, path_fields, plural, safe
from mic.cli.terminal.words import LETTERS
from mic.cli.transfer.contents import MAX_HELD, fetch
from mic.core.linediff import count_changes, is_binary
from mic.core.paths import display
from mic.core.unified import quote_path, unified
from mic.core.worddiff import plain_mark, word_hunks
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

_BAR = 40  # columns of the widest bar of --stat
_MARK = ESCAPE.encode("utf-8", "surrogatepass")  # no UTF-8


class FileDiff(NamedTuple):
    """Two sides of one path. A side that is None is too large to be held, b"" with mode 0 when it is absent."""

    path: bytes
    op: int
    old_mode: int
    new_mode: int
    old: bytes | None
    new: bytes | None

    @property
    def counts(self) -> tuple[int, int]:
        """Lines added and deleted."""
        return (0, 0) if self.old is None or self.new is None else count_changes(self.old, self.new)

    @property
    def binary(self) -> bool:
        """Whether it has no lines to show."""
        return self.old is None or self.new is None or is_binary(self.old) or is_binary(self.new)


def landed_diffs(
    client: Client,
    project: pb.ProjectRef,
    changes: list[pb.Change],
    session_id: bytes = b"",
    base: pb.ProjectRef | None = None,
) -> list[FileDiff]:
    """What a landing changed, or an open session, which is named then. Contents over MAX_HELD are left out; the size of
    an old one is not known beforehand. The old ones are on the line `base`, where that is another."""
    wanted = [item.hash for item in changes if item.size <= MAX_HELD and item.op != pb.Change.DELETED]
    olds = [item.base_hash for item in changes if item.base_hash and item.size <= MAX_HELD]
    if base in (None, project):
        held = fetch(client, project, wanted + olds, session_id, shown=True)
    else:
        held = fetch(client, project, wanted, session_id, shown=True) | fetch(client, base, olds, shown=True)
    return [
        FileDiff(
            item.path,
            item.op,
            item.base_mode,
            0 if item.op == pb.Change.DELETED else item.mode,
            held.get(item.base_hash),
            b"" if item.op == pb.Change.DELETED else held.get(item.hash),
        )
        for item in changes
    ]


def patch(item: FileDiff) -> bytes:
    """One file's change with Git's extended header."""
    a, b = quote_path(b"a/" + item.path), quote_path(b"b/" + item.path)
    if item.old_mode and item.new_mode and item.old_mode & 0o170000 != item.new_mode & 0o170000:
        # Another type of file is the old one going and a new one coming, as in Git.
        gone = item._replace(op=2, new_mode=0, new=b"")
        return patch(gone) + patch(item._replace(op=0, old_mode=0, old=b""))
    head = b"diff --git " + a + b" " + b + b"\n"
    if not item.old_mode:
        head += b"new file mode %06o\n" % item.new_mode
    elif not item.new_mode:
        head += b"deleted file mode %06o\n" % item.old_mode
    elif item.old_mode != item.new_mode:
        head += b"old mode %06o\nnew mode %06o\n" % (item.old_mode, item.new_mode)
    old_path = item.path if item.old_mode else None
    new_path = item.path if item.new_mode else None
    if item.old is None or item.new is None:
        return (
            head
            + b"Binary files "
            + (a if old_path else b"/dev/null")
            + b" and "
            + (b if new_path else b"/dev/null")
            + b" differ\n"
        )
    return head + unified(old_path, new_path, item.old, item.new)


def words(out: Output, item: FileDiff) -> bytes:
    """One file's change word by word, below the header that its patch has."""
    other_type = item.old_mode and item.new_mode and (item.old_mode ^ item.new_mode) & 0o170000
    if item.old is None or item.new is None or item.binary or item.old == item.new or other_type:
        return painted(out, patch(item))

    def mark(tag: str, words: bytes) -> bytes:
        if not out.colour:
            return plain_mark(tag, words)
        colour = out.paint("\n", "red" if tag == "delete" else "green").encode("utf-8", "surrogatepass")
        return words.join(colour.split(b"\n"))

    if _MARK in item.old or _MARK in item.new:
        return painted(out, patch(item))
    lines = patch(item).splitlines(keepends=True)
    head = b"".join(lines[: next(at for at, line in enumerate(lines) if line.startswith(b"@@ "))])
    hunks = word_hunks(item.old, item.new, mark)
    return painted(out, head) + (_for_terminal(hunks) if out.terminal else hunks)


def painted(out: Output, data: bytes) -> bytes:
    """The patch for a terminal: in colour where that is wanted, its control characters shown. Elsewhere contents go out
    as they are: this is what `git apply` reads."""
    if not out.terminal:
        return data
    lines = []
    for line in data.split(b"\n"):
        style = "green" if line.startswith(b"+") else "red" if line.startswith(b"-") else ""
        style = (
            "bold" if line.startswith((b"+++ ", b"--- ", b"diff ")) else "cyan" if line.startswith(b"@@ ") else style
        )
        text = line.removesuffix(b"\r").decode("utf-8", "surrogateescape")
        lines.append(safe(out.paint(text, style) if style else text))
    return "\n".join(lines).encode()


def _for_terminal(data: bytes) -> bytes:
    """As `safe` has it, with our colours told from those of contents, which have no _MARK."""
    text = ESCAPE.join(piece.decode("utf-8", "surrogateescape") for piece in data.split(_MARK))
    return safe(text.replace("\r\n", "\n")).encode()


def print_stat(out: Output, diffs: list[FileDiff]) -> None:
    """A line per file with its counts and a bar, and the sum."""
    width = max((len(display(item.path)) for item in diffs), default=0)
    most = max((sum(item.counts) for item in diffs), default=0)
    added = deleted = 0
    for item in diffs:
        plus, minus = item.counts
        added, deleted = added + plus, deleted + minus
        scale = min(1.0, _BAR / most) if most else 1.0
        bar = out.paint("+" * _length(plus, scale), "green") + out.paint("-" * _length(minus, scale), "red")
        what = ("binary" if item.binary else f"{plus + minus:>5} {bar}".rstrip()) + mode_words(
            item.old_mode, item.new_mode
        )
        out.line(f" {display(item.path):<{width}} | {what}")
    out.line(f" {plural(len(diffs), 'file')} changed, {added:,} added, {deleted:,} deleted")


def _length(count: int, scale: float) -> int:
    return max(1, round(count * scale)) if count else 0


def diff_fields(item: FileDiff, *, hunks: bool) -> dict[str, object]:
    """One file's change in JSON; the patch is text with replacement characters."""
    plus, minus = item.counts
    fields: dict[str, object] = {
        **path_fields(item.path),
        "op": ("added", "modified", "deleted")[item.op],
        "letter": LETTERS[item.op],
        "old_mode": f"{item.old_mode:06o}" if item.old_mode else None,
        "new_mode": f"{item.new_mode:06o}" if item.new_mode else None,
        "binary": item.binary,
        "additions": plus,
        "deletions": minus,
    }
    if hunks:
        fields["patch"] = patch(item).decode("utf-8", "replace")
    return fields
