"""Pages in a real browser, served by a real forge."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forge_process import Forge

pytestmark = pytest.mark.browser

TELL = "import django; django.setup(); import odd_files, pages_story; odd_files.land(pages_story.tell('-seen'))"
PAGES = {
    "home": "/",
    "organization": "/acme-seen",
    "project": "/acme-seen/api",
    "directory": "/acme-seen/api/-/tree/@2/data",
    "file": "/acme-seen/api/-/file/head/src/auth/tokens.py",
    "blame": "/acme-seen/api/-/blame/head/src/auth/tokens.py",
    "document": "/acme-seen/api/-/file/head/README.md",
    "landings": "/acme-seen/api/-/landings",
    "session": "/acme-seen/api/-/landings/3",
    "one-change": "/acme-seen/api/-/landings/3/changes/3",
    "source": "/acme-seen/api/-/file/head/README.md?view=source",
    "table": "/acme-seen/api/-/file/head/t/wide.csv",
    "notebook": "/acme-seen/api/-/file/head/n/readable.ipynb",
    "picture": "/acme-seen/api/-/file/head/s/mark.svg",
    "from-git": "/acme-seen/api/-/landings/2",
    "person": "/@maintainer-seen",
    "search": "/-/search?q=tokens",
    "explore": "/-/explore",
    "not-found": "/acme-seen/nothing",
    "sign-in": "/-/sign-in",
    "sign-up": "/-/sign-up",
}


@pytest.fixture(scope="session")
def seen(forge: Forge) -> Forge:
    """The shared forge with the story told in it, once: these tests may be gone on with behind those of other files."""
    tests = Path(__file__).parents[1]
    environment = forge.environment | {
        "DJANGO_SETTINGS_MODULE": "micelio.django_settings",
        "PYTHONPATH": os.pathsep.join((str(tests), str(tests.parent / "src"))),
    }
    subprocess.run([sys.executable, "-c", TELL], env=environment, check=True)
    return forge


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_two_requests_and_no_complaint(seen: Forge, chromium: Any, path: str) -> None:
    """A cold page is two requests, itself and its stylesheet (pictures of the project aside), and logs nothing.

    Where there are differences one script more, deferred.
    """
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(seen.base_url + path)
    own = [url for url in asked if not url.startswith("data:") and "/-/raw/" not in url]
    scripts = [url for url in own if "/-/keys-" in url]
    assert len(scripts) == ("Changes in" in page.content())
    assert len(own) - len(scripts) == 2
    assert [text for text in said if "404" not in text] == []
    page.close()


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_a_warm_visit_is_one_request(seen: Forge, chromium: Any, path: str) -> None:
    """Whoever comes again asks for the page alone: stylesheet, script and faces are the browser's already."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    asked: dict[str, str] = {}
    kept: set[str] = set()
    network.on("Network.requestWillBeSent", lambda event: asked.update({event["requestId"]: event["request"]["url"]}))
    network.on("Network.requestServedFromCache", lambda event: kept.add(event["requestId"]))
    network.on(
        "Network.responseReceived",
        lambda event: kept.add(event["requestId"]) if event["response"].get("fromDiskCache") else None,
    )

    def travelled() -> list[str]:
        asked.clear()
        kept.clear()
        page.goto(seen.base_url + path, wait_until="networkidle")
        urls = [url for number, url in asked.items() if number not in kept and not url.startswith("data:")]
        # The picture of the tab comes behind the page, as the browser likes.
        return [url.removeprefix(seen.base_url) for url in urls if "/-/raw/" not in url and "/-/mark-" not in url]

    cold = travelled()
    assert cold[0] == path
    assert len([url for url in cold if "/-/keys-" not in url and "/-/picture/" not in url]) == 2
    page.goto("about:blank")
    assert travelled() == [path]
    context.close()


