"""Background work of the mail room."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from micelio.config import current
from micelio.jobs.job import job
from micelio.mail import outbox, smtp
from micelio.mail.models import Letter, State

# Seconds before the next attempt. Most links live an hour or a day, so the first ones come soon.
BACKOFF = (10, 60, 300, 900, 3600, 4 * 3600, 12 * 3600)


@job(backoff=BACKOFF)
def deliver(letter_id: str) -> str:
    """Send one letter; its state. It may come twice, under one Message-ID, when the forge dies right after sending."""
    row = Letter.objects.filter(id=letter_id, state=State.WAITING).first()
    place = current().postal
    if row is None or place is None:
        return "none"
    if row.expires_at <= timezone.now():
        outbox.settle(row, State.EXPIRED)
        return row.state
    Letter.objects.filter(id=row.id).update(attempts=F("attempts") + 1)
    try:
        smtp.send(place, row, outbox.contents_of(row))
    except smtp.Refused as error:
        outbox.settle(row, State.REFUSED, str(error))
        return row.state
    except smtp.NotNow as error:
        Letter.objects.filter(id=row.id).update(trouble=str(error)[:300])
        raise
    outbox.settle(row, State.SENT)
    return row.state


@job(daily=True)
def purge() -> int:
    """Once a day: empty and forget letters."""
    return outbox.purge()
