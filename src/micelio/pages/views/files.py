"""`/-/file/...`: one file, read; `/-/raw/...`: its bytes, harmless."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect

from mic.core.errors import NotFound
from mic.core.tree import CONFLICT
from micelio.accounts.actor import Actor
from micelio.pages.addresses import HEAD, Ref, parse_ref, path_from_request
from micelio.pages.answers import Page, kept, page, path_data
from micelio.pages.asked import asked_number
from micelio.pages.file_contents import asked_part, contents
from micelio.pages.landing_items import landing_data, landing_item
from micelio.pages.leak_report import report_address
from micelio.pages.markdown import Place
from micelio.pages.modes import mode_words
from micelio.pages.opened import open_project
from micelio.pages.raw import output_answer, raw_answer
from micelio.pages.text import display_path, size_words
from micelio.pages.twin_text import escaped
from micelio.pages.where import Where
from micelio.sessions.queries import LandingRow, last_changes


def _missing(path: bytes, position: int, elsewhere: str) -> NotFound:
    return NotFound(f"There is no file {display_path(path)} at @{position}.", hint=f"Look at {elsewhere}.")


@kept
@page
def file(request: HttpRequest, actor: Actor, owner: str, handle: str, ref: str, path: str) -> Page | HttpResponse:
    """One file at a point; a directory found there is shown as a directory."""
    opened = open_project(actor, owner, handle)
    at = parse_ref(ref)
    position, root = opened.at(at)
    name = path_from_request(request)
    entry = opened.ledger.entry(root, name)
    if entry is None:
        if opened.ledger.list_dir(root, name.rstrip(b"/"), b"", 1):
            return HttpResponseRedirect(opened.site.tree(at, name.rstrip(b"/")))
        raise _missing(name, position, opened.site.tree(at))
    directory, _, base = name.rpartition(b"/")
    last: LandingRow | None = None
    if at == HEAD or root == opened.tree:
        last = last_changes(actor, opened.project, directory, [base]).get(base)
    where = Where(opened.site, at, name)
    asked = asked_part(request, opened.site.raw(at, name))
    shown, text = contents(opened, entry, Place(opened.site, at, directory), asked)
    # The same page where it stays as it is.
    query = urlencode({key: request.GET[key] for key in ("view", "from", "lines") if key in request.GET})
    permalink = opened.site.file(Ref(position), name) + (f"?{query}" if query else "")
    context = {
        **opened.context("files"),
        "where": where,
        "permalink": permalink if at == HEAD else "",
        "last": landing_item(opened.site, last) if last else None,
        "size": entry.size,
        "mode_words": mode_words(entry.mode),
        "raw": opened.site.raw(at, name),
        "blame": opened.site.blame(at, name) if text and "words" not in shown else "",
        "owners": opened.site.owners(at, name),
        "report": report_address(opened.site, path=name, position=position),
        **shown,
    }
    data = {
        **opened.data(),
        "position": position,
        **path_data(name),
        "mode": f"{entry.mode:06o}",
        "size": entry.size,
        "hash": entry.hash.hex(),
        "last": landing_data(last) if last else None,
        "text": text,
        **({"lines": shown["marked"]} if shown.get("marked") else {}),
        "permalink": permalink,
        "raw": opened.site.raw(at, name),
    }
    return Page("pages/file.html", context, data, lambda: _markdown(where, position, text, data))


def _markdown(where: Where, position: int, text: str | None, data: dict[str, Any]) -> str:
    """The file's twin for reading in a terminal: what it is, then its text between fences that it does not hold."""
    what = f"{escaped(data['project'])} at @{position}, {size_words(data['size'])}, mode {data['mode']}"
    head = f"# {escaped(where.title)}\n\n{what}\n"
    if text is None:
        return f"{head}\nNo text: {data['raw']}\n"
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{head}\n{fence}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}\n"


@page
def raw(request: HttpRequest, actor: Actor, owner: str, handle: str, ref: str, path: str) -> HttpResponseBase:
    """The bytes of a file or a part of them, sandboxed: text and pictures as themselves, the rest as a download.

    `?output=N` is the picture that the Nth output of a notebook is.
    """
    opened = open_project(actor, owner, handle)
    at = parse_ref(ref)
    position, root = opened.at(at)
    name = path_from_request(request)
    entry = opened.ledger.entry(root, name)
    if entry is None or entry.kind == CONFLICT:
        raise _missing(name, position, opened.site.tree(at))
    output = asked_number(request, "output")
    if output is not None:
        return output_answer(request, opened.ledger, entry, output)
    return raw_answer(request, opened.project.line, opened.ledger, entry)
