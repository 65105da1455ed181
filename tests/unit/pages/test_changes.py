import gzip
from collections.abc import Iterable
from dataclasses import replace

from html_check import Document
from mic.core.ids import content_hash
from mic.core.session import Decision
from mic.core.tree import BLOB, Entry
from micelio.pages.addresses import Ref, Site
from micelio.pages.changes import (
    AT_ONCE,
    IN_PARTS,
    MOST_INDEXED,
    MOST_LISTED,
    ChangesPage,
    ShownChanges,
    ShownFile,
    amount,
)
from micelio.pages.diff_look import USUAL, DiffLook
from micelio.pages.images import image_type
from micelio.pages.modes import mode_change
from micelio.pages.path_change import PathChange
from micelio.pages.weight import ROOM
from micelio.sessions.evidence import Mark, marks

STORE: dict[bytes, bytes] = {}


def entry(path: bytes, data: bytes, mode: int = 0o100644) -> Entry:
    STORE[content_hash(data)] = data
    return Entry(path, mode, BLOB, len(data), content_hash(data))


def page(decisions: tuple[Decision, ...] = (), look: DiffLook = USUAL) -> ChangesPage:
    shown = range(1, len(decisions) + 1)
    here = "/acme/api/-/landings/3"
    scale = amount(look).scale()
    site = Site("acme", "api")
    return ChangesPage(site, lambda found: STORE[found.hash], decisions, Ref(3), here, scale, shown, look)


def numbered(changes: Iterable[PathChange]) -> list[PathChange]:
    return [replace(change, number=number) for number, change in enumerate(changes, 1)]


def show(*changes: PathChange, decisions: tuple[Decision, ...] = (), start: int = 1) -> ShownChanges:
    return page(decisions).show(numbered(changes), start)


def show_one(change: PathChange, first: int = 1) -> ShownFile:
    return page().show_one(numbered([change]), 1, first)


def test_what_no_difference_can_say_is_said_in_words() -> None:
    """Binary contents, symbolic links, modes, empty files: sentences instead of rows."""
    shown = show(
        PathChange(b"bin", entry(b"bin", b"\0" * 10), entry(b"bin", b"\0" * 2048)),
        PathChange(b"empty", None, entry(b"empty", b"")),
        PathChange(b"link", entry(b"link", b"a", 0o120000), entry(b"link", b"../b", 0o120000)),
        PathChange(b"run", entry(b"run", b"#!"), entry(b"run", b"#!", 0o100755)),
        PathChange(b"turned", entry(b"turned", b"text\n"), entry(b"turned", b"text", 0o120000)),
    )
    assert {file.name: file.sentences for file in shown.files} == {
        "bin": ("Binary content: 10 bytes before, 2.0 KiB after.",),
        "empty": ("The file is empty.",),
        "link": ("It pointed to “a”.", "It points to “../b”."),
        "run": ("The file became executable.",),
        "turned": ("It was a plain file and became a symbolic link.", "It points to “text”."),
    }
    assert not any(file.html for file in shown.files)
    assert shown.files[3].op_words == "mode changed"


def test_many_files_are_bounded_and_named() -> None:
    """Fifty files are opened, two hundred named, the others on further pages; a file with a reason comes first."""
    changes = [PathChange(b"f%04d" % n, None, entry(b"f%04d" % n, b"x\n")) for n in range(600)]
    decisions = (Decision("Keep the last", evidence="f0599"),)
    shown = show(*changes, decisions=decisions)
    assert (len(shown.files), len(shown.rest), shown.total) == (IN_PARTS.files, MOST_LISTED, 600)
    assert shown.files[-1].path == b"f0599"
    assert (shown.unlisted, shown.next) == (600 - IN_PARTS.files - MOST_LISTED, IN_PARTS.files + MOST_LISTED + 1)
    assert (shown.added, shown.deleted) == (None, None)
    assert shown.rest[0].summary == "+1"
    seen = {file.path for file in (*shown.files, *shown.rest)}
    while shown.next:
        shown = show(*changes, decisions=decisions, start=shown.next)
        seen |= {file.path for file in (*shown.files, *shown.rest)}
    assert seen == {change.path for change in changes}


def test_up_to_fifty_names_stand_in_the_index_whatever_the_files_hold() -> None:
    """By path, opened or not, however much the first differences would take; the others are told by number."""
    noise = b"".join(content_hash(b"%d" % n).hex().encode() * 3 + b"\n" for n in range(800))
    paths = [b"packages/a-long-name-of-a-folder-%04d/module.py" % n for n in range(60)]
    for count in (30, 50, 60):
        shown = show(*(PathChange(path, None, entry(path, noise + path)) for path in paths[:count]))
        assert [file.path for file, _ in shown.index] == paths[: min(count, MOST_INDEXED)]
        assert 0 < len(shown.files) < 20
        assert shown.beyond == count - min(count, MOST_INDEXED)
        assert len(Document(shown.below).all("li")) == shown.beyond - shown.unlisted
        assert [line is None for _, line in shown.index].count(True) == len(shown.files)


def test_files_that_are_gone_are_folded() -> None:
    """Theirs are the lines that a reader seldom came for; a file without lines has nothing to fold."""
    gone, empty = (PathChange(path, entry(path, data), None) for path, data in ((b"a", b"1\n2\n"), (b"b", b"")))
    kept = PathChange(b"c", entry(b"c", b"1\n"), entry(b"c", b"2\n"))
    assert [file.is_folded for file in show(gone, empty, kept).files] == [True, False, False]


