"""Runs of imports as rows: what is brought from where, how far it is, and what became of it."""

from __future__ import annotations

from django.db import models

from micelio.jobs.run import Run

SOURCE = 1000


class State(models.TextChoices):
    """`receiving`: bytes are being sent. `waiting`: nobody works on it yet. The last three are ends."""

    RECEIVING = "receiving"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"


OPEN = (State.RECEIVING, State.WAITING, State.RUNNING)


class Stage(models.TextChoices):
    """What is done, in this order."""

    METADATA = "metadata"
    OBJECTS = "objects"
    LANDINGS = "landings"
    VALIDATION = "validation"
    FINALISATION = "finalisation"


class GitImport(Run):
    """One run. What it needs besides lies in the store, under `projects/{project}/git/imports/{id}/`.

    `source` holds no password. `from_forge` when the forge fetches by itself. `clock` is the first clock value of its
    landings, so that what is done twice is done alike; `packs` are the kept packs that it has written. `marked` counts
    what git's fsck calls errors, by message id; `aside` are refs that got other names.
    """

    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=SOURCE)
    from_forge = models.BooleanField(default=False)
    accept_secrets = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=12, choices=State.choices)
    stage = models.CharField(max_length=16, choices=Stage.choices, default=Stage.METADATA)
    pack = models.CharField(max_length=40, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    received = models.PositiveBigIntegerField(default=0)
    refs = models.PositiveIntegerField(default=0)
    objects_done = models.PositiveBigIntegerField(default=0)
    objects_total = models.PositiveBigIntegerField(default=0)
    landings_done = models.PositiveBigIntegerField(default=0)
    landings_total = models.PositiveBigIntegerField(default=0)
    marked = models.JSONField(default=dict)
    aside = models.JSONField(default=dict)
    packs = models.JSONField(default=list)
    onto = models.PositiveBigIntegerField(default=0)
    clock = models.PositiveBigIntegerField(default=0)
    position = models.PositiveBigIntegerField(default=0)
    document = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(state__in=OPEN), name="one_open_import_a_project"
            ),
        )
        indexes = (models.Index(fields=["project", "created_at"], name="imports_of_project"),)

    def __str__(self) -> str:
        return self.source
