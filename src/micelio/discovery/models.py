"""What speaks for a project, and how many projects a topic or a language has, as of a few minutes ago."""

from __future__ import annotations

from django.db import models


class Standing(models.Model):
    """One project among all: when it moved last, and what of it counts for how popular it is.

    `new_stars`, `landings`, `people` and `agents` are those of the last week; `people` landed without an agent,
    `agents` are names of agents that landed. Says nothing of who may read.
    """

    project = models.OneToOneField("projects.Project", on_delete=models.CASCADE, primary_key=True, related_name="+")
    score = models.PositiveBigIntegerField()
    stars = models.PositiveIntegerField(default=0)
    new_stars = models.PositiveIntegerField(default=0)
    landings = models.PositiveIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)
    agents = models.PositiveIntegerField(default=0)
    # The newest landing, or when the project was made.
    moved_at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=["-score", "project"], name="standing_by_score"),
            models.Index(fields=["-moved_at", "project"], name="standing_by_move"),
        )

    def __str__(self) -> str:
        return f"{self.project_id}: {self.score}"


class Kind(models.IntegerChoices):
    """What projects are gathered by."""

    TOPIC = 1
    LANGUAGE = 2


class Gathering(models.Model):
    """How many public projects have a topic, or are to a tenth at least in a language."""

    id = models.BigAutoField(primary_key=True)
    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    name = models.CharField(max_length=35)
    projects = models.PositiveIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["kind", "name"], name="one_gathering_a_name"),)

    def __str__(self) -> str:
        return f"{self.name}: {self.projects}"