def test_rows_are_bounded_over_all_files() -> None:
    """The first file may use up the page; the others are listed, the cut is known, and the totals are of all."""
    big = PathChange(b"a", None, entry(b"a", b"x\n" * 5000))
    shown = show(big, PathChange(b"b", None, entry(b"b", b"y\n")))
    (file,) = shown.files
    assert (file.first, file.last, file.rows, file.is_cut) == (1, IN_PARTS.rows, 5000, True)
    assert file.whole == "/acme/api/-/landings/3/changes/1"
    assert [listed.name for listed in shown.rest] == ["b"]
    assert (shown.added, shown.deleted) == (5001, 0)


def test_bytes_are_bounded_too() -> None:
    """Text that does not compress ends a page long before the rows do, and a long line is cut."""
    noise = b"".join(content_hash(b"%d" % n).hex().encode() * 3 + b"\n" for n in range(800))
    file = show_one(PathChange(b"a", None, entry(b"a", noise)))
    assert 100 < file.last < 800
    assert len(gzip.compress(file.html.encode())) < ROOM
    long = show_one(PathChange(b"a", None, entry(b"a", b"x" * 2000)))
    assert '<a href="/acme/api/-/raw/@3/a">\u2026 1,500 characters more</a>' in long.html


def test_one_file_alone_is_paged_by_rows() -> None:
    """Pages follow each other without a gap, and numbers are the file's own."""
    change = PathChange(b"a", None, entry(b"a", b"".join(b"line %d\n" % n for n in range(1, 2001))))
    numbers: list[int] = []
    first = 1
    while True:
        file = show_one(change, first)
        numbers += [int(number.text.split()[0]) for number in Document(file.html).all("i")]
        if not file.is_cut:
            break
        first = file.last + 1
    assert numbers == list(range(1, 2001))


def test_all_of_a_difference_on_one_page() -> None:
    """Every line of every file, so that a browser's search finds it; within 400 KiB, and it goes on behind a link."""
    old, new = ("".join(f"{n},{word},{n * 7919 % 10**6}\n" for n in range(4000)).encode() for word in ("tree", "blob"))
    changes = [PathChange(b"a", entry(b"a", old), entry(b"a", new))]
    changes += [PathChange(b"f%03d" % n, None, entry(b"f%03d" % n, b"one\ntwo %d\n" % n)) for n in range(300)]
    shown = page(look=DiffLook(whole=True)).show(numbered(changes))
    assert (len(shown.files), shown.rest, shown.is_cut) == (301, (), False)
    assert shown.files[0].last == 8000
    assert "two 299" in shown.files[-1].html
    assert show(*changes).is_cut
    noise = b"".join(content_hash(b"%d" % n).hex().encode() + b"\n" for n in range(15_000))
    file = page(look=DiffLook(whole=True)).show_one(numbered([PathChange(b"a", None, entry(b"a", noise))]), 1, 1)
    assert file.is_cut
    assert AT_ONCE.room * 0.9 < len(gzip.compress(file.html.encode(), 6)) <= AT_ONCE.room < 400 * 1024


def test_too_large_to_compare() -> None:
    """Contents beyond the limit are not read at all, and no total pretends to have counted their lines."""
    huge = Entry(b"huge", 0o100644, BLOB, 1 << 30, bytes(32))
    shown = show(PathChange(b"huge", None, huge), PathChange(b"small", None, entry(b"small", b"x\n")))
    assert shown.files[0].sentences == ("Too large to compare here: 1.0 GiB.",)
    assert (shown.added, shown.deleted) == (None, None)


def test_marks_name_only_what_the_evidence_names() -> None:
    """Path or path:line, letter for letter; nothing is guessed."""
    decisions = [
        Decision("one", evidence="src/a.py:12"),
        Decision("two", evidence="see `src/b.py`, src/a.py and src/ab.py"),
        Decision("three", evidence="a.py"),
        Decision("four", evidence="my notes.txt:3-5"),
    ]
    assert marks(decisions, [b"src/a.py", b"src/b.py", b"my notes.txt"]) == {
        b"src/a.py": [Mark("D1", "one", 12, 12), Mark("D2", "two", None)],
        b"src/b.py": [Mark("D2", "two", None)],
        b"my notes.txt": [Mark("D4", "four", 3, 5)],
    }


def test_a_mark_leads_to_its_line() -> None:
    """Inside a shown hunk the mark points at the row, elsewhere at the file's page."""
    change = PathChange(b"a", None, entry(b"a", b"1\n2\n"))
    shown = show(change, decisions=(Decision("here", evidence="a:2"), Decision("away", evidence="a:99")))
    assert [mark.address for mark in shown.files[0].marks] == ["#f1L2", "/acme/api/-/file/@3/a?view=source#L99"]
    assert 'id="f1L2"' in shown.files[0].html


def test_modes_in_words() -> None:
    """Every change of mode has a sentence, odd modes too."""
    assert mode_change(0o100644, 0o100644) == ""
    assert mode_change(0o100755, 0o100644) == "The file is no longer executable."
    assert mode_change(0o100664, 0o160000) == "It was a file of mode 100664 and became a link to a commit elsewhere."


def test_pictures_are_known_by_their_bytes() -> None:
    """SVG and HTML are never pictures, whatever they are called."""
    assert image_type(b"\x89PNG\r\n\x1a\n...") == "image/png"
    assert image_type(b"RIFF\x00\x00\x00\x00WEBPVP8 ") == "image/webp"
    assert image_type(b"<svg xmlns='http://www.w3.org/2000/svg'/>") is None
    assert image_type(b"") is None
