"""Background work of the accounts domain."""

from __future__ import annotations

from django.contrib.sessions.models import Session
from django.utils import timezone

from micelio.accounts import actions, unconfirmed
from micelio.jobs.job import job


@job(daily=True)
def purge_expired() -> int:
    """Once a day: remove tokens, links and browser sessions that have run out. Returns how many."""
    removed, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return removed + actions.purge_expired()


@job(daily=True)
def remove_unconfirmed() -> int:
    """Once a day: remove sign-ups that nobody confirmed. Returns how many."""
    return unconfirmed.remove_unconfirmed()
