"""Texts from people as safe HTML: CommonMark with tables, then an allow-list.

Everything that comes out has passed `nh3` (ammonia); what the allow-list does not name is dropped. Links get
`rel="nofollow ugc noopener"`; images come from the project itself or not at all.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes, urlsplit

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from micelio.pages.addresses import Ref, Site
from micelio.pages.highlight import CLASSES, coloured
from micelio.pages.text import visible
from micelio.texts.headings import once, slug

# A text longer than this is shown as it is: the parser needs about 1 ms per 10 KB.
LARGEST_TEXT = 512 * 1024

# fmt: off
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "details", "div", "dl", "dt",
    "em", "figcaption", "figure", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p",
    "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot",
    "th", "thead", "tr", "tt", "u", "ul", "var",
}
# fmt: on
_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height", "loading"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "ol": {"start"},
    "details": {"open"},
    "abbr": {"title"},
    "pre": {"tabindex"},
    **{f"h{level}": {"id"} for level in range(2, 7)},
}
_SCHEMES = {"http", "https", "mailto"}
_REL = "nofollow ugc noopener"
_ID_PREFIX = "text-"
_HTML_HEADING = re.compile(r"(</?)h([1-6])(?=[\s/>])", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,4}%?\Z")


class Surroundings(Protocol):
    """Where a text lies, so that its relative links can be followed. Is a key of what is kept rendered."""

    @property
    def rel(self) -> str:
        """What its links say of where they lead."""

    def link(self, path: bytes, fragment: str) -> str | None:
        """The address that a relative path leads to, with the place on that page; None when nowhere."""

    def image(self, path: bytes) -> str | None:
        """The address of a picture that lies beside the text, or None."""


def resolve(directory: bytes, path: bytes) -> bytes | None:
    """A relative path as a path from the root; None when it leads out. `/x` starts at the root."""
    start = b"" if path.startswith(b"/") else directory
    joined = posixpath.normpath(posixpath.join(b"/", start, path.lstrip(b"/")))
    depth = len([part for part in start.split(b"/") if part])
    for part in path.split(b"/"):
        depth += {b"": 0, b".": 0, b"..": -1}.get(part, 1)
        if depth < 0:
            return None
    return joined.lstrip(b"/")


@dataclass(frozen=True)
class Place:
    """A directory of a project at a point."""

    site: Site
    ref: Ref
    directory: bytes

    @property
    def rel(self) -> str:
        return _REL

    def link(self, path: bytes, fragment: str) -> str | None:
        found = resolve(self.directory, path)
        if found is None:
            return None
        if not found or path.endswith(b"/"):
            return self.site.tree(self.ref, found)
        line = f"#{fragment}" if re.fullmatch(r"L\d+", fragment) else anchor(fragment)
        return self.site.file(self.ref, found) + line

    def image(self, path: bytes) -> str | None:
        found = resolve(self.directory, path)
        return self.site.raw(self.ref, found) if found else None


def anchor(fragment: str, ids: str = _ID_PREFIX) -> str:
    """What stands behind the address of a page to lead to a heading of a text in it; `ids` stands before its id."""
    return f"#{ids}{fragment}" if fragment else ""


def _link(url: str, place: Surroundings | None, ids: str) -> str | None:
    """The address that a link of a text leads to, or None to drop it."""
    parts = urlsplit(url)
    if parts.scheme or url.startswith(("//", "\\", "/\\")):
        return url if parts.scheme.lower() in _SCHEMES else None
    if not parts.path:
        return anchor(parts.fragment, ids) or None
    return None if place is None else place.link(unquote_to_bytes(parts.path), parts.fragment)


def _image(url: str, place: Surroundings | None) -> str | None:
    """The address of a picture that lies beside the text, or None."""
    parts = urlsplit(url)
    if place is None or parts.scheme or parts.netloc or not parts.path or "\\" in url:
        return None
    return place.image(unquote_to_bytes(parts.path))


def _attribute_filter(place: Surroundings | None, ids: str) -> Callable[[str, str, str], str | None]:
    def keep(tag: str, name: str, value: str) -> str | None:
        try:
            if name == "href":
                return _link(value, place, ids)
            if name == "src":
                return _image(value, place)
        except ValueError:  # urlsplit refuses some malformed hosts; a link that cannot be read is no link
            return None
        if name in ("width", "height"):
            return value if _NUMBER.match(value) else None
        return value

    return keep


def _settle_headings(tokens: list[Token], top: int, titled: bool) -> None:
    """Put headings under the page's own: the first becomes `top`, none skips a level, each gets an id.

    `titled`: the text's own title, which is of level 1, stands in the page already; what comes are its parts.
    """
    above = top - 2 if titled else top - 1
    last = top - 1
    seen: dict[str, int] = {}
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            last = min(6, last + 1, max(top, above + int(token.tag[1])))
            token.tag = tokens[index + 2].tag = f"h{last}"
            name = slug(tokens[index + 1].content)
            if name:
                token.attrSet("id", once(name, seen))
        for part in (token, *(token.children or ())):
            if part.type in ("html_block", "html_inline"):
                part.content = _HTML_HEADING.sub(lambda m: f"{m[1]}h{min(6, top - 1 + int(m[2]))}", part.content)


def _render(
    source: str,
    parser: MarkdownIt,
    place: Surroundings | None,
    top: int,
    titled: bool = False,
    ids: str = _ID_PREFIX,
) -> SafeString:
    env: dict[str, Any] = {}
    tokens = parser.parse(source, env)
    _settle_headings(tokens, top, titled)
    dirty = parser.renderer.render(tokens, parser.options, env)
    clean = nh3.clean(
        dirty,
        tags=_TAGS,
        clean_content_tags={"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title"},
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute_filter(place, ids),
        allowed_classes={"b": CLASSES},
        link_rel=_REL if place is None else place.rel,
        url_schemes=_SCHEMES,
        id_prefix=ids,
    )
    # After the sanitiser: a bidi character written as an entity exists only now.
    return mark_safe(visible(clean.replace("<pre>", '<pre tabindex="0">')))  # noqa: S308


def _fence(code: str, language: str, attributes: str) -> str:
    """The code of a fence as HTML, coloured where its language is known; "" leaves it as it is."""
    return coloured(code, language) if language else ""


_DOCUMENT = MarkdownIt("commonmark", {"html": True, "highlight": _fence}).enable(["table", "strikethrough"])
_MESSAGE = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"]).disable("image")


@lru_cache(maxsize=256)
def render_document(
    source: str, place: Surroundings, top: int = 3, titled: bool = False, ids: str = _ID_PREFIX
) -> SafeString:
    """A README or another Markdown file: raw HTML allowed as far as the allow-list goes; headings start at `top`.

    `titled`: the title of the text is not in `source`, and stands above. `ids` stands before the ids of its headings,
    which keeps several texts of one page apart.
    """
    return _render(source, _DOCUMENT, place, top, titled, ids)


@lru_cache(maxsize=1024)
def render_message(source: str, top: int = 4) -> SafeString:
    """A turn of a conversation, a reason, the rest of a goal: Markdown without raw HTML, pictures or relative links."""
    if len(source) > LARGEST_TEXT:
        return plain(source)
    return _render(source, _MESSAGE, None, top)


def plain(source: str) -> SafeString:
    """A text that is no Markdown, or too long to parse: as it stands, in a `pre`."""
    return mark_safe(f'<pre class="text" tabindex="0">{nh3.clean_text(visible(source))}</pre>')  # noqa: S308
