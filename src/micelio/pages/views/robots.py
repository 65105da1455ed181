"""What programs ask a site for before they read it: robots.txt, sitemap.xml, llms.txt, skill.md."""

from __future__ import annotations

from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from micelio.config import current
from micelio.pages.addresses import Site
from micelio.pages.skill import skill_text
from micelio.projects.queries import public_projects
from micelio.texts.blog import blog
from micelio.texts.handbook import handbook

# A day: what is in here changes with the version. The map changes with the projects.
_KEPT = {"Cache-Control": "public, max-age=86400"}
_MAPPED = {"Cache-Control": "public, max-age=3600"}
# Pages that cost much and say little that others do not: by hand, for each kind of address that takes a point or words.
_COSTLY = (
    "archive", "audit", "blame", "changes", "compare", "history", "import", "members", "owners", "raw", "secrets",
    "settings", "tree/@",
)  # fmt: skip
# Addresses of one map; the protocol takes 50,000.
MOST_MAPPED = 20_000


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Programs that read it are asked to leave out what costs much: their owners have `.json`, feeds and clones."""
    lines = ["User-agent: *", "Disallow: /-/", "Allow: /-/look-", "Allow: /-/people/"]
    lines += [f"Disallow: /*/*/-/{part}" for part in _COSTLY]
    lines += ["Disallow: /*?*format=", "", f"Sitemap: {current().base_url}/sitemap.xml", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8", headers=_KEPT)


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """What the forge says of itself, the public projects and their organizations."""
    base = current().base_url
    projects = public_projects(MOST_MAPPED)
    owners = dict.fromkeys(owner for owner, _ in projects)
    texts = ["/docs", "/changelog", "/blog", *(sheet.address for sheet in handbook().sheets() if sheet.name)]
    texts += [post.address for post in blog().posts]
    addresses = [f"{base}/", *(base + text for text in texts), *(f"{base}/{quote(owner)}" for owner in owners)]
    addresses += [f"{base}{Site(owner, handle).root}" for owner, handle in projects]
    body = render_to_string("pages/sitemap.xml", {"addresses": addresses[:MOST_MAPPED]})
    return HttpResponse(body, content_type="application/xml; charset=utf-8", headers=_MAPPED)


@require_safe
def llms(request: HttpRequest) -> HttpResponse:
    """What this forge is and how a model reads it with the least work, as https://llmstxt.org has it."""
    body = render_to_string("pages/llms.txt", {"base": current().base_url})
    return HttpResponse(body, content_type="text/markdown; charset=utf-8", headers=_KEPT)


@require_safe
def skill(request: HttpRequest) -> HttpResponse:
    """What an agent needs to work here, made of the docs of this version."""
    return HttpResponse(skill_text(current()), content_type="text/markdown; charset=utf-8", headers=_KEPT)
