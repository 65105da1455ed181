"""Sealing the audit log, and checking the seals.

An event is sealed some minutes after it was added, not with it: one chain that every act had to extend would let them
all wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from micelio.audit.chain import BEGINNING, advance
from micelio.audit.models import AuditEvent, AuditSeal

# Events under one seal, so that checking one never needs more than so many rows at once.
MOST = 10_000
# One number for the whole database: "micelio audit".
_LOCK = 0x6D696361


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. `broken` says what is wrong, "" when nothing is; `digest` is that of the last sound seal."""

    events: int
    seals: int
    digest: str
    broken: str = ""


def wait_for_seal() -> None:
    """Before an event is added: where writers do not queue anyway, no seal may pass one that is under way."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])


def seal() -> int:
    """Seal what was added since the last seal; how many events."""
    done = 0
    while count := _seal_some():
        done += count
    return done


@transaction.atomic
def _seal_some() -> int:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    newest = AuditSeal.objects.order_by("-last").first()
    behind = newest.last if newest else 0
    events = list(AuditEvent.objects.filter(id__gt=behind).order_by("id")[:MOST])
    if not events:
        return 0
    previous = bytes.fromhex(newest.digest) if newest else BEGINNING
    digest, count = advance(previous, events)
    AuditSeal.objects.create(
        first=events[0].pk, last=events[-1].pk, count=count, previous=previous.hex(), digest=digest.hex()
    )
    return count


def check(known: str = "") -> Checked:
    """Compute the whole chain again. `known` is a digest that somebody noted: it must be in the chain."""
    digest, events, seals, behind, seen = BEGINNING, 0, 0, 0, not known
    for found in AuditSeal.objects.order_by("last").iterator():
        rows = AuditEvent.objects.filter(id__gt=behind, id__lte=found.last).order_by("id")
        expected, count = advance(digest, rows.iterator())
        if found.previous != digest.hex() or found.digest != expected.hex() or found.count != count:
            why = f"the events {found.first} to {found.last} are not the {found.count} that were sealed"
            return Checked(events, seals, digest.hex(), why)
        digest, behind = expected, found.last
        events, seals, seen = events + count, seals + 1, seen or found.digest == known.lower()
    if not seen:
        return Checked(events, seals, digest.hex(), f"no seal has the digest {known}: the log was made anew or cut off")
    return Checked(events, seals, digest.hex())
