"""The thread that makes exports. What waits is in the database, and found there again."""

from __future__ import annotations

from micelio.exports.models import OPEN, Export, State
from micelio.jobs.run import claim
from micelio.jobs.run_thread import RunThread

# Between two looks through the database, in seconds: only what another process left is found by it.
SWEEP = 60.0


def work_on_one() -> bool:
    """Make the export that has waited longest; whether there was one."""
    from micelio.exports.make import carry_out

    row = claim(Export.objects.filter(state__in=OPEN).order_by("created_at"), lambda row: State.RUNNING)
    if row is None:
        return False
    carry_out(row)
    return True


thread = RunThread("exports", work_on_one, lambda: SWEEP)
