"""Background work of sessions."""

from __future__ import annotations

from datetime import timedelta

from micelio.jobs.job import job
from micelio.sessions.git_ahead import catch_up_with_git
from micelio.sessions.search_again import search_again

# Of every five minutes, so that other jobs have their turn.
SECONDS = 60.0


# The limit leaves room for one landing with a content as large as there may be.
@job(every=timedelta(minutes=5), limit=timedelta(hours=6))
def search_the_past() -> int:
    """Search landings by rules that came after them; how many findings are new."""
    return search_again(SECONDS)


@job(every=timedelta(minutes=10), limit=timedelta(hours=6))
def make_git_objects() -> int:
    """Make the Git objects of projects that are far ahead of them; how many projects there were."""
    return catch_up_with_git()
