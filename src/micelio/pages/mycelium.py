"""The picture of whoever has uploaded none: hyphae that grow from the middle of a circle, the same for a name for ever.

Nothing but the name goes into it, so it can be drawn of names that nobody has.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sin

# Hues that a figure may have, as the stylesheet and the cards know them: light, dark.
INKS = (
    ("#6a45b5", "#bda6f7"), ("#1a5b9e", "#8fbcf0"), ("#0d6670", "#7fcfd0"),
    ("#216a38", "#8fcf9f"), ("#96480b", "#e5b07a"), ("#963a74", "#e59ac8"),
)  # fmt: skip
_RADIUS = 12.0


@dataclass(frozen=True, slots=True)
class Figure:
    """Lines and dots in a circle of radius 12 around (12, 12). `ink` is an index of `INKS`."""

    ink: int
    lines: tuple[tuple[tuple[float, float], ...], ...]
    dots: tuple[tuple[float, float], ...]


@lru_cache(maxsize=512)
def figure_of(name: str) -> Figure:
    """The figure of a name. Capitals make no difference, as in handles."""
    drawn = hashlib.sha256(name.lower().encode("utf-8", "replace")).digest()
    branches = 4 + drawn[1] % 4
    turn = drawn[2] / 255 * 2 * pi
    lines: list[tuple[tuple[float, float], ...]] = []
    dots: list[tuple[float, float]] = []
    for number in range(branches):
        bend, fork, reach = drawn[4 + number], drawn[12 + number], drawn[20 + number]
        angle = turn + 2 * pi * number / branches + (bend / 255 - 0.5) * 0.7
        knee = _at(angle, 3.2 + reach % 16 / 8)
        spread = 0.22 + fork % 32 / 80
        ends = [_at(angle - spread, 7.4 + reach % 5 / 2), _at(angle + spread, 6.4 + fork % 7 / 2)]
        lines.append(((12.0, 12.0), knee, ends[0]))
        lines.append((knee, ends[1]))
        dots.append(ends[bend % 2])
    return Figure(drawn[0] % len(INKS), tuple(lines), tuple(dots))


def _at(angle: float, radius: float) -> tuple[float, float]:
    return round(12 + radius * cos(angle), 1), round(12 + radius * sin(angle), 1)


def svg_body(figure: Figure) -> str:
    """What stands inside of the `svg`, drawn in `currentColor`; without any text."""
    path = "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in line) for line in figure.lines)
    path += "".join(f"M{x:g} {y:g}h0" for x, y in figure.dots)
    return f'<path d="{path}"/>'


def whole_svg(name: str) -> str:
    """A file of its own, for other sites; light or dark as its reader has it."""
    figure = figure_of(name)
    light, dark = INKS[figure.ink]
    style = (
        f"svg{{color:{light};background:#f4f1ea}}@media(prefers-color-scheme:dark){{svg{{color:{dark};background:#232120}}}}"
        "path{fill:none;stroke:currentColor;stroke-width:1.3;stroke-linecap:round;stroke-linejoin:round}"
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="256" height="256">'
        f"<style>{style}</style>{svg_body(figure)}</svg>"
    )
