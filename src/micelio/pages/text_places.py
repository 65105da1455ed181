"""Where links in the forge's own texts lead: pages of the handbook, posts, pictures among them."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from micelio.pages.addresses import quote_path
from micelio.pages.markdown import anchor, resolve
from micelio.texts.handbook import name_of

_REL = "noopener"


@dataclass(frozen=True)
class InHandbook:
    """A page of the handbook, by its path below `docs`."""

    path: str

    @property
    def rel(self) -> str:
        return _REL

    def link(self, path: bytes, fragment: str) -> str | None:
        found = resolve(posixpath.dirname(self.path).encode(), path)
        if found is None:
            return None
        if not found.endswith(b".md"):
            return f"/docs/{quote_path(found)}".rstrip("/")
        name = name_of(found.decode("utf-8", "replace"))
        return (f"/docs/{quote_path(name.encode())}" if name else "/docs") + anchor(fragment)

    def image(self, path: bytes) -> str | None:
        found = resolve(posixpath.dirname(self.path).encode(), path)
        return f"/docs/{quote_path(found)}" if found else None


@dataclass(frozen=True)
class InBlog:
    """A post: `other-post.md` is another one, a picture lies beside it, `/docs/...` is what it says."""

    @property
    def rel(self) -> str:
        return _REL

    def link(self, path: bytes, fragment: str) -> str | None:
        if path.startswith(b"/"):
            return quote_path(path) + anchor(fragment)
        found = resolve(b"", path)
        return f"/blog/{quote_path(found)}" + anchor(fragment) if found else None

    def image(self, path: bytes) -> str | None:
        found = resolve(b"", path)
        return f"/blog/pictures/{quote_path(found)}" if found else None
