"""The data of a page as Markdown, for pages that say nothing better of themselves.

Those that do put texts of people into theirs by `escaped`, `opening` and `passage`.

What somebody wrote stands there as text: it ends no line, cell or block of ours, and is no markup of its own. A bare
address of the web stays one, which some readers show as a link to what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from micelio.pages.text import cut, one_line, visible

# Characters of a whole text, beyond which it refers to the JSON, and of one text in a cell of a table.
LONGEST = 1 << 20
_CELL = 300
# Objects within objects that have a heading of their own; what is deeper stands on one line.
_DEEPEST = 4
# CommonMark lets every one of these be escaped; inside a line no other character begins anything. `_` begins nothing
# between letters or digits, where names and paths have it most.
_MARKUP = re.compile(r"[\\`*\[\]<>&|~$#]|_(?![^\W_])|(?<![^\W_])_")
_MARKER = re.compile(r"\A(\d{0,9})([-+=.)])")
_BACKTICKS = re.compile("`+")
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")


def as_text(title: str, data: Mapping[str, Any], whole: str, longest: int = LONGEST) -> str:
    """`title` and under it `data`, which is made of what JSON has; `whole` says where all of it is."""
    kept: list[str] = []
    left = longest
    for block in _blocks(data, 2):
        if len(block) + 2 > left:
            kept += [*_begin(block, left), f"The rest is left out here. All of it: {escaped(whole)}"]
            break
        kept.append(block)
        left -= len(block) + 2
    return "\n\n".join([f"# {escaped(title)}", *kept]) + "\n"


def escaped(text: str) -> str:
    """A text that stands within a line, as itself."""
    return _MARKUP.sub(lambda found: "\\" + found.group(), one_line(text))


def opening(text: str) -> str:
    """The same where a block begins, where a few more characters mean something."""
    return _begun(escaped(text))


def _begun(text: str) -> str:
    return _MARKER.sub(lambda found: f"{found[1]}\\{found[2]}", text.lstrip())


def passage(text: str) -> str:
    """A text that stands by itself: one line as `opening`, several as they were written, between fences; "" of none."""
    text = text.strip("\r\n")
    return _as_written(text) if "\n" in text else opening(text)


def _begin(block: str, most: int) -> list[str]:
    """The lines of a block that fit into `most` characters, if any."""
    lines = block[: max(most, 0)].split("\n")[:-1]
    if lines and lines[0].startswith("```"):
        lines.append(lines[0])
    return ["\n".join(lines)] if lines else []


def _blocks(data: Mapping[str, Any], level: int) -> Iterator[str]:
    """What is said in a word or a line first, then what has parts, each under its name."""
    plain = [f"- {opening(name)}: {_words(value)}" for name, value in data.items() if _short(value)]
    if plain:
        yield "\n".join(plain)
    for name, value in data.items():
        if _short(value):
            continue
        yield f"{'#' * level} {escaped(name)}"
        if isinstance(value, str):
            yield _as_written(value)
        elif isinstance(value, Mapping):
            yield from _blocks(value, level + 1)
        else:
            yield from _list(name, value, level + 1)


def _short(value: Any) -> bool:
    """Whether it is said on one line."""
    if isinstance(value, str):
        return "\n" not in value.rstrip() and len(value) <= 4 * _CELL
    return not isinstance(value, Mapping | Sequence) or not value


def _list(name: str, rows: Sequence[Any], level: int) -> Iterator[str]:
    if all(isinstance(row, Mapping) for row in rows):
        flat = [dict(_flat(row)) for row in rows]
        if level > _DEEPEST or all(_fits(value) for row in flat for value in row.values()):
            yield _table(flat)
            return
        for number, row in enumerate(rows, 1):
            yield f"{'#' * level} {escaped(name)} {number}"
            yield from _blocks(row, level + 1)
    else:
        yield "\n".join(f"- {_begun(_words(row))}" for row in rows)


def _flat(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The columns of a row: what is in an object within it is one too, as `last.position`."""
    for name, value in row.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def _fits(value: Any) -> bool:
    return len(value if isinstance(value, str) else _words(value)) <= _CELL


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    columns = [name for name in columns if any(row.get(name) is not None for row in rows)] or columns[:1]
    lines = [[escaped(name) for name in columns], ["---"] * len(columns)]
    lines += [[_cell(row.get(name)) for name in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    return "" if value is None else escaped(cut(value, _CELL)) if isinstance(value, str) else _words(value)


def _words(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return escaped(value.rstrip()) or "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{escaped(name)}: {_words(each)}" for name, each in value.items()) or "none"
    if isinstance(value, Sequence):
        return "; ".join(map(_words, value)) or "none"
    return "none" if value is None else escaped(str(value))


def _as_written(text: str) -> str:
    """A text of several lines between fences that are longer than any in it."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{visible(_LINE_ENDS.sub(chr(10), text)).rstrip(chr(10))}\n{fence}"
