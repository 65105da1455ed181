"""Source text as lines of safe HTML, coloured by a dozen short classes.

Results are kept by content hash and lexer, in memory, up to a stated number of characters.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import overload

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name, get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

from micelio.languages.spoken import gettext, spoken
from micelio.languages.words import number_words
from micelio.pages.text import visible

# Above this a file is offered as a download: cutting it into lines takes 50 ms, on each of its pages.
LARGEST_SHOWN = 8 * 1024 * 1024
# Characters of one line; what is longer was not written to be read.
LONGEST_LINE = 1000
# Above this a file is shown without colour: Pygments reads about 0.5 to 1 MB/s, and a page has 50 ms.
LARGEST_COLOURED = 128 * 1024
# Characters of one piece of code in a text that is coloured; more of it is not there to be read.
LONGEST_IN_TEXT = 16 * 1024
# Characters of HTML kept: about 64 MB in memory.
_KEPT = 32 * 1024 * 1024

# Ancestors of token types -> class in the stylesheet. The longest ancestor wins.
_CLASSES: dict[_TokenType, str] = {
    Token.Comment: "c",
    Token.Comment.Preproc: "d",
    Token.Keyword: "k",
    Token.Keyword.Type: "t",
    Token.Keyword.Constant: "m",
    Token.Operator.Word: "k",
    Token.Literal.String: "s",
    Token.Literal.String.Doc: "c",
    Token.Literal.Number: "m",
    Token.Name.Function: "f",
    Token.Name.Class: "t",
    Token.Name.Namespace: "t",
    Token.Name.Builtin: "b",
    Token.Name.Exception: "t",
    Token.Name.Decorator: "d",
    Token.Name.Tag: "k",
    Token.Name.Attribute: "f",
    Token.Name.Constant: "m",
    Token.Name.Label: "d",
    Token.Generic.Heading: "k",
    Token.Generic.Subheading: "k",
    Token.Generic.Deleted: "x",
    Token.Generic.Inserted: "s",
    Token.Generic.Emph: "d",
    Token.Generic.Strong: "k",
}


# Every class that coloured code has.
CLASSES = frozenset(_CLASSES.values())


class _Shelf:
    """A bounded memory of finished results; oldest leave first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._used = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[bytes, str], tuple[str, ...]] = OrderedDict()

    def get(self, key: tuple[bytes, str]) -> tuple[str, ...] | None:
        with self._lock:
            lines = self._kept.get(key)
            if lines is not None:
                self._kept.move_to_end(key)
            return lines

    def put(self, key: tuple[bytes, str], lines: tuple[str, ...]) -> None:
        size = sum(map(len, lines))
        if size > self._capacity // 8:
            return
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = lines
            self._used += size
            while self._used > self._capacity:
                _, old = self._kept.popitem(last=False)
                self._used -= sum(map(len, old))


_shelf = _Shelf(_KEPT)
_class_of: dict[_TokenType, str] = {}


def _class(kind: _TokenType) -> str:
    found = _class_of.get(kind)
    if found is None:
        ancestor: _TokenType | None = kind
        while ancestor is not None and ancestor not in _CLASSES:
            ancestor = ancestor.parent
        found = _class_of[kind] = _CLASSES[ancestor] if ancestor is not None else ""
    return found


def lexer_for(name: str, text: str = "") -> Lexer:
    """The lexer for a file name; plain text when the name says nothing."""
    try:
        return get_lexer_for_filename(name, text[:4096], stripnl=False, ensurenl=False)
    except ClassNotFound:
        return TextLexer(stripnl=False, ensurenl=False)


def _cut(line: str) -> tuple[str, str]:
    """A line as far as it is shown, and the safe words for what is left out."""
    more = len(line) - LONGEST_LINE
    if more <= 0:
        return line, ""
    said = gettext("… {count} characters more").format(count=number_words(more))
    return line[:LONGEST_LINE], f" <em>{said}</em>"


class _PlainLines(Sequence[str]):
    """Lines of a large text, made safe one by one when they are looked at."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return _PlainLines(self._lines[at])
        shown, more = _cut(self._lines[at])
        return escape(visible(shown)) + more


def _coloured(text: str, lexer: Lexer) -> tuple[str, ...]:
    lines: list[str] = []
    line: list[str] = []
    for kind, value in lexer.get_tokens(text):
        name = _class(kind)
        for index, part in enumerate(value.split("\n")):
            if index:
                lines.append("".join(line))
                line = []
            if part:
                shown = escape(visible(part))
                line.append(f"<b class={name}>{shown}</b>" if name and not part.isspace() else shown)
    lines.append("".join(line))
    return tuple(lines)


def coloured(code: str, language: str) -> str:
    """Code in a text as safe HTML, coloured by the language that it says; "" for one that nobody knows, or too much."""
    if len(code) > LONGEST_IN_TEXT or len(language) > 40:
        return ""
    kind = _lexer_named(language.lower())
    return "\n".join(_coloured(code, kind(stripnl=False, ensurenl=False))) if kind is not None else ""


@lru_cache(maxsize=256)
def _lexer_named(language: str) -> type[Lexer] | None:
    try:
        return find_lexer_class_by_name(language)
    except ClassNotFound:
        return None


def highlight(data: bytes, name: str, content_hash: bytes) -> Sequence[str]:
    """`data` as one HTML string per line, safe to put into a page as it is; long lines are cut, and say so.

    A line end at the end of the file makes no extra line. `name` chooses the language; `content_hash` is the
    SHA-256 of `data` and keys the memory. At most `LARGEST_SHOWN` bytes may be passed.
    """
    assert len(data) <= LARGEST_SHOWN, "the caller offers larger files as a download"
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    whole = text.split("\n")
    if not whole[-1]:
        whole.pop()
    lexer = lexer_for(name, text) if len(data) <= LARGEST_COLOURED else TextLexer()
    if isinstance(lexer, TextLexer):
        return _PlainLines(whole)
    # Lines that are cut say so in a language; others are the same in all of them.
    said = spoken().code if any(len(line) > LONGEST_LINE for line in whole) else ""
    key = (content_hash, lexer.name + said)
    lines = _shelf.get(key)
    if lines is None:
        cut = [_cut(line) for line in whole]
        coloured = _coloured("".join(line + "\n" for line, _ in cut), lexer)[:-1]
        if len(coloured) != len(cut):  # a lexer that loses lines must not shift their numbers
            return _PlainLines(whole)
        lines = tuple(line + more for line, (_, more) in zip(coloured, cut, strict=True))
        _shelf.put(key, lines)
    return lines
