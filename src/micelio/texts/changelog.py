"""The changelog: what the releases brought (`CHANGELOG.md`), and above it what this version adds (`changelog.d/`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from mic.version import VERSION
from micelio.languages.spoken import gettext_noop
from micelio.texts.folders import folder
from micelio.texts.headings import parts

KINDS = {
    "security": gettext_noop("Security"),
    "added": gettext_noop("Added"),
    "changed": gettext_noop("Changed"),
    "fixed": gettext_noop("Fixed"),
    "removed": gettext_noop("Removed"),
}
_FRAGMENT = re.compile(r"([a-z0-9-]+)\.(added|changed|fixed|removed|security)\.md\Z")
_RELEASE = re.compile(r"v?(\d+(?:\.\d+)+)\s*(?:[-–,(]\s*(\d{4}-\d{2}-\d{2}))?")


@dataclass(frozen=True)
class Change:
    """One thing that somebody would notice. `name` is its place on the page."""

    name: str
    kind: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Release:
    """What a version brought: `changes` of the version that runs, `text` of an earlier one."""

    version: str
    at: datetime
    changes: tuple[Change, ...] = ()
    text: str = ""

    def of(self, kind: str) -> list[Change]:
        return [change for change in self.changes if change.kind == kind]

    @property
    def source(self) -> str:
        """As Markdown, with its heading."""
        body = self.text
        for kind, words in KINDS.items():
            if found := self.of(kind):
                items = "\n".join("- " + change.text.replace("\n", "\n  ") for change in found)
                body += f"### {words}\n\n{items}\n\n"
        return f"## {self.version}\n\n{body.strip()}\n"


@cache
def changelog() -> tuple[Release, ...]:
    """The releases, newest first; read once, for they do not change while a forge runs."""
    return read_changelog(folder())


def read_changelog(place: Path) -> tuple[Release, ...]:
    """What lies in `changelog.d` and `CHANGELOG.md` of a folder.

    A fragment has no date. It counts from when its file came to be here: the checkout's or the installation's time,
    which is when this forge began to have it.
    """
    changes = []
    for path in sorted((place / "changelog.d").glob("*.md")):
        match = _FRAGMENT.match(path.name)
        if match:
            at = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
            changes.append(Change(f"{match[2]}-{match[1]}", match[2], path.read_text("utf-8").strip(), at))
    releases = []
    if changes:
        releases.append(Release(VERSION, max(change.at for change in changes), tuple(changes)))
    gathered = place / "CHANGELOG.md"
    if gathered.is_file():
        releases += _gathered(gathered)
    return tuple(releases)


def _gathered(path: Path) -> list[Release]:
    """Releases under headings such as `## 0.2.0 - 2026-10-01`; without a date they have the file's."""
    written = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    found: list[Release] = []
    for part in parts(path.read_text("utf-8")):
        match = _RELEASE.match(part.title) if part.level == 2 else None
        if match:
            at = datetime.fromisoformat(match[2]).replace(tzinfo=UTC) if match[2] else written
            found.append(Release(match[1], at, (), part.body))
        elif found and part.level > 2:
            before = found[-1]
            text = f"{before.text}\n\n{'#' * part.level} {part.title}\n\n{part.body}".strip()
            found[-1] = Release(before.version, before.at, (), text)
    return found
