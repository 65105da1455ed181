from mic.core.ids import content_hash
from mic.core.session import Decision
from mic.core.tree import BLOB, Entry
from micelio.pages.addresses import Ref, Site
from micelio.pages.changes import MOST_FILES, MOST_LISTED, ChangesPage, PathChange, ShownChanges
from micelio.pages.evidence import Mark, marks
from micelio.pages.images import image_type
from micelio.pages.modes import mode_change

STORE: dict[bytes, bytes] = {}


def entry(path: bytes, data: bytes, mode: int = 0o100644) -> Entry:
    STORE[content_hash(data)] = data
    return Entry(path, mode, BLOB, len(data), content_hash(data))


def show(*changes: PathChange, decisions: tuple[Decision, ...] = ()) -> ShownChanges:
    page = ChangesPage(Site("acme", "api"), lambda found: STORE[found.hash], decisions, Ref(3))
    return page.show(list(changes))


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
    """Fifty files are shown, five hundred named, the others counted; a file with a reason is always shown."""
    changes = [PathChange(b"f%04d" % n, None, entry(b"f%04d" % n, b"x\n")) for n in range(600)]
    shown = show(*changes, decisions=(Decision("Keep the last", evidence="f0599"),))
    assert (len(shown.files), len(shown.rest), shown.total) == (MOST_FILES, MOST_LISTED, 600)
    assert shown.files[0].path == b"f0599"
    assert shown.unlisted == 600 - MOST_FILES - MOST_LISTED
    assert shown.added == MOST_FILES


def test_rows_are_bounded_over_all_files() -> None:
    """The first file may use up the page; the others are listed, and the cut is said."""
    big = PathChange(b"a", None, entry(b"a", b"x\n" * 5000))
    shown = show(big, PathChange(b"b", None, entry(b"b", b"y\n")))
    assert shown.files[0].sentences == ("Only the first 3,000 lines of this difference are shown.",)
    assert [file.name for file in shown.rest] == ["b"]


def test_too_large_to_compare() -> None:
    """Contents beyond the limit are not read at all."""
    huge = Entry(b"huge", 0o100644, BLOB, 1 << 30, bytes(32))
    assert show(PathChange(b"huge", None, huge)).files[0].sentences == ("Too large to compare here: 1.0 GiB.",)


def test_marks_name_only_what_the_evidence_names() -> None:
    """Path or path:line, letter for letter; nothing is guessed."""
    decisions = [
        Decision("one", evidence="src/a.py:12"),
        Decision("two", evidence="see `src/b.py`, src/a.py and src/ab.py"),
        Decision("three", evidence="a.py"),
        Decision("four", evidence="my notes.txt:3"),
    ]
    assert marks(decisions, [b"src/a.py", b"src/b.py", b"my notes.txt"]) == {
        b"src/a.py": [Mark("D1", "one", 12), Mark("D2", "two", None)],
        b"src/b.py": [Mark("D2", "two", None)],
        b"my notes.txt": [Mark("D4", "four", 3)],
    }


def test_a_mark_leads_to_its_line() -> None:
    """Inside a shown hunk the mark points at the row, elsewhere at the file's page."""
    change = PathChange(b"a", None, entry(b"a", b"1\n2\n"))
    shown = show(change, decisions=(Decision("here", evidence="a:2"), Decision("away", evidence="a:99")))
    assert [mark.address for mark in shown.files[0].marks] == ["#f1L2", "/acme/api/-/file/@3/a#L99"]
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
