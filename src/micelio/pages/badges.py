"""Badges: what a project counts, as a small picture of two halves; the same bytes for the same words."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

# Of Verdana at 11 pixels, in tenths, as browsers measure it; `textLength` makes any other font as wide.
_NARROW, _WIDE = frozenset(" !'()*,.:;Iijl|[]ftr-/"), frozenset("@%MWmw–")
_TENTHS = {"narrow": 45, "usual": 70, "wide": 105}
_PADDING = 6
# White on either has more than 4.5:1 (WCAG 2.2, 1.4.3).
LEFT, RIGHT = "#3a3733", "#6a45b5"
_LONGEST = 40


@dataclass(frozen=True)
class Badge:
    """A label and what there is to say."""

    label: str
    message: str

    def svg(self) -> str:
        """The picture, with a title for those who do not see it."""
        label, message = self.label[:_LONGEST], self.message[:_LONGEST]
        one, two = _width(label), _width(message)
        left, right = one + 2 * _PADDING, two + 2 * _PADDING
        words = escape(f"{label}: {message}")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img"'
            f' aria-label="{words}">'
            f'<title>{words}</title><clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
            f'<g clip-path="url(#r)"><path fill="{LEFT}" d="M0 0h{left}v20H0z"/>'
            f'<path fill="{RIGHT}" d="M{left} 0h{right}v20H{left}z"/></g>'
            '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
            f'<text x="{_PADDING}" y="14" textLength="{one}">{escape(label)}</text>'
            f'<text x="{left + _PADDING}" y="14" textLength="{two}">{escape(message)}</text></g></svg>'
        )

    def endpoint(self) -> dict[str, object]:
        """As shields.io takes it from an endpoint."""
        return {"schemaVersion": 1, "label": self.label, "message": self.message, "color": RIGHT.lstrip("#")}


def _width(text: str) -> int:
    """Pixels of a text, at least one."""
    kinds = ("narrow" if c in _NARROW else "wide" if c in _WIDE or ord(c) > 0x2E7F else "usual" for c in text)
    return max(1, round(sum(_TENTHS[kind] for kind in kinds) / 10))
