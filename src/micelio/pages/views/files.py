"""`/-/file/...`: one file, read; `/-/raw/...`: its bytes, harmless."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect

from mic.core.errors import Erased, NotFound
from mic.core.linediff import is_binary
from mic.core.tree import CONFLICT, Entry
from micelio.accounts.actor import Actor
from micelio.pages.addresses import HEAD, parse_ref, path_from_request
from micelio.pages.answers import Page, page, path_data
from micelio.pages.asked import asked_number
from micelio.pages.diff_html import join_rows, line_rows
from micelio.pages.highlight import LARGEST_SHOWN, highlight
from micelio.pages.images import image_type
from micelio.pages.landing_items import landing_data, landing_item
from micelio.pages.leak_report import report_address
from micelio.pages.listing import document_page, is_markdown
from micelio.pages.markdown import LARGEST_TEXT, Place
from micelio.pages.modes import GITLINK, SYMLINK, mode_words
from micelio.pages.opened import Opened, open_project
from micelio.pages.raw import raw_answer
from micelio.pages.text import count_words, cut, display_path, one_line, size_words
from micelio.pages.weight import Scale
from micelio.pages.where import Where
from micelio.sessions.queries import LandingRow, last_changes


def _missing(path: bytes, position: int, elsewhere: str) -> NotFound:
    return NotFound(f"There is no file {display_path(path)} at @{position}.", hint=f"Look at {elsewhere}.")


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
    shown, text = _contents(
        opened, entry, Place(opened.site, at, directory), _asked(request, opened.site.raw(at, name))
    )
    context = {
        **opened.context("files"),
        "where": where,
        "last": landing_item(opened.site, last) if last else None,
        "size": entry.size,
        "mode_words": mode_words(entry.mode),
        "raw": opened.site.raw(at, name),
        "blame": opened.site.blame(at, name) if text and "words" not in shown and not shown.get("image") else "",
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
        "raw": opened.site.raw(at, name),
    }
    return Page("pages/file.html", context, data, lambda: _markdown(where, position, text, data))


@dataclass(frozen=True)
class _Asked:
    """Which part of a file a page is asked for: from a line on, counted from 1; as a document or as its source."""

    line: int
    source: bool
    raw: str


def _asked(request: HttpRequest, raw: str) -> _Asked:
    return _Asked(max(1, asked_number(request, "from") or 1), request.GET.get("view") == "source", raw)


def _contents(opened: Opened, entry: Entry, place: Place, asked: _Asked) -> tuple[dict[str, Any], str | None]:
    """What the page shows of a file, and its text where it is one."""
    if entry.kind == CONFLICT:
        return {"words": "This path is an unresolved conflict."}, None
    if entry.mode in (SYMLINK, GITLINK):
        target = opened.ledger.blob(entry.hash, 1 << 16).decode("utf-8", "replace")
        words = "A symbolic link. It points to:" if entry.mode == SYMLINK else "A link to this commit elsewhere:"
        return {"words": words, "target": one_line(cut(target, 4096))}, target
    if entry.size == 0:
        return {"words": "The file is empty."}, ""
    if entry.size > LARGEST_SHOWN:
        return {"words": f"{size_words(entry.size)} are too much for a page; the link `raw` has them."}, None
    try:
        data = opened.ledger.blob(entry.hash, LARGEST_SHOWN)
    except Erased as erased:
        return {"words": erased.details["text"]}, None
    if image_type(data):
        return {"image": asked.raw}, None
    if is_binary(data):
        return {"words": f"Binary content, {size_words(entry.size)}; the link `raw` has it."}, None
    document = is_markdown(entry.path) and len(data) <= LARGEST_TEXT
    shown = _document(data, entry, place, asked) if document and not asked.source else _lines(data, entry, asked)
    return {**shown, "is_document": document, "as_source": asked.source}, data.decode("utf-8", "replace")


def _document(data: bytes, entry: Entry, place: Place, asked: _Asked) -> dict[str, Any]:
    """A page of a rendered document: it begins where an earlier one ended, and where that began is not known."""
    html, end, total = document_page(Scale(), data, entry.path, place, asked.line - 1, 2)
    if asked.line > total:
        raise NotFound(f"{display_path(entry.path)} has {count_words(total, 'line')}, and no line {asked.line}.")
    return {
        "document": html,
        "lines": total,
        "first_line": asked.line,
        "last_line": end,
        "earlier": 1 if asked.line > 1 else 0,
        "later": end + 1 if end < total else 0,
    }


def _lines(data: bytes, entry: Entry, asked: _Asked) -> dict[str, Any]:
    """A page of source lines; numbers are the file's own on every page."""
    lines = highlight(data, display_path(entry.path), entry.hash)
    first = asked.line
    if first > len(lines):
        raise NotFound(f"{display_path(entry.path)} has {count_words(len(lines), 'line')}, and no line {first}.")
    rows = Scale().take(line_rows((lines[n] for n in range(first - 1, len(lines))), first))
    # What fits backwards from here is the page before this one.
    before = Scale().take(line_rows((lines[n] for n in range(first - 2, -1, -1)), 1)) if first > 1 else []
    last = first + len(rows) - 1
    return {
        "source": join_rows(rows),
        "lines": len(lines),
        "first_line": first,
        "last_line": last,
        "earlier": first - len(before) if first > 1 else 0,
        "later": last + 1 if last < len(lines) else 0,
    }


def _markdown(where: Where, position: int, text: str | None, data: dict[str, Any]) -> str:
    """The file's twin for reading in a terminal: what it is, then its text between fences that it does not hold."""
    head = f"# {where.title}\n\n{data['project']} at @{position}, {size_words(data['size'])}, mode {data['mode']}\n"
    if text is None:
        return f"{head}\nNo text: {data['raw']}\n"
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{head}\n{fence}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}\n"


@page
def raw(request: HttpRequest, actor: Actor, owner: str, handle: str, ref: str, path: str) -> HttpResponseBase:
    """The bytes of a file or a part of them, sandboxed: text and pictures as themselves, the rest as a download."""
    opened = open_project(actor, owner, handle)
    at = parse_ref(ref)
    position, root = opened.at(at)
    name = path_from_request(request)
    entry = opened.ledger.entry(root, name)
    if entry is None or entry.kind == CONFLICT:
        raise _missing(name, position, opened.site.tree(at))
    return raw_answer(request, opened.project.line, opened.ledger, entry)
