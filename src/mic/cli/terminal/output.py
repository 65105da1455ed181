"""What a command prints: text for people, or one JSON document; never both."""

from __future__ import annotations

import base64
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from mic.core.paths import display

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
# What a terminal is sent; others, such as the one that hides what follows, are shown like any control character.
_OURS = frozenset({"0", *_CODES.values()})
# Stands for the escape character of our own colours until `safe` lets it out: no text that was UTF-8 can hold it, so a
# goal with colours in it, which would go on over what follows, is told from them.
ESCAPE = "\udc1b"


class Output:
    """The two streams of one command. With `as_json`, `line` is silent and `document` prints; with `quiet` notes are
    silent, too, and nothing is said but contents, the document and errors.

    `to` takes the place of standard output: what is printed for somebody else, who says whether it is in colour.
    """

    def __init__(
        self, *, as_json: bool = False, quiet: bool = False, to: TextIO | None = None, colour: bool | None = None
    ) -> None:
        self.as_json, self.quiet = as_json, quiet
        self._to = to
        self.colour = not as_json and (colour_wanted(sys.stdout) if colour is None else colour)

    @property
    def terminal(self) -> bool:
        """Whether what is printed is for a terminal, perhaps behind a pager."""
        return not self.as_json and sys.stdout.isatty()

    def line(self, text: str = "") -> None:
        """A line of text for people."""
        if not self.as_json and not self.quiet:
            (self._to or sys.stdout).write(safe(text) + "\n")

    def shown_once(self, text: str) -> None:
        """A line that is the result itself and never to be had again, such as a token: also with `quiet`."""
        if not self.as_json:
            (self._to or sys.stdout).write(safe(text) + "\n")

    def flush(self) -> None:
        """Let what was printed be seen, where more of it takes its time: a pager or another program shows it then."""
        (self._to or sys.stdout).flush()

    def raw(self, data: bytes) -> None:
        """Bytes as they are: a content, a diff."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)

    def note(self, text: str) -> None:
        """Something beside the result, on standard error, in both modes."""
        if self.quiet:
            return
        sys.stdout.flush()
        sys.stderr.write(safe(text) + "\n")
        sys.stderr.flush()

    def document(self, value: dict[str, Any]) -> None:
        """The one JSON document of a command."""
        if self.as_json:
            (self._to or sys.stdout).write(json.dumps(value, ensure_ascii=False) + "\n")

    def paint(self, text: str, *styles: str) -> str:
        """`text` in colour, on a terminal that has not asked for none; for `line` and `note`, which pass it on."""
        if not self.colour or not text:
            return text
        return f"{ESCAPE}[{';'.join(_CODES[style] for style in styles)}m{text}{ESCAPE}[0m"


def colour_wanted(stream: Any) -> bool:
    """Colour goes to terminals only, and not where NO_COLOR says otherwise (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def safe(text: str) -> str:
    """Text from strangers for a terminal: control characters other than tab are shown, not sent, but for our colours,
    as `Output.paint` makes them."""
    if text.isprintable():
        return text
    out = []
    for piece in text.split("\n"):
        if not piece.isprintable():
            piece = "".join(_shown(char, piece, at) for at, char in enumerate(piece))
        out.append(piece)
    return "\n".join(out)


def _shown(char: str, text: str, at: int) -> str:
    if char.isprintable() or char == "\t":
        return char
    if char == ESCAPE and _is_colour(text, at):
        return "\x1b"
    if 0xD800 <= ord(char) <= 0xDFFF:
        return "\ufffd"
    return f"\\x{ord(char):02x}" if ord(char) < 256 else char if ord(char) > 0x2FFF else f"\\u{ord(char):04x}"


def _is_colour(text: str, at: int) -> bool:
    end = text.find("m", at)
    return end > 0 and text[at + 1 : at + 2] == "[" and all(code in _OURS for code in text[at + 2 : end].split(";"))


def path_fields(path: bytes) -> dict[str, str]:
    """A path in JSON: text, and the bytes in base64 where the text does not say them all."""
    try:
        return {"path": path.decode()}
    except UnicodeDecodeError:
        return {"path": display(path), "path_bytes": base64.b64encode(path).decode()}


def when(ms: int) -> str:
    """Unix milliseconds as a local time to the minute."""
    return _moment(ms).astimezone().strftime("%Y-%m-%d %H:%M")


def iso(ms: int) -> str:
    """Unix milliseconds as RFC 3339 in UTC."""
    return _moment(ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(ms: int) -> datetime:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


def in_units(size: int) -> str:
    """`0 bytes`, `3.0 MiB`, `1.0 GiB`."""
    if size < 1024:
        return plural(size, "byte")
    exponent = min((size.bit_length() - 1) // 10, 4)
    return f"{size / (1 << 10 * exponent):,.1f} {' KMGT'[exponent]}iB"


def plural(count: int, noun: str) -> str:
    """`1 file`, `2 files`, `5,000 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