@pytest.mark.parametrize("width", [320, 390, 1280, 3840])
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_no_page_scrolls_sideways(seen: Forge, chromium: Any, path: str, width: int) -> None:
    """From 320 px to 4K only code scrolls, inside its own region that the keyboard can reach, and a row of tabs, whose
    links the keyboard reaches.
    """
    page = chromium.new_page(viewport={"width": width, "height": 800})
    page.goto(seen.base_url + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    unreachable = page.evaluate(
        "[...document.querySelectorAll('main :not(nav)')].filter(e => e.scrollWidth > e.clientWidth + 1 &&"
        " ['auto','scroll'].includes(getComputedStyle(e).overflowX) && e.tabIndex < 0)"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert unreachable == []
    page.close()


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_the_keyboard_sees_where_it_is(seen: Forge, chromium: Any, path: str) -> None:
    """The first stop skips to the content; every stop has a visible outline, and targets are 24 px or in a text."""
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.goto(seen.base_url + path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    for _ in range(6):
        page.keyboard.press("Tab")
        width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        if page.evaluate("document.activeElement !== document.body"):
            assert width >= 2
    page.close()


def test_an_svg_runs_nothing(seen: Forge, chromium: Any) -> None:
    """Neither on its page nor opened alone, where it would be a document; it is drawn with its own styles in both."""
    page = chromium.new_page(viewport={"width": 400, "height": 400})
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for rest in ("/-/file/head/s/mark.svg", "/-/raw/head/s/mark.svg"):
        page.goto(f"{seen.base_url}/acme-seen/api{rest}")
        page.wait_for_load_state("networkidle")
    picture = page.locator("rect")
    assert picture.evaluate("rect => getComputedStyle(rect).fill") == "rgb(0, 128, 0)"
    page.close()


def test_differences_have_keys(seen: Forge, chromium: Any) -> None:
    """From file to file and change to change, the sheet of keys, the other views; not while somebody writes."""
    page = chromium.new_page(viewport={"width": 1280, "height": 400})
    page.goto(seen.base_url + "/acme-seen/api/-/landings/3")

    def here() -> str:
        return str(page.evaluate("document.activeElement.getAttribute('aria-label')"))

    for key, name in (("n", "src/auth/keys.py"), ("n", "src/auth/secret.py"), ("n", "src/auth/tokens.py")):
        page.keyboard.press(key)
        assert here() == name
    page.keyboard.press("p")
    assert here() == "src/auth/secret.py"
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("n")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.press("s")
    assert page.evaluate("document.activeElement.value") == "s"
    page.evaluate("document.activeElement.blur()")
    for key, query in (("s", "?view=split"), ("w", "?view=split&space=ignore")):
        page.keyboard.press(key)
        page.wait_for_url("**" + query)
    page.goto(seen.base_url + "/acme-seen/api/-/landings/3/changes/3")
    page.keyboard.press("n")
    page.wait_for_url("**/changes/4")
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("button", name="Close").click()
    assert not page.get_by_role("dialog", name="Keys").is_visible()
    page.close()


def test_j_and_k_go_from_change_to_change(seen: Forge, chromium: Any) -> None:
    """Each brings the next change of any file to the upper edge, or the one before; at the ends nothing moves."""
    page = chromium.new_page(viewport={"width": 1280, "height": 300})
    page.goto(seen.base_url + "/acme-seen/api/-/compare/@1...@3")
    places = """[...document.querySelectorAll(".diff pre")].flatMap((one) => {
      const heads = [...one.querySelectorAll(".h")];
      return heads.length ? heads : [one];
    })"""
    count = page.evaluate(f"{places}.length")
    assert count >= 4

    def here() -> int:
        return int(page.evaluate(f"{places}.indexOf(document.activeElement)"))

    went = []
    for key in "jjjkk":
        page.keyboard.press(key)
        went.append(here())
        # What scrolling to it leaves above it: the stylesheet's `scroll-padding-top`.
        assert abs(page.evaluate("document.activeElement.getBoundingClientRect().top") - 16) <= 1
    assert went == [0, 1, 2, 1, 0]
    page.keyboard.press("k")
    assert here() == 0
    page.close()


def test_the_sheet_of_keys(seen: Forge, chromium: Any) -> None:
    """`?` shows every key with what it does; while it is open no key acts, and Escape or its button closes it."""
    page = chromium.new_page(viewport={"width": 390, "height": 600})
    page.goto(seen.base_url + "/acme-seen/api/-/landings/3")
    sheet = page.get_by_role("dialog", name="Keys")
    page.keyboard.press("?")
    assert sheet.is_visible()
    assert sheet.locator("kbd").all_inner_texts() == ["n", "p", "j", "k", "s", "w", "/", "?"]
    assert all(text.strip() for text in sheet.locator("dd").all_inner_texts())
    address, above = page.url, page.evaluate("scrollY")
    for key in "jns/":
        page.keyboard.press(key)
    assert (page.url, page.evaluate("scrollY")) == (address, above)
    page.keyboard.press("Escape")
    assert not sheet.is_visible()
    page.keyboard.press("?")
    sheet.get_by_role("button", name="Close").click()
    assert not sheet.is_visible()
    page.close()


def test_from_a_decision_to_its_message_and_back(seen: Forge, chromium: Any) -> None:
    """Without a script: one link leads to the message that decided, one from there to the decision."""
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(f"{seen.base_url}/acme-seen/api/-/landings/3")
    page.get_by_role("link", name="We need sign-in by e-mail. Use tokens, and keep it stateless.").click()
    assert page.url.endswith("/landings/3#m1")
    assert "Decided in reply:" in page.locator("#m1").inner_text()
    page.locator("#m1").get_by_role("link", name="D1 Sign with EdDSA").click()
    assert page.url.endswith("/landings/3#d1")
    page.get_by_role("link", name="Only for refresh. Fifteen minutes is fine for the rest.").click()
    assert page.url.endswith("/landings/3#m3")
    assert "Decided after it:" in page.locator("#m3").inner_text()
    context.close()


def test_the_menu_of_somebody_signed_in_needs_no_script(seen: Forge, chromium: Any) -> None:
    """Signed in by the one-time link, with scripts off: the menu opens, and signing out works."""
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(seen.once_link)
    page.locator("main button").click()
    page.goto(seen.base_url + "/")
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto(seen.base_url + "/")
    assert page.get_by_role("link", name="Sign in").is_visible()
    context.close()
