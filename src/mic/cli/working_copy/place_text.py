"""The lines of a place that clashes, as text for people."""

from __future__ import annotations

from mic.core.linediff import split_lines
from mic.core.merge3 import Clash


def plain_endings(clash: Clash) -> bool:
    """Whether all lines of all sides end with CR and LF: then the CR says nothing, and need not be shown."""
    return all(line.endswith(b"\r\n") for side in clash for line in split_lines(side))


def as_text(lines: bytes, plain: bool) -> str:
    """The lines, with U+FFFD for what is not UTF-8; `plain`: as in their place (plain_endings). Of these, too, CR is
    left out only where all of them have it."""
    if plain and all(line.endswith(b"\r\n") for line in split_lines(lines)):
        lines = lines.replace(b"\r\n", b"\n")
    return lines.decode("utf-8", "replace")
