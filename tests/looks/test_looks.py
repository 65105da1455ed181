"""How the main pages look, beside small pictures that somebody has looked at: four widths, light and dark.

`make test-looks` compares; `make test-looks ACCEPT=1` writes them anew, to be looked at before they are committed.
Pictures are a third of the size and have few colours, so that letters drawn a little differently make no difference,
and whatever moves, is missing or has another colour does.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from forge_process import Forge

pytestmark = pytest.mark.browser

PICTURES = Path(__file__).with_name("pictures")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ACCEPT = bool(os.environ.get("ACCEPT"))
TELL = "import django; django.setup(); import pages_story; pages_story.tell('-look')"
PROJECT = "/acme-look/api"
PAGES = {
    "home": "/",
    "organization": "/acme-look",
    "person": "/@maintainer-look",
    "project": PROJECT,
    "file": f"{PROJECT}/-/file/head/src/auth/tokens.py",
    "blame": f"{PROJECT}/-/blame/head/src/auth/tokens.py",
    "landings": f"{PROJECT}/-/landings",
    "session": f"{PROJECT}/-/landings/3",
    "side-by-side": f"{PROJECT}/-/landings/3/changes/3?view=split",
    "design": "/-/design",
}
WIDTHS = (390, 768, 1280, 1920)
# What is looked at of a page, in CSS pixels from its top.
HEIGHT = 1500
SMALLER = 3
# Channels that differ by more than this are another colour; so many pixels of a picture may.
NEAR, FEW = 40, 0.004
# The letters of Debian's fonts-dejavu on every machine; times, ages, ids and the year's graph are other ones each day.
STYLE = """
:root{--sans:"DejaVu Sans"!important;--serif:"DejaVu Serif"!important;--mono:"DejaVu Sans Mono"!important}
footer.page,.year svg,.year details{visibility:hidden}
"""
SCRIPT = """() => {
  for (const one of document.querySelectorAll("time")) one.textContent = "3 November";
  for (const one of document.querySelectorAll(".cmd"))
    one.textContent = one.textContent.replace(/localhost:[0-9]+/, "micelio.example");
  for (const one of document.querySelectorAll(".meta span"))
    if (/, took /.test(one.textContent)) one.lastChild.textContent = ", took 38 min";
}"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """A forge with the story told in it."""
    forge = Forge(tmp_path_factory.mktemp("look") / "data", MICELIO_LIMITS="off")
    tests = Path(__file__).parents[1]
    environment = forge.environment | {
        "DJANGO_SETTINGS_MODULE": "micelio.django_settings",
        "PYTHONPATH": os.pathsep.join((str(tests), str(tests.parent / "src"))),
    }
    subprocess.run([sys.executable, "-c", TELL], env=environment, check=True)
    yield forge
    forge.end()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--hide-scrollbars"])
        yield browser
        browser.close()


def _picture(page: Any, width: int, scheme: str) -> Image.Image:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": HEIGHT})
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = shot.resize((width // SMALLER, HEIGHT // SMALLER), Image.Resampling.BOX)
    return small.quantize(64, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


def _differing(one: Image.Image, other: Image.Image) -> float:
    """The part of the pixels that have another colour."""
    if one.size != other.size:
        return 1.0
    bands = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).split()
    most = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    return sum(most.histogram()[NEAR + 1 :]) / (one.size[0] * one.size[1])


@pytest.mark.parametrize("name", PAGES)
def test_it_looks_as_it_did(told: Forge, chromium: Any, name: str, tmp_path: Path) -> None:
    """Each picture is the one that was accepted; a new one lies beside the test's output."""
    context = chromium.new_context(base_url=told.base_url, bypass_csp=True)
    page = context.new_page()
    page.goto(PAGES[name])
    page.add_style_tag(content=STYLE)
    page.evaluate(SCRIPT)
    changed = []
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            made, kept = _picture(page, width, scheme), PICTURES / f"{name}-{width}-{scheme}.png"
            if ACCEPT:
                kept.parent.mkdir(exist_ok=True)
                if not kept.exists() or _differing(made, Image.open(kept)) > 0:
                    made.save(kept, optimize=True)
                continue
            differing = _differing(made, Image.open(kept))
            if differing > FEW:
                made.save(tmp_path / kept.name)
                changed.append(f"{kept.name}: {differing:.1%} differs, see {tmp_path / kept.name}")
    context.close()
    assert changed == []


def test_what_is_kept_is_what_is_compared() -> None:
    """No picture of a page that is gone, and all of them together small."""
    names = {f"{name}-{width}-{scheme}.png" for name in PAGES for width in WIDTHS for scheme in ("light", "dark")}
    assert {path.name for path in PICTURES.iterdir()} == names
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < 1_500_000


def test_another_look_is_seen() -> None:
    """A line that moved by six pixels, and a colour that changed, are told; a shade is not."""
    plain = Image.new("RGB", (130, 100), "#fbfaf7")
    moved, other = plain.copy(), plain.copy()
    plain.paste("#1f1d1a", (10, 10, 60, 13))
    moved.paste("#1f1d1a", (10, 12, 60, 15))
    other.paste("#6a45b5", (10, 10, 60, 13))
    assert _differing(plain, plain.point(lambda value: max(0, value - 20))) == 0
    assert _differing(plain, moved) > FEW
    assert _differing(plain, other) > FEW
