import difflib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from html_check import CORPUS, Document, dangers
from micelio.pages.diff_html import affordable, diff_rows, is_one_sided, join_taken, split_rows
from micelio.pages.diffs import CONTEXT, diff_contents, mark_words


def rows(old: bytes | None, new: bytes | None) -> list[str]:
    return [
        row.sign + "".join(text for _, text in row.pieces)
        for hunk in diff_contents(old, new).hunks
        for row in hunk.rows
    ]


def test_a_changed_line_with_its_neighbours() -> None:
    """Three lines of context, numbers of both sides, the hunk's title as a unified diff writes it."""
    old = b"".join(b"%d\n" % n for n in range(1, 21))
    diff = diff_contents(old, old.replace(b"10\n", b"ten\n"))
    (hunk,) = diff.hunks
    assert hunk.title == "@@ -7,7 +7,7 @@"
    assert [(row.sign, row.old, row.new) for row in hunk.rows] == [
        (" ", 7, 7),
        (" ", 8, 8),
        (" ", 9, 9),
        ("-", 10, None),
        ("+", None, 10),
        (" ", 11, 11),
        (" ", 12, 12),
        (" ", 13, 13),
    ]
    assert (diff.added, diff.deleted) == (1, 1)


@settings(max_examples=150, deadline=None)
@given(*[st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n"]), max_size=30)] * 2)
def test_hunks_make_the_new_text_from_the_old(old: list[bytes], new: list[bytes]) -> None:
    """Applying the rows to the old text gives the new one, whatever the hunks; hunks never overlap."""
    diff = diff_contents(b"".join(old), b"".join(new))
    made, at = [], 0
    for hunk in diff.hunks:
        start = hunk.old_start - 1 if hunk.old_lines else hunk.old_start
        assert start >= at
        made += old[at:start]
        at = start + hunk.old_lines
        made += [row.pieces[0][1].encode() + b"\n" for row in hunk.rows if row.sign != "-" and len(row.pieces) == 1]
        made += [
            "".join(text for _, text in row.pieces).encode() + b"\n"
            for row in hunk.rows
            if row.sign != "-" and len(row.pieces) != 1
        ]
    assert made + old[at:] == new
    assert diff.added - diff.deleted == len(new) - len(old)


def test_titles_agree_with_a_second_opinion() -> None:
    """Hunks are cut where the standard library cuts them."""
    old = [f"{n}\n" for n in range(60)]
    new = [*old[:5], "x\n", *old[5:30], *old[31:50], "y\n", *old[51:]]
    theirs = [line for line in difflib.unified_diff(old, new, n=CONTEXT) if line.startswith("@@")]
    ours = [hunk.title + "\n" for hunk in diff_contents("".join(old).encode(), "".join(new).encode()).hunks]
    assert ours == theirs


def test_new_and_gone_files() -> None:
    """A missing side is no line at all."""
    assert rows(None, b"a\nb\n") == ["+a", "+b"]
    assert rows(b"a\n", None) == ["-a"]
    assert diff_contents(b"a\n", b"a\n").hunks == ()


def test_a_missing_line_end_is_said() -> None:
    """A change that is only the last line's end is visible."""
    diff = diff_contents(b"a\nb", b"a\nb\n")
    assert "(no line end)" in join_taken(diff_rows(diff, "f1", {}))
    assert (diff.added, diff.deleted) == (1, 1)


def test_words_that_differ_are_marked() -> None:
    """Marks cover what changed and leave the rest."""
    old, new = mark_words("    def issue(self, user) -> str:", "    def issue(self, user) -> Token:")
    assert [text for marked, text in old if marked] == ["str"]
    assert [text for marked, text in new if marked] == ["Token"]


@pytest.mark.parametrize(("old", "new"), [("completely", "different things"), ("", "x"), ("a" * 500, "b" * 500)])
def test_unlike_lines_are_not_marked(old: str, new: str) -> None:
    """Marks on everything would say nothing."""
    assert not any(marked for side in mark_words(old, new) for marked, _ in side)


def test_large_differences_are_cut_and_counted() -> None:
    """Rows stop at the limit, counts do not; a very long line is cut with its length said."""
    diff = diff_contents(None, b"x\n" * 50_000, most_rows=100)
    assert diff.rows == 100
    assert diff.added == 50_000
    (row,) = diff_contents(None, b"y" * 5000).hunks[0].rows
    assert (len(row.pieces[0][1]), row.left_out) == (500, 4500)


@pytest.mark.parametrize("skip", [1, 4, 9, 10, 11, 17, 40])
def test_rows_can_be_skipped(skip: int) -> None:
    """The rest of a difference is the whole one without its first rows; the totals are of all."""
    old = b"".join(b"%d\n" % n for n in range(60))
    new = old.replace(b"7\n8\n9\n", b"seven\n8\n").replace(b"40\n", b"forty\n41 and a half\n")
    whole = [row for hunk in diff_contents(old, new).hunks for row in hunk.rows]
    rest = diff_contents(old, new, skip=skip)
    assert [row for hunk in rest.hunks for row in hunk.rows] == whole[skip:]
    assert rest.total_rows == len(whole)


def test_html_of_a_difference() -> None:
    """Signs stand in the text; lines of one kind share an ins or del, unchanged ones are their number and text."""
    html = join_taken(diff_rows(diff_contents(b"a\n", b"a\nb\nc\n"), "f1", {2: [("D1", "#d1")]}))
    line = '<i id="f1L2">  2 +</i>b <a class=tag href="#d1">D1</a>\n'
    assert html == f"<i>1 1  </i>a\n<ins>{line}<i>  3 +</i>c\n</ins>"


def test_a_page_that_ends_anywhere_is_whole() -> None:
    """However many rows fit, each element that began has an end."""
    rows = diff_rows(diff_contents(b"a\nb\nc\nd\n", b"a\nx\ny\nd\n"), "f1", {})
    for taken in range(len(rows) + 1):
        html = str(join_taken(rows[:taken]))
        assert html.count("<i>") == taken
        for tag in ("ins", "del"):
            assert html.count(f"<{tag}>") == html.count(f"</{tag}>")


@settings(max_examples=100, deadline=None)
@given(*[st.lists(st.sampled_from(["a b c d e f\n", "a x c y e z\n", "a b c d e z\n", "q\n"]), max_size=30)] * 2)
def test_two_elements_a_line(old: list[str], new: list[str]) -> None:
    """Titles of hunks and marks of words included, whatever is changed."""
    diff = diff_contents("".join(old).encode(), "".join(new).encode())
    html = str(join_taken(diff_rows(diff, "f1", {})))
    assert len(re.findall("<[a-z]", html)) <= 2 * diff.rows


@pytest.mark.parametrize(
    ("context", "changed", "marks"),
    [
        (3, ("one TWO three FOUR five", "one two three four five"), ["two", "four"]),
        (0, ("one TWO three FOUR five", "one two three four five"), []),
        (1, ("one TWO three FOUR five", "one two three four five"), ["two three four"]),
    ],
)
def test_marks_are_as_fine_as_two_elements_a_line_allow(
    context: int, changed: tuple[str, str], marks: list[str]
) -> None:
    """Each word that differs where unchanged lines leave room; else all that lies between the first and the last."""
    around = b"same\n" * context
    old, new = (around + text.encode() + b"\n" + around for text in changed)
    rows = [row for hunk in affordable(diff_contents(old, new)).hunks for row in hunk.rows]
    assert [text for row in rows if row.sign == "+" for marked, text in row.pieces if marked] == marks


def test_no_difference_runs() -> None:
    """Hostile lines are text in every kind of row."""
    text = "\n".join(CORPUS).encode()
    for old, new in ((None, text), (text, None), (text, text.replace(b"alert", b"prompt"))):
        html = join_taken(diff_rows(diff_contents(old, new), "f1", {}))
        assert dangers(html) == []
        assert not {element.tag for element in Document(html).elements} - {"span", "ins", "del", "i", "mark", "em"}


BLOCK = b"def first_of_them(values):\n    found = values[0]\n    return found\n"
FILLER = b"".join(b"line %d of the filler\n" % n for n in range(12))


def test_lines_that_lie_elsewhere_are_marked() -> None:
    """A block that goes below another is no deletion: both its places have arrows, whatever its indent is now."""
    indented = b"".join(b"    " + line for line in BLOCK.splitlines(True))
    diff = diff_contents(BLOCK + FILLER, FILLER + indented)
    moved = [(row.sign, row.old, row.new) for hunk in diff.hunks for row in hunk.rows if row.moved]
    assert moved == [("-", 1, None), ("-", 2, None), ("-", 3, None), ("+", None, 13), ("+", None, 14), ("+", None, 15)]
    html = join_taken(diff_rows(diff, "f1", {}))
    assert html.count("class=v") == 2
    assert (html.count("&lt;</i>"), html.count("&gt;</i>")) == (3, 3)


def test_a_few_short_lines_are_not_moved() -> None:
    """Two lines, or three braces, stand in two places by chance."""
    for block in (b"    return found\n    pass\n", b"}\n}\n}\n"):
        diff = diff_contents(block + FILLER, FILLER + block)
        assert not any(row.moved for hunk in diff.hunks for row in hunk.rows)


def test_spaces_can_be_left_aside() -> None:
    """A file that was only indented has no difference then, and a changed word has its line alone."""
    old, new = b"if a:\n  b = 1\n  c = 2\n", b"if a:\n    b  = 1\n    c = 3\n"
    assert diff_contents(old, new).added == 2
    diff = diff_contents(old, new, ignore_space=True)
    assert (diff.added, diff.deleted) == (1, 1)
    assert diff_contents(b"a\n b\n", b"a\n\tb \n", ignore_space=True).hunks == ()


@settings(max_examples=100, deadline=None)
@given(*[st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n"]), max_size=30)] * 2)
def test_two_columns_hold_both_files(old: list[bytes], new: list[bytes]) -> None:
    """Side by side: the left column is of old lines in their order, the right one of new; each row is counted once."""
    diff = diff_contents(b"".join(old), b"".join(new))
    pairs = split_rows(diff, "f1", {})
    assert sum(lines for _, lines in pairs) == diff.rows
    page = Document("<pre>" + "".join(html for html, _ in pairs) + "</pre>")
    assert len(page.all("i")) <= 2 * diff.rows
    signs = [row.sign for hunk in diff.hunks for row in hunk.rows]
    assert len(page.all("del")) == signs.count("-")
    assert len(page.all("ins")) == signs.count("+")


def test_what_stands_beside_what() -> None:
    """A replaced line stands beside its replacement, a new one beside nothing; a new file has one column."""
    (html,) = [html for html, lines in split_rows(diff_contents(b"a\n", b"b\n"), "f1", {2: []}) if lines == 2]
    assert html == "<del><i>1 -</i>a\n</del><ins><i>1 +</i>b\n</ins>"
    last = split_rows(diff_contents(b"a\n", b"a\nb\n"), "f1", {})[-1]
    assert last == ("<b></b><ins><i>2 +</i>b\n</ins>", 1)
    assert is_one_sided(diff_contents(None, b"a\n"))
    assert not is_one_sided(diff_contents(b"a\n", b"b\n"))


def test_marks_end_where_a_page_has_worked_enough() -> None:
    """Long lines are compared as long as that takes a moment; the last ones are shown as they are."""
    old, new = ([f"{n} {word} " + "abcdefgh " * 40 for n in range(100)] for word in ("one", "two"))
    diff = diff_contents("\n".join(old).encode(), "\n".join(new).encode())
    marked = [any(differs for differs, _ in row.pieces) for hunk in diff.hunks for row in hunk.rows if row.sign == "+"]
    assert len(marked) == 100
    assert marked[0]
    assert not marked[-1]


@pytest.mark.parametrize(
    ("old", "new", "gone", "come"),
    [
        ("keep this one word", "keep this two word", ["one"], ["two"]),
        ("a b c d e", "a b d e", ["c "], []),
        ("same ends here", "same middle ends here", [], ["middle "]),
        ("first(a, b), last", "first(b, a), last", ["a", "b"], ["b", "a"]),
    ],
)
def test_marks_between_what_both_lines_begin_and_end_with(old: str, new: str, gone: list[str], come: list[str]) -> None:
    """What both begin and end with is never marked, and both sides still say their whole line."""
    left, right = mark_words(old, new)
    assert ["".join(text for _, text in side) for side in (left, right)] == [old, new]
    assert [text for marked, text in left if marked] == gone
    assert [text for marked, text in right if marked] == come
