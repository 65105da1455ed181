"""`/docs`, `/changelog`, `/blog`: what the forge says of itself, for people, for programs, and as feeds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.utils.safestring import SafeString

from micelio.accounts.actor import Actor
from micelio.pages.answers import Page, page
from micelio.pages.feeds import MOST, entry, feed
from micelio.pages.markdown import render_document
from micelio.pages.text import cut
from micelio.pages.text_places import InBlog, InHandbook
from micelio.texts import blog as posts
from micelio.texts.changelog import KINDS, Change, Release
from micelio.texts.changelog import changelog as releases
from micelio.texts.front_matter import Post
from micelio.texts.handbook import Handbook, Sheet, handbook
from micelio.texts.headings import parts, plain

_KEPT = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
_AUTHOR = "Micelio"
# Headings of a page from which on it has a list of them.
_FEW = 3


@page
def docs(request: HttpRequest, actor: Actor, name: str = "") -> Page | HttpResponse:
    """A page of the handbook; `.md` behind its address is the page as it was written."""
    book = handbook()
    if name.endswith("/"):
        return HttpResponsePermanentRedirect(f"/docs/{name.rstrip('/')}")
    if name.endswith(".md"):
        source = next((sheet.source for sheet in book.sheets() if sheet.path == name), None)
        source = book.sheet(name.removesuffix(".md")).source if source is None else source
        return HttpResponse(source, content_type="text/markdown; charset=utf-8")
    if "." in name.rpartition("/")[2]:
        data, kind = book.beside(name)
        return HttpResponse(data, content_type=kind, headers=_KEPT)
    sheet = book.sheet(name)
    earlier, later = _neighbours(book, sheet)
    headings = [part for part in parts(sheet.body) if part.level == 2]
    context = {
        "sheet": sheet,
        "html": render_document(sheet.body, InHandbook(sheet.path), 2, True),
        "chapters": [(chapter, sheet in chapter.sheets) for chapter in book.chapters],
        "headings": [(plain(part.title), f"#text-{part.anchor}") for part in headings] if len(headings) >= _FEW else [],
        "earlier": earlier,
        "later": later,
    }
    data_of = {
        "title": sheet.title,
        "chapter": sheet.chapter or None,
        "address": sheet.address,
        "markdown": sheet.source,
        "earlier": earlier.address if earlier else None,
        "later": later.address if later else None,
        "pages": [{"title": each.title, "address": each.address} for each in book.sheets()] if not name else [],
    }
    return Page("pages/docs.html", context, data_of, lambda: sheet.source)


def _neighbours(book: Handbook, sheet: Sheet) -> tuple[Sheet | None, Sheet | None]:
    all_of_them = list(book.sheets())
    at = all_of_them.index(sheet)
    return all_of_them[at - 1] if at else None, all_of_them[at + 1] if at + 1 < len(all_of_them) else None


@dataclass(frozen=True)
class _ShownRelease:
    release: Release
    kinds: list[tuple[str, list[tuple[Change, SafeString]]]]
    html: SafeString


@lru_cache(maxsize=1)
def _shown(found: tuple[Release, ...]) -> list[_ShownRelease]:
    place = InHandbook("index.md")
    shown = []
    for release in found:
        kinds = [
            (words, [(change, render_document(change.text, place, 4)) for change in changes])
            for kind, words in KINDS.items()
            if (changes := release.of(kind))
        ]
        shown.append(_ShownRelease(release, kinds, render_document(release.text, place, 3, True)))
    return shown


@page
def changelog(request: HttpRequest, actor: Actor) -> Page:
    """What each version brought, this one first."""
    found = releases()
    data = {
        "releases": [
            {
                "version": release.version,
                "changes": [{"name": each.name, "kind": each.kind, "text": each.text} for each in release.changes],
                "text": release.text,
            }
            for release in found
        ]
    }

    def markdown() -> str:
        return "# Changelog\n\n" + "\n".join(release.source for release in found)

    return Page("pages/changelog.html", {"releases": _shown(found), "feed": "/changelog.atom"}, data, markdown)


@page
def changelog_feed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Changes of this version, each an entry, and the versions before it."""
    found = releases()
    entries = [
        entry(
            f"/changelog#{change.name}",
            f"{KINDS[change.kind]}: {_sentence(change.text)}",
            change.text,
            _AUTHOR,
            change.at,
        )
        for release in found
        for change in release.changes
    ]
    entries += [
        entry(f"/changelog#{release.version}", release.version, release.text, _AUTHOR, release.at)
        for release in found
        if not release.changes
    ]
    entries.sort(key=lambda each: each.at, reverse=True)
    return feed(request, "Changelog of Micelio", "/changelog", "/changelog.atom", entries[:MOST])


def _sentence(text: str) -> str:
    return cut(plain(text.partition("\n\n")[0].replace("\n", " ")), 120)


@page
def blog(request: HttpRequest, actor: Actor) -> Page:
    """The posts, newest first."""
    found = posts.blog().posts
    data = {"posts": [_post_data(post) for post in found]}

    def markdown() -> str:
        return "# Blog\n\n" + "".join(f"- {post.date:%Y-%m-%d} [{post.title}]({post.address})\n" for post in found)

    return Page("pages/blog.html", {"posts": found, "feed": "/blog.atom"}, data, markdown)


@page
def post(request: HttpRequest, actor: Actor, slug: str) -> Page | HttpResponse:
    """A post; `.md` behind its address is the file."""
    found = posts.blog()
    one = found.post(slug.removesuffix(".md"))
    if slug.endswith(".md"):
        return HttpResponse(one.source, content_type="text/markdown; charset=utf-8")
    at = found.posts.index(one)
    context = {
        "post": one,
        "html": render_document(one.body, InBlog(), 2, True),
        "feed": "/blog.atom",
        "newer": found.posts[at - 1] if at else None,
        "older": found.posts[at + 1] if at + 1 < len(found.posts) else None,
    }
    return Page("pages/post.html", context, {**_post_data(one), "markdown": one.body}, lambda: one.source)


@page
def blog_picture(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:
    """A picture that lies beside the posts."""
    data, kind = posts.picture(name)
    return HttpResponse(data, content_type=kind, headers=_KEPT)


@page
def blog_feed(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The newest posts, each with the beginning of its text."""
    found = posts.blog().posts[:MOST]
    entries = [
        entry(each.address, each.title, each.summary or each.body, each.author or _AUTHOR, each.date) for each in found
    ]
    return feed(request, "Blog", "/blog", "/blog.atom", entries)


def _post_data(one: Post) -> dict[str, Any]:
    return {
        "slug": one.slug,
        "title": one.title,
        "date": one.date,
        "author": one.author or None,
        "summary": one.summary or None,
        "address": one.address,
    }
