"""Background work: cards whose week is over."""

from __future__ import annotations

from django.utils import timezone

from micelio.jobs.job import job
from micelio.pages.card_shelf import forget_cards
from micelio.projects.ledgers import bucket


@job(daily=True)
def forget_old_cards() -> int:
    """Remove cards of earlier weeks from the store; how many."""
    return forget_cards(bucket(), timezone.now())
