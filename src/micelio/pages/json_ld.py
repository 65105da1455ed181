"""What a project is, for search engines: schema.org's SoftwareSourceCode, in a script that is only data."""

from __future__ import annotations

from typing import Any

import msgspec
from django.utils.safestring import SafeString, mark_safe

from micelio.config import current
from micelio.pages.addresses import Site
from micelio.pages.text import cut, one_line
from micelio.projects.project_view import ProjectView

# Whatever a browser could read as markup, or as the end of a line of a script.
_ESCAPED = {character: f"\\u{ord(character):04x}" for character in "<>&'\u2028\u2029"}


def software(project: ProjectView, landed_at: Any) -> SafeString:
    """The script element of a public project; nothing of a private one."""
    if project.visibility != "public":
        return SafeString("")
    base = current().base_url
    address = f"{base}{Site(project.owner, project.handle).root}"
    data = {
        "@context": "https://schema.org",
        "@type": "SoftwareSourceCode",
        "name": one_line(project.name or project.handle),
        "description": one_line(cut(project.description, 300)),
        "url": address,
        "codeRepository": address,
        "dateCreated": project.created_at.date().isoformat(),
        **({"dateModified": landed_at.date().isoformat()} if landed_at is not None else {}),
        "author": {"@type": "Organization", "name": project.owner, "url": f"{base}/{project.owner}"},
    }
    return as_script(data)


def as_script(data: Any) -> SafeString:
    """Data in a script element."""
    text = msgspec.json.encode(data).decode()
    for character, escaped in _ESCAPED.items():
        text = text.replace(character, escaped)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308  # nothing in it is markup
