"""The outbox: letters are written into it in the transaction of the act that they tell of.

With a mail server a job sends each, again and again until it is taken or worth nothing any more. Without one it goes to
the log and waits for an administrator, who hands it over. The contents of a letter may open an account: they are
encrypted in the row, gone once the letter is, and in the log only where there is no other way to get them out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from mic.core.errors import InvalidInput, NotFound
from micelio.config import current
from micelio.mail.contents import Contents, from_json, one_line
from micelio.mail.models import Letter, State
from micelio.vault import keyring

_log = logging.getLogger("micelio.mail")
_PURPOSE = "mail"
SUBJECT_LENGTH = 200
# What is known of a letter is kept so long, without its contents.
KEEP = timedelta(days=14)
# An administrator looks at so many at once.
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class LetterView:
    """A letter that did not go out. `trouble` is what the mail server said, "" when it was not asked."""

    id: UUID
    to: str
    subject: str
    created_at: datetime
    expires_at: datetime
    attempts: int
    trouble: str
    refused: bool


def post(to: str, subject: str, contents: Contents, lasts: timedelta) -> None:
    """Send a letter, within `lasts` or never. Must run inside the transaction of the act. Raises InvalidInput."""
    assert connection.in_atomic_block, "a letter belongs to the transaction of its act"
    try:
        validate_email(to)
    except ValidationError as error:
        raise InvalidInput(f"{to[:80]!r} is not an e-mail address.", hint="Use the form name@example.org.") from error
    now = timezone.now()
    row = Letter.objects.create(
        to=to,
        subject=one_line(subject, SUBJECT_LENGTH),
        sealed=keyring().seal(contents.as_json(), _PURPOSE),
        created_at=now,
        expires_at=now + lasts,
    )
    if current().postal is not None:
        _enqueue(row.id)
    else:
        transaction.on_commit(lambda: _tell(row, contents))


def contents_of(row: Letter) -> Contents:
    """What stands in a letter whose contents are still there."""
    return from_json(keyring().open(row.sealed, _PURPOSE))


def undelivered() -> list[LetterView]:
    """Letters that did not go out and are still worth it, newest first."""
    return [_view(row) for row in _undelivered().order_by("-created_at")[:MOST_SHOWN]]


def read(letter_id: UUID) -> tuple[LetterView, Contents]:
    """One of those with its contents, for whoever may hand it over. Raises NotFound."""
    row = _one(letter_id)
    return _view(row), contents_of(row)


def handed_over(letter_id: UUID) -> LetterView:
    """Somebody has told the addressee: the contents go. Raises NotFound."""
    row = _one(letter_id)
    settle(row, State.HANDED_OVER)
    return _view(row)


def again(letter_id: UUID) -> LetterView:
    """Try to send it once more, now. Raises NotFound, and InvalidInput without a mail server."""
    if current().postal is None:
        raise InvalidInput("This forge has no mail server.", hint="Set SMTP_HOST, or hand the letter over yourself.")
    row = _one(letter_id)
    Letter.objects.filter(id=row.id).update(state=State.WAITING, trouble="")
    _enqueue(row.id)
    return _view(row)


def settle(row: Letter, state: State, trouble: str = "") -> None:
    """The end of a letter: its contents are not needed any more, except where it may still be handed over."""
    row.state, row.trouble = state, one_line(trouble, 300)
    if state != State.REFUSED:
        row.sealed = ""
    row.sent_at = timezone.now() if state == State.SENT else None
    row.save(update_fields=["state", "trouble", "sealed", "sent_at"])


def purge() -> int:
    """Empty what is past its time, and forget what is long gone. Returns how many were forgotten."""
    now = timezone.now()
    late = Letter.objects.filter(state__in=[State.WAITING, State.REFUSED], expires_at__lte=now)
    late.update(state=State.EXPIRED, sealed="")
    removed, _ = Letter.objects.filter(created_at__lt=now - KEEP).delete()
    return removed


@transaction.atomic
def encrypt_anew() -> int:
    """Encrypt with the newest key what an older one has encrypted; how many letters."""
    ring, done = keyring(), 0
    for row in Letter.objects.select_for_update().exclude(sealed=""):
        if not ring.is_newest(row.sealed):
            row.sealed = ring.seal(ring.open(row.sealed, _PURPOSE), _PURPOSE)
            row.save(update_fields=["sealed"])
            done += 1
    return done


def _enqueue(letter_id: UUID) -> None:
    from micelio.mail.jobs import deliver

    deliver.enqueue(str(letter_id))


def _undelivered() -> QuerySet[Letter]:
    stuck = Q(state=State.REFUSED) | Q(state=State.WAITING)
    # With a mail server, one that is only minutes old and met no trouble is on its way.
    if current().postal is not None:
        on_its_way = Q(state=State.WAITING, trouble="", created_at__gt=timezone.now() - timedelta(minutes=5))
        stuck &= ~on_its_way
    return Letter.objects.filter(stuck, expires_at__gt=timezone.now()).exclude(sealed="")


def _one(letter_id: UUID) -> Letter:
    row = _undelivered().filter(id=letter_id).first()
    if row is None:
        raise NotFound("That letter is not waiting any more.", hint="Load the list again.")
    return row


def _view(row: Letter) -> LetterView:
    return LetterView(
        row.id, row.to, row.subject, row.created_at, row.expires_at, row.attempts, row.trouble,
        row.state == State.REFUSED,
    )  # fmt: skip


def _tell(row: Letter, contents: Contents) -> None:
    """The one place where a link goes to the log: nobody else would get it to where it belongs."""
    link = f" {contents.link}" if contents.link else ""
    _log.warning("no mail server; for %s: %s:%s", row.to, row.subject, link, extra={"whole": True})


def forget(addresses: Iterable[str]) -> int:
    """Remove all that is known of letters to these addresses; how many there were."""
    wanted = Q(pk__in=[])
    for address in addresses:
        wanted |= Q(to__iexact=address)
    removed, _ = Letter.objects.filter(wanted).delete()
    return removed
