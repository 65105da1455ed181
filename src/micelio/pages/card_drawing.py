"""Drawing a card with Pillow: 1,200 times 630 pixels, paper, ink and one accent, as pages are.

The letters are Source Serif's: Latin, Greek, Cyrillic, Vietnamese. A word of another script is left out, and so is a
headline that is mostly of one; what stands on the card instead can always be drawn.
"""

from __future__ import annotations

import threading
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING, Any

from micelio.pages.mycelium import INKS, figure_of

if TYPE_CHECKING:
    from micelio.pages.cards import Card

# To be raised when cards are drawn otherwise: their addresses change with it.
DESIGN = 1
_PAPER, _INK, _SOFT, _LINE, _ACCENT, _FAINT = "#fbfaf7", "#1f1d1a", "#68645c", "#e5e1d8", "#6a45b5", "#efe9fb"
_LEFT, _RIGHT, _TOP = 84, 1116, 76
_SIZES = (76, 66, 56, 48)
_COLOURS = 48
# A font of FreeType may be used by one thread at a time.
_drawing = threading.Lock()


def draw(card: Card) -> bytes:
    """The card as a PNG; the same card gives the same bytes."""
    from PIL import Image, ImageDraw

    with _drawing:
        image = Image.new("RGB", (1200, 630), _PAPER)
        pen = ImageDraw.Draw(image)
        _mark(pen)
        _text(pen, (_LEFT + 56, _TOP - 6), _shown(card.place, "")[:60], _font(34, 500), _SOFT)
        headline = _shown(card.headline, card.instead)
        width = _RIGHT - _LEFT - (250 if not card.points else 0)
        size, lines = _fitted(headline, width, 3 if card.points else 4)
        y = 168
        for line in lines:
            _text(pen, (_LEFT, y), line, _font(size, 500), _INK)
            y += round(size * 1.2)
        y += 26
        for line in _wrapped(_shown(card.about, ""), _font(34, 400), width)[:3]:
            _text(pen, (_LEFT, y), line, _font(34, 400), _SOFT)
            y += 46
        for name, what in card.points:
            if y > 470:
                break
            _point(pen, y, name, _shown(what, ""))
            y += 56
        _foot(pen, card)
        if card.figure and not card.points:
            _figure(image, card.figure)
        # Few colours, so that a card has some ten KB; without dithering, which is noise beside letters.
        flat = image.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        written = BytesIO()
        flat.save(written, "PNG", optimize=True)
    return written.getvalue()


@cache
def _font(size: int, weight: int) -> Any:
    from PIL import ImageFont

    name = files("fontpkg_source_serif_4") / "files" / "SourceSerif4[opsz,wght].ttf"
    # Pillow's own layout: another one is used where a library happens to be installed, and its widths differ.
    font = ImageFont.truetype(str(name), size, layout_engine=ImageFont.Layout.BASIC)
    font.set_variation_by_axes([weight, min(60, max(8, size))])
    return font


@cache
def _nothing() -> bytes:
    """How the font draws what it does not have."""
    return bytes(_font(34, 400).getmask("\U0010fffd"))


@cache
def _has(character: str) -> bool:
    return character.isspace() or bytes(_font(34, 400).getmask(character)) != _nothing()


def _shown(text: str, instead: str) -> str:
    """`text` with an ellipsis for each word that cannot be drawn; `instead` when that is a third of it or more."""
    # Nothing from outside may make the store of answers grow: it is asked of the first characters only.
    words = text[:300].split()
    drawn = [word if all(map(_has, word)) else "…" for word in words]
    if sum(word == "…" for word in drawn) * 3 >= max(1, len(drawn)) or not drawn:
        return instead
    return " ".join(word for at, word in enumerate(drawn) if word != "…" or at == 0 or drawn[at - 1] != "…")


def _wrapped(text: str, font: Any, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        whole = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(whole) <= width:
            lines[-1] = whole
        else:
            while font.getlength(word) > width:
                at = max(1, int(len(word) * width / font.getlength(word)) - 1)
                lines.append(word[:at])
                word = word[at:]
            lines.append(word)
    return lines


def _fitted(text: str, width: int, most: int) -> tuple[int, list[str]]:
    """The largest size at which a headline has so few lines; the smallest one cuts it."""
    for size in _SIZES:
        lines = _wrapped(text, _font(size, 500), width)
        if len(lines) <= most - (size > 60):
            return size, lines
    return size, [*lines[: most - 1], lines[most - 1].rstrip(",;.") + "…"]


def _text(pen: Any, at: tuple[int, int], text: str, font: Any, ink: str) -> None:
    pen.text(at, text, font=font, fill=ink)


def _mark(pen: Any) -> None:
    """Our circle, as in the head of pages."""
    scale, left, top = 40 / 24, _LEFT, _TOP - 4

    def at(x: float, y: float) -> tuple[float, float]:
        return left + x * scale, top + y * scale

    pen.ellipse([at(2, 2), at(22, 22)], outline=_ACCENT, width=3)
    for line in (
        ((12, 22), (12, 14), (7, 10), (5, 6)), ((7, 10), (10, 6)), ((12, 14), (17, 10), (14, 6)), ((17, 10), (19, 6)),
    ):  # fmt: skip
        pen.line([at(x, y) for x, y in line], fill=_ACCENT, width=3, joint="curve")


def _point(pen: Any, y: int, name: str, what: str) -> None:
    font = _font(26, 700)
    wide = font.getlength(name)
    pen.rounded_rectangle([_LEFT, y + 4, _LEFT + wide + 24, y + 42], 8, fill=_FAINT)
    _text(pen, (_LEFT + 12, y + 5), name, font, _ACCENT)
    body = _font(32, 400)
    room = _RIGHT - _LEFT - round(wide) - 44
    lines = _wrapped(what, body, room)
    line = (lines[0] + ("…" if len(lines) > 1 else "")) if lines else ""
    _text(pen, (_LEFT + round(wide) + 44, y), line, body, _SOFT)


def _foot(pen: Any, card: Card) -> None:
    pen.line([(_LEFT, 540), (_RIGHT, 540)], fill=_LINE, width=2)
    x = float(_LEFT)
    if card.accent:
        pen.ellipse([x, 571, x + 14, 585], fill="#216a38")
        font = _font(28, 600)
        _text(pen, (round(x) + 24, 559), card.accent, font, "#216a38")
        x += 24 + font.getlength(card.accent) + 30
    font = _font(28, 400)
    for fact in card.facts:
        fact = _shown(fact, "")
        if not fact or x + font.getlength(fact) > _RIGHT:
            continue
        _text(pen, (round(x), 559), fact, font, _SOFT)
        x += font.getlength(fact) + 30


def _figure(image: Any, handle: str) -> None:
    """The picture of a handle, four times as large and made smaller: Pillow's lines have hard edges."""
    from PIL import Image, ImageDraw

    figure, side = figure_of(handle), 880
    drawn = Image.new("RGB", (side, side), _PAPER)
    pen = ImageDraw.Draw(drawn)
    scale = side / 24
    pen.ellipse([0, 0, side - 1, side - 1], fill="#f4f1ea")
    ink, width = INKS[figure.ink][0], round(1.1 * scale)
    for line in figure.lines:
        points = [(x * scale, y * scale) for x, y in line]
        pen.line(points, fill=ink, width=width, joint="curve")
        for x, y in (points[0], points[-1]):
            pen.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=ink)
    image.paste(drawn.resize((220, 220), Image.Resampling.LANCZOS), (_RIGHT - 220, 168))
