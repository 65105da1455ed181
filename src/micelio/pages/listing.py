"""A directory as people and machines see it, and the README that lies in it."""

from __future__ import annotations

import base64
import binascii
import posixpath
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from mic.core.errors import InvalidInput
from mic.core.linediff import is_binary
from mic.core.tree import DIRECTORY, Entry
from micelio.pages.addresses import HEAD, Ref, Site
from micelio.pages.answers import path_data
from micelio.pages.landing_items import LandingItem, landing_data, landing_item
from micelio.pages.markdown import LARGEST_TEXT, Place, plain, render_document
from micelio.pages.modes import SYMLINK, mode_words
from micelio.pages.opened import Opened
from micelio.pages.text import display_path
from micelio.sessions.queries import LandingRow, last_changes

# Names on one page: a page of 500 rows is 12 KiB compressed.
MOST_NAMES = 500
_README = (b"readme.md", b"readme.markdown", b"readme", b"readme.txt", b"readme.rst")
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
    """The text that introduces a directory."""

    name: str
    html: SafeString


@dataclass(frozen=True)
class Listing:
    """One page of a directory. `more` continues behind its last name, empty at the end."""

    entries: list[Entry]
    items: list[FileItem]
    more: str
    readme: Readme | None
    changes: dict[bytes, LandingRow]

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


def list_directory(opened: Opened, ref: Ref, root: bytes, directory: bytes, after: bytes = b"") -> Listing:
    """One page of a directory, directories first; empty when there is none of that name."""
    found = opened.ledger.list_dir(root, directory, after, MOST_NAMES + 1)
    entries, more = found[:MOST_NAMES], ""
    if len(found) > MOST_NAMES:
        more = base64.urlsafe_b64encode(entries[-1].path).decode()
    entries = sorted(entries, key=lambda entry: (entry.kind != DIRECTORY, entry.path))
    # The index of last changes speaks of the head; beside an older tree it would tell of the future.
    names = [_base(entry.path) for entry in entries]
    at_head = ref == HEAD or root == opened.tree
    changes = last_changes(opened.actor, opened.project, directory, names) if at_head and names else {}
    items = [_item(opened.site, ref, entry, changes.get(_base(entry.path))) for entry in entries]
    return Listing(entries, items, more, _readme(opened, ref, directory, entries), changes)


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


def _readme(opened: Opened, ref: Ref, directory: bytes, entries: list[Entry]) -> Readme | None:
    by_name = {_base(entry.path).lower(): entry for entry in entries if entry.kind != DIRECTORY}
    entry = next((by_name[name] for name in _README if name in by_name), None)
    if entry is None or entry.mode == SYMLINK or entry.size > LARGEST_TEXT:
        return None
    data = opened.ledger.blob(entry.hash, LARGEST_TEXT)
    if is_binary(data) or not data.strip():
        return None
    name = display_path(_base(entry.path))
    return Readme(name, render_text(data, entry.path, Place(opened.site, ref, directory)))


def is_markdown(path: bytes) -> bool:
    """Whether a path is named as Markdown."""
    return posixpath.splitext(path.lower())[1] in _MARKDOWN


def render_text(data: bytes, path: bytes, place: Place, top: int = 3) -> SafeString:
    """A text file for reading: Markdown rendered with headings from level `top`, anything else as it stands."""
    text = data.decode("utf-8", "replace")
    return render_document(text, place, top) if is_markdown(path) else plain(text)
