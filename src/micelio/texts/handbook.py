"""The handbook: the pages of `docs/`, in the order that `mkdocs.yml` gives them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from mic.core.errors import NotFound
from micelio.texts.folders import folder
from micelio.texts.headings import plain, titled

# Pictures and data beside the pages, by how their names end, and what they are.
_BESIDE = {".png": "image/png", ".json": "application/json"}


@dataclass(frozen=True)
class Sheet:
    """A page. `name` is its path below `docs/` without `.md`, a folder's own page being called as the folder."""

    name: str
    title: str
    chapter: str
    path: str
    source: str

    @property
    def address(self) -> str:
        return f"/docs/{self.name}" if self.name else "/docs"

    @property
    def body(self) -> str:
        """The text without its title."""
        return titled(self.source)[1]


@dataclass(frozen=True)
class Chapter:
    """Pages that belong together; `title` is "" for the handbook's own first page."""

    title: str
    sheets: tuple[Sheet, ...]


@dataclass(frozen=True)
class Handbook:
    """All pages, in order."""

    chapters: tuple[Chapter, ...]
    root: Path

    def sheets(self) -> Iterator[Sheet]:
        """Every page once, in the order in which one reads on."""
        for chapter in self.chapters:
            yield from chapter.sheets

    def sheet(self, name: str) -> Sheet:
        """The page of this name. Raises NotFound, with what it may have been."""
        by_name = {sheet.name: sheet for sheet in self.sheets()}
        found = by_name.get(name)
        if found is None:
            raise NotFound(f"The docs have no page `{name[:100]}`.", hint=_hint(name, by_name))
        return found

    def beside(self, name: str) -> tuple[bytes, str]:
        """A picture or a file of data that lies among the pages, and its type. Raises NotFound."""
        kind = _BESIDE.get(posixpath.splitext(name)[1])
        path = self.root / name
        # `name` comes from an address: nothing but what was listed beside the pages is opened.
        if kind is None or name not in _files(self.root):
            raise NotFound(f"The docs have no file `{name[:100]}`.", hint="The index of the docs is at /docs.")
        return path.read_bytes(), kind


def _hint(name: str, known: dict[str, Sheet]) -> str:
    last = name.rstrip("/").rpartition("/")[2].lower()
    near = [f"/docs/{each}" for each in known if last and (last in each or each.rpartition("/")[2] in last) and each]
    if near:
        return f"Perhaps it is {' or '.join(near[:3])}; the index is at /docs."
    return "The index of the docs is at /docs, and they can be searched at /-/search?type=docs."


@cache
def _files(root: Path) -> frozenset[str]:
    return frozenset(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@cache
def handbook() -> Handbook:
    """The handbook of this version; read once, for it does not change while a forge runs."""
    place = folder()
    nav = yaml.safe_load((place / "mkdocs.yml").read_text("utf-8"))["nav"]
    return read_handbook(place / "docs", nav)


def read_handbook(root: Path, nav: list[Any]) -> Handbook:
    """The pages below `root` that `nav`, as MkDocs has it, names: texts, `{title: text}` or `{title: [...]}`."""
    chapters: list[Chapter] = []
    for item in nav:
        title, value = ("", item) if isinstance(item, str) else next(iter(item.items()))
        if isinstance(value, str):
            chapters.append(Chapter("", (_sheet(root, value, title, ""),)))
        else:
            chapters.append(Chapter(title, tuple(_below(root, value, title))))
    return Handbook(tuple(chapters), root)


def _below(root: Path, items: list[Any], chapter: str) -> Iterator[Sheet]:
    for item in items:
        title, value = ("", item) if isinstance(item, str) else next(iter(item.items()))
        if isinstance(value, str):
            yield _sheet(root, value, title, chapter)
        else:
            yield from _below(root, value, chapter)


def _sheet(root: Path, path: str, title: str, chapter: str) -> Sheet:
    source = (root / path).read_text("utf-8")
    return Sheet(name_of(path), title or plain(titled(source)[0]) or path, chapter, path, source)


def name_of(path: str) -> str:
    """`users/refs.md` is the page `users/refs`, `agents/index.md` the page `agents`, `index.md` the page ``."""
    name = path.removesuffix(".md")
    return posixpath.dirname(name) if posixpath.basename(name) == "index" else name
