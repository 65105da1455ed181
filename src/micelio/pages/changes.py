"""The changes of a session, made ready for its page: differences with hunks, and words where a difference says nothing.

What one page computes and shows is bounded; everything beyond is listed by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mic.core.linediff import is_binary
from mic.core.session import Decision
from mic.core.tree import CONFLICT, Entry
from micelio.languages.spoken import gettext, gettext_noop
from micelio.languages.words import number_words, size_words
from micelio.pages.addresses import HEAD, Ref, Site
from micelio.pages.diff_html import diff_rows, is_one_sided, join_rows, join_taken, split_rows
from micelio.pages.diff_look import USUAL, DiffLook
from micelio.pages.diffs import LARGEST_COMPARED, Diff, diff_contents
from micelio.pages.images import Picture, pictured
from micelio.pages.modes import GITLINK, SYMLINK, mode_change
from micelio.pages.path_change import PathChange
from micelio.pages.text import cut, display_path, one_line
from micelio.pages.weight import ROOM, Scale
from micelio.sessions.evidence import Mark, marks

# Names listed below the opened files, and how many of them are compared to count their lines.
MOST_LISTED = 200
MOST_COUNTED = 40
# A file is opened when at least its frame and a few rows fit; compressed bytes.
_LEAST = 700
# Compressed bytes kept for the list of the files that are not opened.
_FOR_LIST = 2600
# Names that stand in the index before the differences.
MOST_INDEXED = 50
# Files of which a page shows pictures: each is a request or two.
MOST_PICTURED = 12
# Decisions in the margin of one file.
_MOST_MARKS = 12

_BEFORE, _AFTER = gettext_noop("before"), gettext_noop("after")

Read = Callable[[Entry], bytes]


@dataclass(frozen=True)
class Amount:
    """What one page shows of changes at most.

    Files opened, rows of their differences, bytes of both sides compared (8 MiB are about 0.2 s of work at worst), and
    compressed bytes of the page, which mostly end it earlier.
    """

    files: int
    rows: int
    bytes: int
    room: int

    def scale(self) -> Scale:
        return Scale(self.room)


IN_PARTS = Amount(50, 900, 8 << 20, ROOM)
# All of a difference, so that a browser's search finds what is in it: a page of 400 KiB, a second of work at worst.
AT_ONCE = Amount(1000, 20_000, 16 << 20, 380 * 1024)


def amount(look: DiffLook) -> Amount:
    """What a page that is looked at so shows."""
    return AT_ONCE if look.whole else IN_PARTS


@dataclass(frozen=True)
class ShownMark:
    """A decision in the margin of a file."""

    tag: str
    what: str
    line: int | None
    decision: str
    address: str


@dataclass(frozen=True)
class ShownFile:
    """One changed path as a page shows it. `whole` is the page of its difference alone; rows count from 1.

    `first` and `last` are the rows shown, of `rows`.
    """

    path: bytes
    name: str
    anchor: str
    address: str
    whole: str
    op_words: str
    added: int = 0
    deleted: int = 0
    sentences: tuple[str, ...] = ()
    html: SafeString = field(default_factory=SafeString)
    marks: tuple[ShownMark, ...] = ()
    first: int = 0
    last: int = 0
    rows: int = 0
    split: bool = False
    pictures: tuple[Picture, ...] = ()
    source: str = ""

    @property
    def summary(self) -> str:
        """`+31 −4`, or what happened when no line can be counted."""
        counts = [f"+{number_words(self.added)}"] if self.added else []
        counts += [f"−{number_words(self.deleted)}"] if self.deleted else []
        return " ".join(counts) or gettext(self.op_words)

    @property
    def tags(self) -> list[ShownMark]:
        """One mark for each decision that speaks of this file."""
        return list({mark.tag: mark for mark in self.marks}.values())

    @property
    def is_folded(self) -> bool:
        """A file that is gone: its lines are seldom what one came for."""
        return bool(self.html) and self.op_words == "deleted"

    @property
    def is_cut(self) -> bool:
        return self.rows > self.last

    @property
    def is_part(self) -> bool:
        return self.first > 1 or self.is_cut


@dataclass(frozen=True)
class ShownChanges:
    """Changes from number `start` of their order on: files opened, then files by name; `next` is 0 at the end.

    `added` and `deleted` are of all changes, None when not all were compared.
    """

    files: tuple[ShownFile, ...]
    rest: tuple[ShownFile, ...]
    rest_html: tuple[SafeString, ...]
    total: int
    added: int | None
    deleted: int | None
    start: int
    next: int

    @property
    def index(self) -> list[tuple[ShownFile, SafeString | None]]:
        """Names before the differences, by path: opened files, and others with the HTML of their line."""
        others = list(zip(self.rest, self.rest_html, strict=True))[: self._room]
        return sorted([*((file, None) for file in self.files), *others], key=lambda item: item[0].path)

    @property
    def below(self) -> SafeString:
        """The names that the index has no room for."""
        return join_rows(self.rest_html[self._room :])

    @property
    def beyond(self) -> int:
        """Files that are not in the index."""
        return self.total - self.start + 1 - len(self.index)

    @property
    def is_cut(self) -> bool:
        """Whether some of what differs is on other pages."""
        return bool(self.rest_total) or any(file.is_cut for file in self.files)

    @property
    def _room(self) -> int:
        return max(0, MOST_INDEXED - len(self.files))

    @property
    def rest_total(self) -> int:
        return self.total - self.start + 1 - len(self.files)

    @property
    def unlisted(self) -> int:
        """Files that this page does not name at all."""
        return self.rest_total - len(self.rest)


class ChangesPage:
    """Shows changes within one room. `here` is the session's page; `at` is the point that new files are linked to.

    `decisions_here` are the numbers of the decisions that stand on the same page. `raw_before` gives the address of a
    path's bytes before the changes.
    """

    def __init__(
        self,
        site: Site,
        read: Read,
        decisions: Collection[Decision],
        at: Ref | None,
        here: str,
        scale: Scale,
        decisions_here: Collection[int] = (),
        look: DiffLook = USUAL,
        raw_before: Callable[[bytes], str] | None = None,
    ) -> None:
        self._look = look
        self._raw_before = raw_before
        self._pictured = MOST_PICTURED
        self._site = site
        self._read = read
        self._decisions = decisions
        self._at = at
        self._here = here
        self._scale = scale
        self._decisions_here = decisions_here
        self._most = amount(look)
        self._rows = self._most.rows
        self._bytes = self._most.bytes
        # Whether the lines of some text were not counted, so that the totals would be too small.
        self._uncounted = False

    def show(self, changes: list[PathChange], start: int = 1) -> ShownChanges:
        """As many of `changes` (sorted by path) as fit: files that a decision speaks of first, then by path."""
        why = marks(self._decisions, [change.path for change in changes])
        order = sorted(changes, key=lambda change: change.path not in why)[start - 1 :]
        files: list[ShownFile] = []
        names = self._names(order[:MOST_INDEXED])
        for index, change in enumerate(order[: self._most.files]):
            keep = max(_FOR_LIST, sum(names[index + 1 :])) if index + 1 < len(order) else 0
            if files and (self._rows <= 0 or self._scale.left < keep + _LEAST):
                break
            shown = self._file(change, why.get(change.path, ()), 0, keep)
            if files and shown.rows and not shown.last:
                break
            files.append(shown)
        listed = [self._listed(change, n < MOST_COUNTED) for n, change in enumerate(order[len(files) :][:MOST_LISTED])]
        html = self._scale.fill(listed, lambda file, _: _line(file))
        seen = start - 1 + len(files) + len(html)
        all_counted = not self._uncounted and start == 1 and len(files) + min(len(listed), MOST_COUNTED) == len(changes)
        every = [*files, *listed]
        return ShownChanges(
            tuple(sorted(files, key=lambda file: file.path)),
            tuple(listed[: len(html)]),
            tuple(html),
            len(changes),
            sum(file.added for file in every) if all_counted else None,
            sum(file.deleted for file in every) if all_counted else None,
            start,
            seen + 1 if seen < len(changes) else 0,
        )

    def show_one(self, changes: list[PathChange], number: int, first: int) -> ShownFile:
        """The change with this number alone, from row `first` on."""
        change = changes[number - 1]
        return self._file(change, marks(self._decisions, [change.path]).get(change.path, ()), first - 1, 0)

    def _names(self, changes: Sequence[PathChange]) -> list[int]:
        """About the room that each name takes in the index, in compressed bytes."""
        scale = Scale(1 << 30)
        sizes = []
        for change in changes:
            before = scale.left
            scale.add(_line(self._frame(change)))
            sizes.append(before - scale.left + len(" +1,204 −1,204"))
        return sizes

    def _frame(self, change: PathChange) -> ShownFile:
        """What is known of a change without looking into it."""
        address = self._site.file(self._at, change.path) if change.new is not None and self._at is not None else ""
        whole = f"{self._here}/changes/{change.number}{self._look.behind}"
        source = display_path(change.source.path) if change.source is not None else ""
        name, anchor = display_path(change.path), f"f{change.number}"
        return ShownFile(change.path, name, anchor, address, whole, op_words(change), source=source)

    def _listed(self, change: PathChange, count: bool) -> ShownFile:
        """A file by name, with its lines counted if it is one of the first and small enough."""
        diff = self._difference(change, 0, 0).diff if count else None
        frame = self._frame(change)
        return replace(frame, added=diff.added, deleted=diff.deleted) if diff else frame

    def _file(self, change: PathChange, found: Sequence[Mark], skip: int, keep: int) -> ShownFile:
        frame = self._frame(change)
        diff, sentences, pictures = self._difference(change, skip, max(self._rows, 1), pictures=True)
        shown_lines = {row.new for hunk in diff.hunks for row in hunk.rows if row.new} if diff else set()
        beside: dict[int, list[tuple[str, str]]] = {}
        for mark in found:
            if mark.line in shown_lines and mark.line is not None:
                beside.setdefault(mark.line, []).append((mark.tag, self._decision(mark)))
        self._scale.add(_frame_words(frame, [*sentences, *(str(each) for each in pictures)], found), keep)
        # A line that is cut is read to its end in the file itself, which a deleted file has no more.
        split = self._look.split and diff is not None and not is_one_sided(diff)
        html, shown = self._taken(diff, split, frame.anchor, beside, self._raw(change), keep)
        self._rows -= shown
        on_page = {mark.line for mark in found if f'id="{frame.anchor}L{mark.line}"' in html}
        return replace(
            frame,
            added=diff.added if diff else 0,
            deleted=diff.deleted if diff else 0,
            sentences=tuple(sentences),
            html=html,
            split=split,
            pictures=pictures,
            marks=tuple(self._mark(change, frame.anchor, mark, mark.line in on_page) for mark in found[:_MOST_MARKS]),
            first=skip + 1 if diff else 0,
            last=skip + shown if diff and shown else 0,
            rows=diff.total_rows if diff else 0,
        )

    def _taken(
        self,
        diff: Diff | None,
        split: bool,
        anchor: str,
        beside: dict[int, list[tuple[str, str]]],
        raw: str,
        keep: int,
    ) -> tuple[SafeString, int]:
        """(as many rows as fit, how many lines of the difference they are)."""
        if diff is None:
            return SafeString(), 0
        if not split:
            rows = diff_rows(diff, anchor, beside, raw)
            taken = self._scale.take((row.html for row in rows), keep)
            return join_taken(rows[: len(taken)]), len(taken)
        pairs = split_rows(diff, anchor, beside, raw)
        taken = self._scale.take((html for html, _ in pairs), keep)
        return join_rows(taken), sum(lines for _, lines in pairs[: len(taken)])

    def _raw(self, change: PathChange) -> str:
        return self._site.raw(self._at, change.path) if change.new is not None and self._at is not None else ""

    def _mark(self, change: PathChange, anchor: str, mark: Mark, here: bool) -> ShownMark:
        address = f"#{anchor}L{mark.line}"
        if not here and mark.line is not None:
            address = self._site.line(self._at or HEAD, change.path, mark.line)
        return ShownMark(mark.tag, cut(mark.what, 160), mark.line, self._decision(mark), address)

    def _decision(self, mark: Mark) -> str:
        here = mark.number in self._decisions_here
        return f"#d{mark.number}" if here else f"{self._here}?decisions={mark.number}"

    def _difference(self, change: PathChange, skip: int, most: int, *, pictures: bool = False) -> _Difference:
        """The difference of two texts, or None; sentences that go with it; and pictures, where they are asked for."""
        old, new = change.before, change.new
        sentences = [mode_change(old.mode, new.mode)] if old and new and old.mode != new.mode else []
        sides = [side for side in (old, new) if side is not None]
        if change.became:
            return _Difference(None, [gettext("It is {name} now.").format(name=display_path(change.became))])
        if old and new and old.hash == new.hash:
            same = [] if change.old else [gettext("The content is the same.")]
            return _Difference(None, [*sentences, *same])
        if any(side.mode in (SYMLINK, GITLINK) for side in sides):
            return _Difference(None, [*sentences, *self._links(old, new)])
        if any(side.kind == CONFLICT for side in sides):
            return _Difference(None, [*sentences, gettext("One side is an unresolved conflict.")])
        if max(side.size for side in sides) > LARGEST_COMPARED:
            self._uncounted = True
            said = gettext("Too large to compare here: {sizes}.").format(sizes=_sizes(old, new))
            return _Difference(None, [*sentences, said])
        weight = sum(side.size for side in sides)
        if weight > self._bytes:
            self._uncounted = True
            said = gettext("Not compared on this page, which holds enough already: {sizes}.")
            return _Difference(None, [*sentences, said.format(sizes=_sizes(old, new))])
        self._bytes -= weight
        before = self._read(old) if old else None
        after = self._read(new) if new else None
        shown = self._pictures(change, before, after) if pictures else ()
        if is_binary(before or b"") or is_binary(after or b""):
            said = gettext("Binary content: {sizes}.").format(sizes=_sizes(old, new))
            return _Difference(None, sentences if shown else [*sentences, said], shown)
        diff = diff_contents(before, after, most, skip, self._look.ignore_space)
        if not diff.added and not diff.deleted and self._look.ignore_space and (before or after):
            return _Difference(None, [*sentences, gettext("Nothing but spaces differs.")], shown)
        if not diff.added and not diff.deleted:
            return _Difference(None, [*sentences, gettext("The file is empty.")], shown)
        return _Difference(diff, sentences, shown)

    def _pictures(self, change: PathChange, before: bytes | None, after: bytes | None) -> tuple[Picture, ...]:
        """Both sides, where one is a picture: before and after as they are served, or only how large they are."""
        found = []
        for entry, data, word in ((change.before, before, _BEFORE), (change.new, after, _AFTER)):
            picture = pictured(entry.path, data, word) if entry is not None and data is not None else None
            if picture is not None and entry is not None:
                raw = self._raw(change) if entry is change.new else self._raw_before and self._raw_before(entry.path)
                found.append(replace(picture, address=raw or ""))
        if not found or not self._pictured:
            return ()
        self._pictured -= 1
        return tuple(found)

    def _links(self, old: Entry | None, new: Entry | None) -> Iterable[str]:
        """What symbolic links and links to commits point at; contents of other modes are left alone."""
        for side in (old, new):
            if side is not None and side.mode in (SYMLINK, GITLINK):
                short = side.size <= 16384
                target = self._read(side).decode("utf-8", "replace") if short else gettext("(too long to show)")
                yield _points(side.mode == GITLINK, side is old).format(target=one_line(cut(target, 300)))


class _Difference(NamedTuple):
    """What a page says of one change."""

    diff: Diff | None
    sentences: list[str]
    pictures: tuple[Picture, ...] = ()


def _points(to_commit: bool, before: bool) -> str:
    if to_commit:
        return gettext("It pointed to commit “{target}”.") if before else gettext("It points to commit “{target}”.")
    return gettext("It pointed to “{target}”.") if before else gettext("It points to “{target}”.")


def _line(file: ShownFile) -> str:
    return render_to_string("pages/_change.html", {"file": file})


def _frame_words(file: ShownFile, sentences: Sequence[str], found: Sequence[Mark]) -> str:
    """What a file weighs beside its rows: its name in the index, its header, its margin."""
    words = [file.name, file.name, file.name, file.address, file.whole, " " * 40, *sentences]
    return " ".join(words + [f"{mark.tag} {mark.line} {cut(mark.what, 160)}" for mark in found[:_MOST_MARKS]])


def _sizes(old: Entry | None, new: Entry | None) -> str:
    if old is None or new is None:
        only = old or new
        assert only is not None
        return size_words(only.size)
    return gettext("{old} before, {new} after").format(old=size_words(old.size), new=size_words(new.size))


def op_words(change: PathChange) -> str:
    """What happened to a path: new, deleted, renamed, copied, changed, mode changed."""
    if change.source is not None:
        return gettext_noop("renamed") if change.renamed else gettext_noop("copied")
    if change.old is None:
        return gettext_noop("new")
    if change.new is None:
        return gettext_noop("deleted")
    return gettext_noop("mode changed") if change.old.hash == change.new.hash else gettext_noop("changed")
