"""What stands above a post: a few lines `name: value` between two lines of three hyphens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_NAMES = frozenset({"title", "date", "author", "summary"})
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_LONGEST = 300


@dataclass(frozen=True)
class Post:
    """A text of the blog. `slug` is its place in the address; a date without a time is the day's first moment, UTC."""

    slug: str
    title: str
    date: datetime
    author: str
    summary: str
    body: str
    source: str

    @property
    def address(self) -> str:
        return f"/blog/{self.slug}"


def read_post(name: str, source: str) -> Post:
    """The post in a file. Raises ValueError with what is wrong, in words that end a sentence."""
    slug = re.sub(r"\A\d{4}-\d{2}-\d{2}-", "", name.removesuffix(".md"))
    if not _SLUG.match(slug) or len(slug) > 100:
        raise ValueError("its name is to be small letters, digits and single hyphens, ending in .md")
    lines = source.replace("\r\n", "\n").split("\n")
    if lines[0].strip() != "---" or "---" not in [line.strip() for line in lines[1:20]]:
        raise ValueError("it does not begin with lines `title:` and `date:` between two lines `---`")
    end = next(number for number, line in enumerate(lines[1:], 1) if line.strip() == "---")
    values = _values(lines[1:end])
    if not values.get("title"):
        raise ValueError("it says no `title:`")
    if "date" not in values:
        raise ValueError("it says no `date:`")
    body = "\n".join(lines[end + 1 :]).strip("\n") + "\n"
    return Post(
        slug, values["title"], _date(values["date"]), values.get("author", ""), values.get("summary", ""), body, source
    )


def _values(lines: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        if not colon or name not in _NAMES:
            raise ValueError(f"`{line.strip()[:40]}` is none of {', '.join(f'`{each}:`' for each in sorted(_NAMES))}")
        if name in values:
            raise ValueError(f"it says `{name}:` twice")
        if len(value) > _LONGEST:
            raise ValueError(f"its `{name}:` is longer than {_LONGEST} characters")
        values[name] = value
    return values


def _date(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"its date `{text[:40]}` is none; write 2026-11-30") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
