"""The one legal page of a forge: terms, privacy, cookies, imprint. Whoever hosts it is who must stand for it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from django.db import transaction

from mic.core.errors import InvalidInput, PreconditionFailed, TooLarge, Unavailable
from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.config import current
from micelio.operators.models import LegalText
from micelio.operators.policy import require_operating

# The page has 30 KiB compressed, and so has the one that changes it.
MOST_BYTES = 50_000
MOST_VERSIONS = 50

# What is true of every forge until its host says more. It names no host: that is for the host to do.
USUAL = (files("micelio.operators") / "usual_legal.md").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Legal:
    """The page as it is now. `version` 0 is the usual text; `fixed` says that a file of the host's has it."""

    text: str
    version: int
    fixed: bool


@dataclass(frozen=True, slots=True)
class Version:
    """A text that counted from a time on."""

    number: int
    made_by: str
    created_at: datetime
    characters: int


def legal() -> Legal:
    """What everybody may read."""
    name = current().legal_file
    if name is not None:
        return Legal(_read(name), 0, True)
    newest = LegalText.objects.order_by("-id").first()
    return Legal(newest.text, newest.pk, False) if newest is not None else Legal(USUAL, 0, False)


def legal_versions(actor: Actor) -> list[Version]:
    """What counted before, the newest first. Raises PermissionDenied."""
    require_operating(actor)
    rows = LegalText.objects.order_by("-id")[:MOST_VERSIONS]
    return [Version(row.pk, row.made_by, row.created_at, len(row.text)) for row in rows]


@transaction.atomic
def set_legal(actor: Actor, text: str, seen: int) -> Legal:
    """Put a new text in force. `seen` is the version that its author began with.

    Raises PermissionDenied, InvalidInput, TooLarge; PreconditionFailed when there is a newer one, or a file has it.
    """
    require_operating(actor)
    text = text.replace("\r\n", "\n").strip() + "\n"
    if not text.strip() or "\x00" in text:
        raise InvalidInput("The page would be empty, or holds a NUL.", hint="Write what counts here.")
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise TooLarge(f"The page is longer than {MOST_BYTES:,} bytes.", hint="Shorten it, and link to the rest.")
    before = legal()
    if before.fixed:
        raise PreconditionFailed("The page comes from the file that MICELIO_LEGAL_FILE names.", hint="Edit that.")
    if before.version != seen:
        raise PreconditionFailed("Somebody else has changed the page meanwhile.", hint="Look at it, then change it.")
    if text == before.text:
        return before
    row = LegalText.objects.create(text=text, made_by=actor.handle)
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    record(
        actor, "legal.change", "forge", "legal", "the legal page", before=before.version, after=row.pk, digest=digest
    )
    return Legal(text, row.pk, False)


def _read(name: Path) -> str:
    try:
        stat = name.stat()
        return _text(name, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise Unavailable(
            f"The legal page cannot be read: {error.strerror}.", hint="Whoever runs the forge set MICELIO_LEGAL_FILE."
        ) from error


@lru_cache(maxsize=1)
def _text(name: Path, changed: int, size: int) -> str:
    with open(name, "rb") as file:
        return file.read(MOST_BYTES).decode("utf-8", "replace")
