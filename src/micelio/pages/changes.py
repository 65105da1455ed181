"""The changes of a session, made ready for its page: differences with hunks, and words where a difference says nothing.

What one page computes and shows is bounded; everything beyond is listed by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from mic.core.linediff import is_binary
from mic.core.session import Decision
from mic.core.tree import CONFLICT, Entry
from micelio.pages.addresses import HEAD, Ref, Site
from micelio.pages.diff_html import diff_html
from micelio.pages.diffs import LARGEST_COMPARED, Diff, diff_contents
from micelio.pages.evidence import Mark, marks
from micelio.pages.modes import GITLINK, SYMLINK, mode_change
from micelio.pages.text import display_path, one_line, size_words

# What a person reads in one sitting, and what a page of a few hundred KB holds.
MOST_FILES = 50
MOST_ROWS = 3000
# Names listed below the shown files; the machine twin has all of them.
MOST_LISTED = 500
# Bytes of both sides compared for one page: about 0.2 s of work at worst.
MOST_BYTES = 8 * 1024 * 1024

Read = Callable[[Entry], bytes]


@dataclass(frozen=True)
class PathChange:
    """One path before and after; one of the two may be absent."""

    path: bytes
    old: Entry | None
    new: Entry | None


@dataclass(frozen=True)
class ShownMark:
    """A decision in the margin of a file."""

    tag: str
    what: str
    line: int | None
    anchor: str
    address: str


@dataclass(frozen=True)
class ShownFile:
    """One changed path as the page shows it."""

    path: bytes
    name: str
    anchor: str
    address: str
    op_words: str
    added: int = 0
    deleted: int = 0
    sentences: tuple[str, ...] = ()
    html: SafeString = field(default_factory=SafeString)
    marks: tuple[ShownMark, ...] = ()

    @property
    def summary(self) -> str:
        """`+31 −4`, or what happened when no line can be counted."""
        counts = [f"+{self.added:,}"] if self.added else []
        counts += [f"−{self.deleted:,}"] if self.deleted else []
        return " ".join(counts) or self.op_words


@dataclass(frozen=True)
class ShownChanges:
    """All changes: files in full, the rest by name, and how many not even by name. Line counts are of `files`."""

    files: tuple[ShownFile, ...]
    rest: tuple[ShownFile, ...]
    total: int
    added: int
    deleted: int

    @property
    def rest_total(self) -> int:
        return self.total - len(self.files)

    @property
    def unlisted(self) -> int:
        return self.total - len(self.files) - len(self.rest)


class ChangesPage:
    """Builds `ShownChanges` under one budget of rows and bytes. `at` is the point that new files are linked to."""

    def __init__(self, site: Site, read: Read, decisions: Collection[Decision], at: Ref | None) -> None:
        self._site = site
        self._read = read
        self._decisions = decisions
        self._at = at
        self._rows = MOST_ROWS
        self._bytes = MOST_BYTES

    def show(self, changes: list[PathChange]) -> ShownChanges:
        """The page's view of `changes`, which are sorted by path."""
        why = marks(self._decisions, [change.path for change in changes])
        # Files that a decision speaks of are never pushed into the list of the rest.
        order = sorted(changes, key=lambda change: change.path not in why) if len(changes) > MOST_FILES else changes
        files: list[ShownFile] = []
        for change in order[:MOST_FILES]:
            if self._rows <= 0:
                break
            files.append(self._file(change, len(files) + 1, why.get(change.path, ())))
        rest = [self._listed(change) for change in order[len(files) : len(files) + MOST_LISTED]]
        return ShownChanges(
            tuple(files), tuple(rest), len(changes), sum(f.added for f in files), sum(f.deleted for f in files)
        )

    def _address(self, change: PathChange) -> str:
        if change.new is None or self._at is None:
            return ""
        return self._site.file(self._at, change.path)

    def _listed(self, change: PathChange) -> ShownFile:
        return ShownFile(change.path, display_path(change.path), "", self._address(change), _op_words(change))

    def _file(self, change: PathChange, number: int, found: Iterable[Mark]) -> ShownFile:
        anchor = f"f{number}"
        address = self._address(change)
        diff, sentences = self._difference(change)
        shown_lines = {row.new for hunk in diff.hunks for row in hunk.rows if row.new} if diff else set()
        beside: dict[int, list[str]] = {}
        margin: list[ShownMark] = []
        for mark in found:
            here = mark.line in shown_lines
            if mark.line is not None and here:
                beside.setdefault(mark.line, []).append(mark.tag)
            target = (
                f"#{anchor}L{mark.line}" if here else f"{address or self._site.file(HEAD, change.path)}#L{mark.line}"
            )
            margin.append(ShownMark(mark.tag, mark.what, mark.line, mark.tag.lower(), target))
        return ShownFile(
            path=change.path,
            name=display_path(change.path),
            anchor=anchor,
            address=address,
            op_words=_op_words(change),
            added=diff.added if diff else 0,
            deleted=diff.deleted if diff else 0,
            sentences=tuple(sentences),
            html=diff_html(diff, anchor, beside) if diff else SafeString(),
            marks=tuple(margin),
        )

    def _difference(self, change: PathChange) -> tuple[Diff | None, list[str]]:
        """The difference of two texts, or None, and the sentences that go with it."""
        old, new = change.old, change.new
        sentences = [mode_change(old.mode, new.mode)] if old and new and old.mode != new.mode else []
        sides = [side for side in (old, new) if side is not None]
        if old and new and old.hash == new.hash:
            return None, sentences
        if any(side.mode in (SYMLINK, GITLINK) for side in sides):
            return None, [*sentences, *self._links(old, new)]
        if any(side.kind == CONFLICT for side in sides):
            return None, [*sentences, "One side is an unresolved conflict."]
        if max(side.size for side in sides) > LARGEST_COMPARED:
            return None, [*sentences, f"Too large to compare here: {_sizes(old, new)}."]
        weight = sum(side.size for side in sides)
        if weight > self._bytes:
            return None, [*sentences, f"Not compared on this page, which holds enough already: {_sizes(old, new)}."]
        self._bytes -= weight
        before = self._read(old) if old else None
        after = self._read(new) if new else None
        if is_binary(before or b"") or is_binary(after or b""):
            return None, [*sentences, f"Binary content: {_sizes(old, new)}."]
        diff = diff_contents(before, after, self._rows)
        self._rows -= diff.rows
        if not diff.added and not diff.deleted:
            return None, [*sentences, "The file is empty."]
        if diff.rows < _whole(diff):
            sentences.append(f"Only the first {diff.rows:,} lines of this difference are shown.")
        return diff, sentences

    def _links(self, old: Entry | None, new: Entry | None) -> Iterable[str]:
        """What symbolic links and links to commits point at; contents of other modes are left alone."""
        for side, verb in ((old, "pointed"), (new, "points")):
            if side is not None and side.mode in (SYMLINK, GITLINK):
                target = self._read(side).decode("utf-8", "replace") if side.size <= 16384 else "(too long to show)"
                yield f"It {verb} to {'commit ' if side.mode == GITLINK else ''}“{one_line(target)}”."


def _whole(diff: Diff) -> int:
    """Changed rows alone, which a complete difference shows at least."""
    return diff.added + diff.deleted


def _sizes(old: Entry | None, new: Entry | None) -> str:
    if old is None or new is None:
        only = old or new
        assert only is not None
        return size_words(only.size)
    return f"{size_words(old.size)} before, {size_words(new.size)} after"


def _op_words(change: PathChange) -> str:
    if change.old is None:
        return "new"
    if change.new is None:
        return "deleted"
    return "mode changed" if change.old.hash == change.new.hash else "changed"
