"""The headings of a Markdown text, found without rendering it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*\Z")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Part:
    """A heading (level 0 before the first one) and what stands under it, up to the next heading of any level.

    `anchor` is the id that the heading has in a page, without the prefix of the renderer.
    """

    level: int
    title: str
    body: str
    anchor: str = ""


def parts(source: str) -> list[Part]:
    """The text as parts, in order. Lines in fenced code are no headings."""
    found: list[Part] = []
    seen: dict[str, int] = {}
    level, title, lines, fence = 0, "", list[str](), ""

    def close() -> None:
        if level or "\n".join(lines).strip():
            found.append(Part(level, title, "\n".join(lines).strip("\n"), once(slug(title), seen) if level else ""))

    for line in source.split("\n"):
        mark = _FENCE.match(line)
        if mark:
            if not fence:
                fence = mark[1]
            elif mark[1].startswith(fence) and not line.strip(" `~"):
                fence = ""
        match = None if fence or mark else _HEADING.match(line)
        if match is None:
            lines.append(line)
            continue
        close()
        level, title, lines = len(match[1]), match[2], []
    close()
    return found


def slug(title: str) -> str:
    """The words of a heading as an id: small letters, digits, underscores, hyphens."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def once(name: str, seen: dict[str, int]) -> str:
    """`name`, with a number behind it when the text had it before; `seen` counts."""
    again = seen.get(name, 0)
    seen[name] = again + 1
    return f"{name}-{again}" if again else name


def titled(source: str) -> tuple[str, str]:
    """The title that a text begins with, and the text without it; "" when it begins with none."""
    first, _, rest = source.lstrip("\n").partition("\n")
    match = _HEADING.match(first)
    return (match[2], rest.lstrip("\n")) if match and len(match[1]) == 1 else ("", source)


def plain(text: str) -> str:
    """Inline Markdown as words: without the marks of code, emphasis and links."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"(\*\*|__|`)", "", text)
