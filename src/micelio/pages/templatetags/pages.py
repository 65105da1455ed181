"""Tags that every template may use; none of them needs the database to answer a failed request."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django import template
from django.db import DatabaseError
from django.template import Context
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from micelio import __version__
from micelio.accounts.actor import ANONYMOUS, Actor, actor_from_request
from micelio.accounts.profiles import profile_of
from micelio.languages import words
from micelio.languages.known import LANGUAGES, Language
from micelio.languages.spoken import gettext, gettext_noop, spoken
from micelio.languages.words import count_words
from micelio.organizations.roles import Role, at_least
from micelio.pages import keys, text
from micelio.pages.cost import current_cost
from micelio.pages.mark import mark_address
from micelio.pages.markdown import render_message
from micelio.pages.mycelium import figure_of, svg_body
from micelio.pages.pictures import person_address, picture_address
from micelio.pages.states import state_words
from micelio.pages.stylesheet import stylesheet_address

register = template.Library()

register.filter("visible", text.visible)
register.filter("one_line", text.one_line)
register.filter("size", words.size_words)
register.filter("shorten", text.cut)
register.filter("reflow", text.reflow)
register.filter("initials", text.initials)
register.filter("message", render_message)


register.filter("translated", gettext)
# Words of other rooms, and of data, that a template shows with it.
_SHOWN = (
    gettext_noop("added"), gettext_noop("modified"), gettext_noop("deleted"), gettext_noop("mode"),
    gettext_noop("owner"), gettext_noop("admin"), gettext_noop("member"), gettext_noop("reader"),
    gettext_noop("agent"), gettext_noop("person"), gettext_noop("untracked"),
)  # fmt: skip


@register.filter
def or_no_goal(said: str) -> str:
    """A headline, or that there is none."""
    return said or gettext("(no goal was given)")


# What people and agents put between backticks in a line of plain text, as they do in Markdown.
_CODE = re.compile("`([^`]+)`")


@register.filter
def coded(said: str) -> SafeString:
    """A line of plain text for HTML, in which what stands between backticks is code."""
    return SafeString(_CODE.sub(r"<code>\1</code>", escape(said)))


@register.filter
def or_somebody(name: str) -> str:
    """A name, or that there is none."""
    return name or gettext("somebody")


@register.simple_tag
def state(name: str, position: int = 0) -> str:
    """`Landed as @42`, `Open`."""
    return state_words(name, position or 0)


@register.filter
def administers(role: str | None) -> bool:
    """Whether a role is that of an admin, or more."""
    return at_least(role, Role.ADMIN)


@register.filter
def thousands(number: int) -> str:
    """`1,204`."""
    return words.number_words(number)


@register.simple_tag
def look() -> str:
    """Address of the stylesheet."""
    return stylesheet_address()


@register.simple_tag
def language() -> Language:
    """The language that this page speaks."""
    return spoken()


@register.simple_tag
def language_options() -> SafeString:
    """Those that a page can speak, for a list to choose from."""
    return _options(spoken())


@cache
def _options(chosen: Language) -> SafeString:
    return format_html_join(
        "",
        '<option value="{}" lang="{}"{}>{}</option>',
        ((each.code, each.tag, SafeString(" selected" if each is chosen else ""), each.name) for each in LANGUAGES),
    )


@register.simple_tag
def mark() -> str:
    """Address of our mark."""
    return mark_address()


@register.simple_tag
def keys_script() -> SafeString:
    """The script of pages with differences, which nothing on them needs."""
    return format_html('<script src="{}" defer></script>', keys.script_address())


@register.simple_tag
def version() -> str:
    """Version of this forge."""
    return __version__


@register.simple_tag(takes_context=True)
def who(context: Context) -> Actor:
    """Who looks at the page; a visitor when the page is drawn without a request."""
    request = context.get("request")
    return actor_from_request(request) if request is not None and hasattr(request, "user") else ANONYMOUS


@register.simple_tag
def cost() -> str:
    """`page made in 9 ms: 4 queries, 12 objects`; empty outside a counted request."""
    counted = current_cost()
    if counted is None:
        return ""
    parts = [count_words(counted.queries, "query", "queries")]
    if counted.objects:
        parts.append(count_words(counted.objects, "object"))
    said = gettext("page made in {milliseconds} ms: {parts}")
    return said.format(milliseconds=max(1, round(counted.seconds * 1000)), parts=", ".join(parts))


@register.filter
def when(moment: datetime) -> SafeString:
    """A time as people say it, with the exact one for machines and on asking."""
    utc = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        words.full_time(utc),
        words.since(utc, datetime.now(UTC)),
    )


@register.filter
def date(moment: datetime) -> SafeString:
    """A day, whatever day it is today."""
    utc = moment.astimezone(UTC)
    return format_html('<time datetime="{}">{}</time>', utc.strftime("%Y-%m-%d"), words.day_words(utc))


@register.simple_tag
def counted(number: int, one: str, many: str = "") -> str:
    """`1 file`, `1,204 files`."""
    return count_words(number, one, many)


@register.inclusion_tag("pages/_person.html")
def person(name: str, handle: str = "") -> dict[str, Any]:
    """Initials in a circle and the name, which leads to the person's page when they have an account."""
    address = person_address(handle) if handle else ""
    return {"name": text.one_line(text.cut(name, 80)) or gettext("somebody"), "address": address}


@register.simple_tag
def portrait(handle: str, picture: str = "", size: str = "") -> SafeString:
    """The picture of a person or an organization: the uploaded one, or the one drawn from the handle."""
    if picture:
        side = 24 if size == "small" else 88
        address = picture_address(handle, picture)
        return format_html(
            '<img class="portrait {}" src="{}" width="{}" height="{}" alt="" loading="lazy">', size, address, side, side
        )
    figure = figure_of(handle)
    body = SafeString(svg_body(figure))
    return format_html(
        '<svg class="portrait {} ink{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>', size, figure.ink, body
    )


@register.simple_tag
def own_portrait(me: Actor) -> SafeString:
    """The small picture of whoever looks at the page; the drawn one where the database does not answer."""
    try:
        own = profile_of(me.user_id).picture if me.user_id is not None else ""
    except DatabaseError:
        own = ""
    return portrait(me.handle, own, "small")


@register.simple_tag
def site_icon(kind: str) -> SafeString:
    """What a site is for, in a line drawing; its name stands beside it."""
    path = SafeString(_ICONS.get(kind, _ICONS["web"]))
    return format_html('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>', path)


_ICONS = {
    "web": "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M3 12h18M12 3c-6 6-6 12 0 18c6-6 6-12 0-18",
    "code": "m8 7-5 5 5 5m8-10 5 5-5 5M14 5l-4 14",
    "posts": "M4 5h16v11h-9l-5 4v-4H4z",
    "video": "M4 6h16v12H4zm6 3v6l5-3z",
    "chat": "M3 5h12v8H9l-3 3v-3H3zm15 4h3v8h-3v3l-3-3h-4",
    "work": "M4 8h16v11H4zm5 0V5h6v3M4 13h16",
}
