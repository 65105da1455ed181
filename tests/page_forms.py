"""The forms of a page, as a browser without a script would send them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit


@dataclass
class Form:
    """Where it goes and what it holds: fields with their values, buttons with a name as (name, value)."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)  # fields that a person fills in; the others are hidden or chosen
    buttons: list[tuple[str, str]] = field(default_factory=list)


def forms_of(source: str, address: str) -> list[Form]:
    """All forms of the page at `address`; the path of an action, without a host."""
    reader = _Reader(address)
    reader.feed(source)
    reader.close()
    return reader.forms


class _Reader(HTMLParser):
    def __init__(self, address: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._address = address
        self._named: dict[str, Form] = {}
        self._waiting: list[tuple[str, str, dict[str, str]]] = []
        self._open: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            target = urlsplit(urljoin(self._address, values.get("action", "") or self._address))
            path = target.path + (f"?{target.query}" if target.query else "")
            self._open = Form(path, values.get("method", "get").lower())
            self.forms.append(self._open)
            if values.get("id"):
                self._named[values["id"]] = self._open
        elif tag in ("input", "textarea", "select", "button"):
            if values.get("form"):
                self._waiting.append((values["form"], tag, values))
            elif self._open is not None:
                self._take(self._open, tag, values)
        elif tag == "option" and self._select and self._open is not None:
            first = not self._open.fields[self._select]
            if first or "selected" in values:
                self._open.fields[self._select] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""

    def close(self) -> None:
        super().close()
        for name, tag, values in self._waiting:
            self._take(self._named[name], tag, values)

    def _take(self, form: Form, tag: str, values: dict[str, str]) -> None:
        name, kind = values.get("name", ""), values.get("type", "submit" if tag == "button" else "text")
        if not name:
            return
        if tag == "button" or kind == "submit":
            form.buttons.append((name, values.get("value", "")))
        elif kind in ("radio", "checkbox"):
            if name not in form.fields or "checked" in values:
                form.fields[name] = values.get("value", "on")
        else:
            form.fields.setdefault(name, values.get("value", ""))
            if tag == "select":
                self._select = name
            elif kind != "hidden":
                form.typed.add(name)
