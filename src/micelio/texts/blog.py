"""The blog: posts of this version of Micelio, and of whoever runs the forge (`MICELIO_BLOG_DIR`)."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mic.core.errors import NotFound, Unavailable
from micelio.config import current
from micelio.texts.folders import folder
from micelio.texts.front_matter import Post, read_post

# Files of one folder that are looked at, and bytes of one.
MOST_POSTS = 1000
MOST_BYTES = 512 * 1024
MOST_PICTURE_BYTES = 4 << 20
PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


@dataclass(frozen=True)
class Blog:
    """The posts, newest first, and a sentence for each file that is none."""

    posts: tuple[Post, ...]
    skipped: tuple[str, ...]

    def post(self, slug: str) -> Post:
        """Raises NotFound."""
        for post in self.posts:
            if post.slug == slug:
                return post
        raise NotFound(f"The blog has no post `{slug[:100]}`.", hint="All posts are listed at /blog.")


def blog() -> Blog:
    """The blog as it is at this moment. Raises Unavailable when the folder of the forge's own cannot be read."""
    posts: dict[str, Post] = {}
    skipped: list[str] = []
    for place in _folders():
        for path, status in _files(place):
            found = _read(path, status.st_mtime_ns, status.st_size)
            if isinstance(found, str):
                skipped.append(f"{path} is not shown in the blog: {found}.")
            elif found.slug in posts and posts[found.slug] is not found:
                skipped.append(f"{path} is not shown in the blog: another post is called {found.slug} already.")
            else:
                posts[found.slug] = found
    return Blog(tuple(sorted(posts.values(), key=lambda post: (post.date, post.slug), reverse=True)), tuple(skipped))


def picture(name: str) -> tuple[bytes, str]:
    """A picture that lies among the posts, and its type. Raises NotFound, Unavailable."""
    kind = PICTURES.get(os.path.splitext(name)[1].lower())
    for place in _folders() if kind else ():
        for path in _listed(place):
            if path.name == name and kind and path.stat().st_size <= MOST_PICTURE_BYTES:
                return path.read_bytes(), kind
    raise NotFound(f"The blog has no picture `{name[:100]}`.", hint="All posts are listed at /blog.")


def _folders() -> list[Path]:
    own = current().blog_dir
    return [folder() / "blog", *([own] if own is not None else [])]


def _listed(place: Path) -> list[Path]:
    """Plain files of a folder, by name; what begins with a dot is nobody's to see."""
    try:
        names = sorted(each.name for each in os.scandir(place) if each.is_file() and not each.name.startswith("."))
    except OSError as error:
        raise Unavailable(
            f"The folder of the blog cannot be read: {error.strerror}.",
            hint="Whoever runs the forge set MICELIO_BLOG_DIR.",
        ) from error
    return [place / name for name in names]


def _files(place: Path) -> list[tuple[Path, os.stat_result]]:
    found = [path for path in _listed(place) if path.name.endswith(".md") and path.name != "README.md"]
    return [(path, path.stat()) for path in found[-MOST_POSTS:] if stat.S_ISREG(path.stat().st_mode)]


@lru_cache(maxsize=2 * MOST_POSTS)
def _read(path: Path, changed: int, size: int) -> Post | str:
    """The post, or what is wrong with it. Read again when the file has another time or size."""
    if size > MOST_BYTES:
        return f"it is longer than {MOST_BYTES:,} bytes"
    try:
        return read_post(path.name, path.read_text("utf-8"))
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    except ValueError as error:
        return str(error)
