"""The tabs of the administrators' pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from micelio.pages.text import full_time

register = template.Library()


@register.filter
def moment(then: datetime) -> SafeString:
    """A time to come, exactly: how long until then is nothing that a page can keep true."""
    utc = then.astimezone(UTC)
    return format_html('<time datetime="{}">{}</time>', utc.strftime("%Y-%m-%dT%H:%M:%SZ"), full_time(utc))


_TABS = (
    ("admin", "Overview"),
    ("admin-accounts", "Accounts"),
    ("admin-sign-ups", "Sign-ups"),
    ("admin-suspended", "Suspended"),
    ("admin-organizations", "Organizations"),
    ("admin-projects", "Projects"),
    ("admin-abuse", "Abuse"),
    ("admin-erasure", "Erasure"),
    ("admin-jobs", "Jobs"),
    ("admin-storage", "Storage"),
    ("admin-settings", "Settings"),
    ("admin-mail", "Mail"),
    ("admin-legal", "Legal"),
    ("forge-audit", "Audit log"),
)


@register.inclusion_tag("operators/_tabs.html")
def admin_tabs(current: str) -> dict[str, Any]:
    """Links to all of them; `current` is the name of the address that is shown."""
    return {"tabs": [(reverse(name), words, name == current) for name, words in _TABS]}
