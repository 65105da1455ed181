"""Rows derived from the log, for lists and look-ups. All can be made again: `micelio rebuild`.

`OpenSession` is the one exception in spirit: it mirrors `sessions/{id}.bin` of the bucket for sessions that
have not landed.
"""

from __future__ import annotations

from django.db import models


def storable(text: str) -> str:
    """Text as a row holds it. PostgreSQL refuses NUL; the session object keeps it."""
    return text.replace("\x00", "\ufffd")


class Landing(models.Model):
    """One landing of a project, from its record and session object."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="+")
    position = models.PositiveBigIntegerField()
    session_id = models.BinaryField(max_length=16)
    goal = models.TextField()
    author_name = models.TextField()
    author_email = models.TextField()
    # Null for a landing without an account, such as an imported commit.
    owner_id = models.UUIDField(null=True)
    agent = models.TextField(blank=True)
    landed_at = models.DateTimeField()
    authored_at = models.DateTimeField()
    files = models.PositiveIntegerField()
    decisions = models.PositiveIntegerField()
    messages = models.PositiveIntegerField()
    git_commit = models.BinaryField(max_length=32, null=True)
    base_position = models.PositiveBigIntegerField(default=0)
    # Its session says who wrote which lines. A front end of an earlier version knows no such column, nor such sessions.
    attributed = models.BooleanField(db_default=False, default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "position"], name="one_landing_a_position"),)
        indexes = (
            models.Index(fields=["project", "session_id"], name="landing_by_session"),
            # Which landing a commit is that somebody names: a tag, a person who is to be forgotten.
            models.Index(
                fields=["project", "git_commit"],
                condition=models.Q(git_commit__isnull=False),
                name="landing_by_commit",
            ),
            # Pages of people and of organizations: what was landed here, which imported histories were not.
            models.Index(
                fields=["owner_id", "landed_at"], condition=models.Q(owner_id__isnull=False), name="landing_by_person"
            ),
            models.Index(
                fields=["project", "landed_at"], condition=models.Q(owner_id__isnull=False), name="landing_by_time"
            ),
        )

    def __str__(self) -> str:
        return f"@{self.position}"


class LastChange(models.Model):
    """The newest landing that touched a child of a directory (the child itself or anything below it)."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="+")
    directory = models.BinaryField()
    name = models.BinaryField()
    position = models.PositiveBigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["project", "directory", "name"], name="one_last_change_a_child"),
        )

    def __str__(self) -> str:
        return f"@{self.position}"


class Projection(models.Model):
    """How far the rows of a project follow its log."""

    project = models.OneToOneField("projects.Project", on_delete=models.CASCADE, primary_key=True, related_name="+")
    position = models.PositiveBigIntegerField(default=0)
    decisions = models.PositiveBigIntegerField(default=0)
    # How far Git objects were made ahead of whoever asks for them.
    git_position = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"@{self.position}"


class OpenSession(models.Model):
    """A session that has not landed."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="+")
    session_id = models.BinaryField(max_length=16)
    owner_id = models.UUIDField()
    goal = models.TextField()
    state = models.PositiveSmallIntegerField()
    # Accepted to be landed, and not landed yet.
    queued = models.BooleanField(default=False)
    base_position = models.PositiveBigIntegerField()
    agent = models.TextField(blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    # When its work was pushed last.
    pushed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "session_id"], name="one_row_a_session"),)
        indexes = (
            models.Index(fields=["project", "state", "session_id"], name="open_session_by_state"),
            models.Index(fields=["project", "session_id"], condition=models.Q(queued=True), name="open_session_queued"),
            models.Index(
                fields=["project", "owner_id", "pushed_at"],
                condition=models.Q(pushed_at__isnull=False),
                name="open_session_pushed",
            ),
        )

    def __str__(self) -> str:
        return self.goal[:60]
