"""Runs of exports as rows: what was asked for by whom, how far it is, and the file that came of it."""

from __future__ import annotations

from django.db import models

from micelio.jobs.run import Run


class Kind(models.TextChoices):
    """`archive`: a project with everything, to be imported again. `json`: its history and sessions as JSON lines.

    `user`: what is held about the account that asks, as JSON lines.
    """

    ARCHIVE = "archive"
    JSON = "json"
    USER = "user"


class State(models.TextChoices):
    """`waiting`: nobody works on it yet. `done`: the file can be fetched until it has `expired`."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


OPEN = (State.WAITING, State.RUNNING)


class Export(Run):
    """One export. Its file lies in parts below `exports/{id}/` in the store.

    `open_sessions`: whether who asked was shown sessions that have not landed. `done` of `total` are bytes of the store
    for an archive, lines else; `erasures` is a hash of what had been erased when the file was made.
    """

    kind = models.CharField(max_length=12, choices=Kind.choices)
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, null=True, related_name="+")
    state = models.CharField(max_length=12, choices=State.choices)
    open_sessions = models.BooleanField(default=False)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=200, blank=True)
    erasures = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["started_by"], condition=models.Q(state__in=OPEN), name="one_open_export_a_person"
            ),
        )
        indexes = (models.Index(fields=["started_by", "created_at"], name="exports_of_person"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
