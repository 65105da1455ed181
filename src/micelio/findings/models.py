"""Findings as rows, and how far a project was searched by which rules."""

from __future__ import annotations

from django.db import models

REASON = 500
NOTE = 500


class Source(models.TextChoices):
    """What brought a finding here."""

    IMPORT = "import"
    RULES = "rules"
    REPORT = "report"


class State(models.TextChoices):
    """What an admin said of it: nothing yet, that it may stay, or that it opens nothing any more."""

    OPEN = "open"
    ALLOWED = "allowed"
    REVOKED = "revoked"


class SecretFinding(models.Model):
    """A secret at one place: in the file `path`, or with no path in the words of a session or a commit.

    `place` is the SHA-256 of what says where, so that long paths need no long index. `position` is the first landing
    that has it, 0 while it is kept out. `rules` is the version that found it, 0 for a report; a report has the
    reporter's own words in `note`, searched for secrets like all words.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="+")
    fingerprint = models.CharField(max_length=32)
    place = models.CharField(max_length=64)
    source = models.CharField(max_length=16, choices=Source.choices)
    rule = models.CharField(max_length=64)
    rules = models.PositiveIntegerField()
    path = models.BinaryField(default=b"")
    session_id = models.BinaryField(max_length=16, null=True)
    position = models.PositiveBigIntegerField()
    line = models.PositiveBigIntegerField(default=0)
    column = models.PositiveBigIntegerField(default=0)
    excerpt = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=NOTE, blank=True)
    reporter_id = models.UUIDField(null=True)
    reporter = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=45, blank=True)
    found_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    reason = models.CharField(max_length=REASON, blank=True)
    decided_by = models.CharField(max_length=64, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "place", "fingerprint"], name="one_finding_a_place"),)
        indexes = (
            models.Index(fields=["project", "state", "id"], name="finding_by_state"),
            models.Index(fields=["address", "found_at"], name="finding_by_address"),
            models.Index(fields=["reporter_id", "found_at"], name="finding_by_reporter"),
        )

    def __str__(self) -> str:
        return f"{self.rule} in {self.project_id}"


class Searched(models.Model):
    """How far a project's landings were looked through by the rules of a version; `done` when up to its head."""

    project = models.OneToOneField("projects.Project", on_delete=models.CASCADE, primary_key=True, related_name="+")
    rules = models.PositiveIntegerField()
    position = models.PositiveBigIntegerField(default=0)
    done = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"@{self.position} by rules {self.rules}"
