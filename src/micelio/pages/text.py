"""Words for people: control characters made visible, paths, sizes and dates.

Pure functions; the present is always an argument.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

# Characters of a first line that stands as a headline, on its page and in lists.
LONGEST_HEADLINE = 200

# Characters that change the order of what is read without being seen ("Trojan Source", CVE-2021-42574).
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# C0 controls but tab, line feed and carriage return; DEL; C1 controls.
_UNSEEN = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_BIDI}]")
_UNSEEN_IN_NAMES = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI}]")


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return f"[U+{code:04X}]"


def visible(text: str) -> str:
    """`text` with every control and bidi character shown as a mark, but for tab and line ends."""
    return _UNSEEN.sub(_picture, text)


def one_line(text: str) -> str:
    """`visible`, and line ends too: for names, goals in lists, anything that must stay on its line."""
    return _UNSEEN_IN_NAMES.sub(_picture, text)


def display_path(path: bytes) -> str:
    """A path as people see it: UTF-8, U+FFFD where it is not, controls as pictures."""
    return one_line(path.decode("utf-8", "replace"))


def headline(text: str) -> tuple[str, str]:
    """A goal or a Git message as (first line, the rest); both may be empty. A first line of great length is divided."""
    first, _, rest = text.strip("\r\n").partition("\n")
    first, rest = first.strip(), rest.strip("\r\n")
    if len(first) > LONGEST_HEADLINE:
        return cut(first, LONGEST_HEADLINE), f"…{first[LONGEST_HEADLINE:]}\n\n{rest}".rstrip()
    return first, rest


def cut(text: str, most: int) -> str:
    """`text`, or its first `most` characters and an ellipsis."""
    return text if len(text) <= most else text[:most].rstrip() + "…"


_OWN_LINE = re.compile(r"[\s*+\-#>|]|\d+[.)]\s|[A-Za-z][\w-]*: ")


def reflow(text: str) -> str:
    """A message wrapped for a terminal, with its paragraphs joined so that a page can wrap them again.

    Lines that stand for themselves keep their place: indented ones, items of a list, trailers such as `Fixes: 1`.
    """
    lines: list[str] = []
    joined = False
    for line in text.split("\n"):
        own = not line.strip() or _OWN_LINE.match(line) is not None
        if joined and not own:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.rstrip())
        joined = not own
    return "\n".join(lines)


def size_words(size: int) -> str:
    """Bytes in words: 0 bytes, 1 byte, 1.4 KiB, 23 MiB."""
    if size < 1024:
        return "1 byte" if size == 1 else f"{size} bytes"
    value = float(size)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        value /= 1024
        if value < 1023.95 or unit == "TiB":
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:,.0f} {unit}"
    raise AssertionError("unreachable")


def count_words(count: int, one: str, many: str = "") -> str:
    """`1 file`, `1,204 files`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


_STEPS = ((60, "minute", 60), (3600, "hour", 24), (86400, "day", 7), (604800, "week", 8))


def since(then: datetime, now: datetime) -> str:
    """How long ago, for people: `just now`, `3 hours ago`, `5 weeks ago`, and the date itself beyond eight weeks.

    A time ahead of `now` (imported histories hold some) is given as its date.
    """
    seconds = int((now - then).total_seconds())
    if -60 < seconds < 60:
        return "just now"
    if seconds > 0:
        for length, word, most in _STEPS:
            count = seconds // length
            if count < most:
                return f"{count_words(count, word)} ago"
    moment = then.astimezone(UTC)
    return f"{moment.day} {moment:%b} {moment.year}"


def day_words(then: datetime) -> str:
    """`20 November 2026`, in UTC."""
    moment = then.astimezone(UTC)
    return f"{moment.day} {moment:%B} {moment.year}"


def full_time(then: datetime) -> str:
    """`20 November 2026, 21:56 UTC`."""
    return f"{day_words(then)}, {then.astimezone(UTC):%H:%M} UTC"


def took(start: datetime, end: datetime) -> str:
    """Length of a session: `38 min`, `2 h 5 min`, `3 days`; empty under a minute."""
    minutes = int((end - start).total_seconds()) // 60
    if minutes < 1:
        return ""
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"


def initials(name: str) -> str:
    """Two letters that stand for a person: `Ada Lovelace` -> AL, `maintainer` -> MA; `?` for nobody."""
    words = [word for word in re.split(r"[^\w]+", name) if word]
    if not words:
        return "?"
    letters = words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]
    return letters.upper()
