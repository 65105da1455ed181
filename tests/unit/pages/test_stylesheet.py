import gzip
import re
from io import BytesIO

import pytest

from micelio.pages.mark import ico, mark_address, svg
from micelio.pages.stylesheet import stylesheet

CSS = stylesheet()[1].decode()
LIGHT, DARK = re.findall(r":root\{(.*?)\}", CSS)[:2]
TEXT = ("ink", "soft", "accent", "ok", "bad", "warn", "k", "s", "m", "f", "t", "d")


def colours(block: str) -> dict[str, tuple[int, int, int]]:
    found = dict(re.findall(r"--([\w-]+):#([0-9a-f]{3,6})(?=[;}])", block + ";"))
    wide = {name: "".join(2 * c for c in code) if len(code) == 3 else code for name, code in found.items()}
    return {name: (int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16)) for name, code in wide.items()}


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("block", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read(block: str) -> None:
    """Every text colour has 4.5:1 on every ground that it stands on, in both schemes (WCAG 2.2, 1.4.3)."""
    found = colours(block)
    grounds = ("paper", "raised", "faint")
    low = [(text, on) for text in TEXT for on in grounds if contrast(found[text], found[on]) < 4.5]
    low += [("ink", on) for on in ("add", "del", "add-mark", "del-mark") if contrast(found["ink"], found[on]) < 4.5]
    low += [("accent", "accent-faint")] if contrast(found["accent"], found["accent-faint"]) < 4.5 else []
    low += [("paper", "accent")] if contrast(found["paper"], found["accent"]) < 4.5 else []
    assert low == []


@pytest.mark.parametrize("block", [LIGHT, DARK], ids=["light", "dark"])
def test_borders_of_controls_and_focus_can_be_seen(block: str) -> None:
    """3:1 for what shows where a control is, and for the focus ring (WCAG 2.2, 1.4.11)."""
    found = colours(block)
    for name in ("edge", "accent"):
        assert contrast(found[name], found["paper"]) >= 3
        assert contrast(found[name], found["raised"]) >= 3


def test_one_light_file() -> None:
    """The stylesheet loads nothing and has room to spare: 30 KiB is the budget of a whole page."""
    assert "url(" not in CSS
    assert "@import" not in CSS
    assert len(CSS) < 30 * 1024


def test_the_stylesheet_is_light() -> None:
    """At most 12 KiB on the wire, in every scheme: light, dark, high contrast, forced colours."""
    assert len(gzip.compress(stylesheet()[1], 6)) <= 12 * 1024
    for asked in ("prefers-color-scheme:dark", "prefers-contrast:more", "forced-colors:active"):
        assert f"({asked})" in CSS
    assert CSS.count("{") == CSS.count("}")


def test_icons_are_ours_in_every_size() -> None:
    """An .ico of 16, 32 and 48 pixels, and an SVG whose address changes with it."""
    from PIL import Image

    assert Image.open(BytesIO(ico())).info["sizes"] == {(16, 16), (32, 32), (48, 48)}
    assert b"<circle" in svg()
    assert re.fullmatch(r"/-/mark-[0-9a-f]{12}\.svg", mark_address())
