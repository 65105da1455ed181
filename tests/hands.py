"""Somebody at a page in a real browser: with a mouse, or with keys alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.urls import resolve

# Stops of the Tab key after which whatever one looks for is out of reach.
_MOST_STOPS = 250
# The form that a button sends: where to, and the act that the button or a hidden field names.
_SENT = """button => button.form && button.form.method === "post" && [
  new URL(button.form.getAttribute("action") || "", location.href).pathname,
  ["act", "action"].includes(button.name) ? button.value : button.form.querySelector("input[name=act]")?.value ?? ""]"""


class Mouse:
    """Does what a task says by pointing. `sent` collects (name of the address, act) of each form that was sent."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.sent: set[tuple[str, str]] = set()

    def go(self, address: str) -> None:
        answer = self.page.goto(address)
        assert answer.status < 400, (address, answer.status)

    def fill(self, field: str, value: str) -> None:
        self.page.locator(field).first.fill(value)

    def tick(self, field: str) -> None:
        self.page.locator(field).first.check()

    def choose(self, field: str, value: str) -> None:
        self.page.locator(field).first.select_option(value)

    def upload(self, field: str, file: Path) -> None:
        self.page.locator(field).first.set_input_files(file)

    def open(self, summary: str) -> None:
        """Unfold what is folded."""
        self.page.locator(summary).first.click()

    def press(self, button: str) -> None:
        """A button or a link that leads to a page."""
        found = self.page.locator(button).first
        form = found.evaluate(f"e => e.matches('button') ? ({_SENT})(e) : null")
        self._reach(found)
        with self.page.expect_navigation() as arrived:
            self._act(found)
        status = arrived.value.status if arrived.value is not None else 200
        assert status < 400, (button, status, self.page.url, self.says())
        if form:
            self.sent.add((resolve(form[0]).view_name, form[1]))

    def enter(self) -> None:
        """Send what was just written."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def download(self, link: str) -> str:
        """The name of the file that comes."""
        found = self.page.locator(link).first
        self._reach(found)
        with self.page.expect_download() as coming:
            self._act(found)
        return str(coming.value.suggested_filename)

    def says(self) -> str:
        return str(self.page.inner_text("body"))

    def _reach(self, found: Any) -> None:
        """What comes before acting on it."""

    def _act(self, found: Any) -> None:
        found.click()


class Keys(Mouse):
    """The same with Tab, arrows, Space, Enter and letters; no pointer, and no jump that a reader could not make."""

    def fill(self, field: str, value: str) -> None:
        self._reach(self.page.locator(field).first)
        self._press("Control+A")
        self._press("Delete")
        self.page.keyboard.insert_text(value)

    def tick(self, field: str) -> None:
        found = self.page.locator(field).first
        if found.get_attribute("type") == "radio":
            self._reach(found, "(e, now) => now.type === 'radio' && now.name === e.name && now.form === e.form")
            for _ in range(found.evaluate("e => document.getElementsByName(e.name).length")):
                if found.evaluate("e => e === document.activeElement"):
                    break
                self._press("ArrowDown")
        else:
            self._reach(found)
        if not found.is_checked():
            self._press("Space")
        assert found.is_checked(), field

    def choose(self, field: str, value: str) -> None:
        found = self.page.locator(field).first
        self._reach(found)
        down = found.evaluate("(e, v) => [...e.options].findIndex(o => o.value === v) - e.selectedIndex", value)
        for _ in range(abs(down)):
            self._press("ArrowDown" if down > 0 else "ArrowUp")
        assert found.input_value() == value, field

    def upload(self, field: str, file: Path) -> None:
        # The dialog behind it is the system's, and none opens where nobody looks.
        self._reach(self.page.locator(field).first)
        super().upload(field, file)

    def open(self, summary: str) -> None:
        found = self.page.locator(summary).first
        self._reach(found)
        self._act(found)

    def _act(self, found: Any) -> None:
        self._press("Enter")

    def _reach(self, found: Any, there: str = "(e, now) => now === e") -> None:
        """Tab until it has the focus, over the link that skips to the content where it is in there."""
        element = found.element_handle()
        if element.evaluate("e => document.activeElement === document.body && !!e.closest('main')"):
            self._press("Tab")
            self._press("Enter")
        for _ in range(_MOST_STOPS):
            if element.evaluate(f"e => ({there})(e, document.activeElement)"):
                return
            self._press("Tab")
        raise AssertionError(f"no key leads to {found} of {self.page.url}")

    def _press(self, key: str) -> None:
        self.page.keyboard.press(key)
