"""Runs that fetch an archive, as rows: from where, how far, and what became of it."""

from __future__ import annotations

from django.db import models

from micelio.jobs.run import Run


class State(models.TextChoices):
    """`resting`: the other forge asked for a pause, or did not answer. The last three are ends."""

    WAITING = "waiting"
    RUNNING = "running"
    RESTING = "resting"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"


OPEN = (State.WAITING, State.RUNNING, State.RESTING)


class ArchiveRun(Run):
    """One run. What it found lies in the store, under `projects/{project}/archive/`; a token lies nowhere.

    Its `worker` alone may work on it where a token is needed: it was given that. `stage` is the list
    that is being read, `done` counts records by kind, `attempts` how often it did not go on. `cleared`:
    what a canceled run has fetched was removed.
    """

    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="+")
    provider = models.CharField(max_length=16)
    source = models.CharField(max_length=500)
    with_token = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    stage = models.CharField(max_length=32, blank=True)
    pages = models.PositiveBigIntegerField(default=0)
    done = models.JSONField(default=dict)
    warnings = models.PositiveIntegerField(default=0)
    cleared = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    rests_until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(state__in=OPEN), name="one_open_archive_run_a_project"
            ),
        )
        indexes = (models.Index(fields=["project", "created_at"], name="archive_runs_of_project"),)

    def __str__(self) -> str:
        return self.source
