"""A directory as people and machines see it, and the README that lies in it."""

from __future__ import annotations

import base64
import binascii
import posixpath
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mic.core.errors import Erased, InvalidInput
from mic.core.linediff import is_binary
from mic.core.tree import DIRECTORY, Entry
from micelio.pages.addresses import HEAD, Ref, Site
from micelio.pages.answers import path_data
from micelio.pages.landing_items import LandingItem, landing_data, landing_item
from micelio.pages.markdown import LARGEST_TEXT, Place, plain, render_document
from micelio.pages.modes import SYMLINK, mode_words
from micelio.pages.opened import Opened
from micelio.pages.text import display_path
from micelio.pages.weight import Scale, fit_document
from micelio.sessions.narrowed import latest_sessions
from micelio.sessions.queries import LandingRow, last_changes

# Names on one page, if its room holds them.
MOST_NAMES = 200
# Compressed bytes of a page that its README may have when the names would take them.
_FOR_README = 8 * 1024
_README = (b"readme.md", b"readme.markdown", b"readme", b"readme.txt", b"readme.rst")
# A README behind the first page of names is found when it is spelled in one of these ways.
_SPELLINGS = (b"README.md", b"README.markdown", b"README", b"README.txt", b"README.rst", b"Readme.md", b"readme.md")
_MARKDOWN = (b".md", b".markdown")


@dataclass(frozen=True)
class FileItem:
    """One name in a directory, with the last landing that touched it where that is known."""

    path: bytes
    name: str
    address: str
    is_directory: bool
    note: str
    last: LandingItem | None


@dataclass(frozen=True)
class Readme:
    """The text that introduces a directory; `more` leads to the whole of it when this is its beginning."""

    name: str
    html: SafeString
    more: str


@dataclass(frozen=True)
class Listing:
    """One page of a directory, its rows as HTML. `more` continues behind its last name, empty at the end."""

    entries: list[Entry]
    rows: list[SafeString]
    more: str
    readme: Readme | None
    changes: dict[bytes, LandingRow]
    latest: list[LandingRow]

    def data(self) -> list[dict[str, Any]]:
        """The names for machines."""
        return [_entry_data(entry, self.changes.get(_base(entry.path))) for entry in self.entries]


def _base(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]


def _entry_data(entry: Entry, last: LandingRow | None) -> dict[str, Any]:
    directory = entry.kind == DIRECTORY
    return {
        **path_data(entry.path),
        "type": "directory" if directory else "file",
        **({} if directory else {"mode": f"{entry.mode:06o}", "size": entry.size, "hash": entry.hash.hex()}),
        "last": landing_data(last) if last else None,
    }


def parse_after(text: str) -> bytes:
    """The path that a listing continues behind, from its address. Raises InvalidInput."""
    try:
        return base64.urlsafe_b64decode(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        raise InvalidInput("This is no place in a listing.", hint="Follow the link `More of this directory`.") from None


def list_directory(
    opened: Opened, ref: Ref, root: bytes, directory: bytes, scale: Scale, after: bytes = b"", latest: int = 0
) -> Listing:
    """One page of a directory, directories first; empty when there is none of that name. With the `latest` sessions."""
    found = opened.ledger.list_dir(root, directory, after, MOST_NAMES + 1)
    # The index of last changes speaks of the head; beside an older tree it would tell of the future.
    names = [_base(entry.path) for entry in found[:MOST_NAMES]]
    at_head = ref == HEAD or root == opened.tree
    changes: dict[bytes, LandingRow] = {}
    sessions: list[LandingRow] = []
    if latest:
        sessions, changes = latest_sessions(
            opened.actor, opened.project, opened.position, latest, directory, names if at_head else ()
        )
    elif at_head and names:
        changes = last_changes(opened.actor, opened.project, directory, names)
    introduction = None if after else _find_readme(opened, root, directory, found)

    def render(entry: Entry, _: int) -> str:
        item = _item(opened.site, ref, entry, changes.get(_base(entry.path)))
        return render_to_string("pages/_file.html", {"file": item})

    rows = scale.fill(found[:MOST_NAMES], render, _FOR_README if introduction else 0)
    entries, more = found[: len(rows)], ""
    if len(found) > len(rows):
        more = base64.urlsafe_b64encode(entries[-1].path).decode()
    # The page is cut by path, as the tree is; what is on it stands in the order that people look for.
    order = sorted(range(len(rows)), key=lambda n: (entries[n].kind != DIRECTORY, entries[n].path))
    readme = _readme(opened, ref, directory, introduction, scale) if introduction else None
    return Listing([entries[n] for n in order], [rows[n] for n in order], more, readme, changes, sessions)


def _item(site: Site, ref: Ref, entry: Entry, last: LandingRow | None) -> FileItem:
    directory = entry.kind == DIRECTORY
    return FileItem(
        path=entry.path,
        name=display_path(_base(entry.path)),
        address=site.tree(ref, entry.path) if directory else site.file(ref, entry.path),
        is_directory=directory,
        note="" if directory else mode_words(entry.mode),
        last=landing_item(site, last) if last else None,
    )


def _find_readme(opened: Opened, root: bytes, directory: bytes, found: list[Entry]) -> Entry | None:
    by_name = {_base(entry.path).lower(): entry for entry in found if entry.kind != DIRECTORY}
    entry = next((by_name[name] for name in _README if name in by_name), None)
    if entry is None and len(found) > MOST_NAMES:
        paths = [posixpath.join(directory, name) for name in _SPELLINGS]
        others = opened.ledger.entries(root, paths)
        entry = next((others[path] for path in paths if path in others), None)
    return None if entry is None or entry.mode == SYMLINK else entry


def _readme(opened: Opened, ref: Ref, directory: bytes, entry: Entry, scale: Scale) -> Readme | None:
    whole = entry.size <= LARGEST_TEXT
    try:
        # Of one that is too long to be parsed, as far as one page could ever show it.
        ledger = opened.ledger
        data = ledger.blob(entry.hash, LARGEST_TEXT) if whole else ledger.read_range(entry.hash, 0, LARGEST_TEXT)
    except Erased as erased:
        data = str(erased.details["text"]).encode()
    if is_binary(data) or not data.strip():
        return None
    html, end, lines = document_page(scale, data, entry.path, Place(opened.site, ref, directory), 0, 3)
    more = opened.site.file(ref, entry.path) if end < lines or not whole else ""
    return Readme(display_path(_base(entry.path)), html, more)


def document_page(
    scale: Scale, data: bytes, path: bytes, place: Place, start: int, top: int
) -> tuple[SafeString, int, int]:
    """(a text for reading from line `start` on as far as it fits, the line behind that, the number of lines).

    Lines count from 0 here; headings begin at level `top`.
    """
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n").split("\n")
    html, end = fit_document(scale, lines, start, lambda text: render_text(text, path, place, top))
    return html, end, len(lines)


def is_markdown(path: bytes) -> bool:
    """Whether a path is named as Markdown."""
    return posixpath.splitext(path.lower())[1] in _MARKDOWN


def render_text(text: str, path: bytes, place: Place, top: int = 3) -> SafeString:
    """A text for reading: Markdown rendered with headings from level `top`, anything else as it stands."""
    return render_document(text, place, top) if is_markdown(path) else plain(text)
