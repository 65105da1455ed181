"""What can be searched, as rows derived from the log. All of it can be made again.

Whether somebody may see a row is never written here: it is asked of the project, in the query that finds the row.
"""

from __future__ import annotations

from django.db import models


class Kind(models.IntegerChoices):
    """What a row tells of."""

    CODE = 1
    SESSION = 2
    DECISION = 3


class Document(models.Model):
    """A file at the head of main, what a landed session was for, or one of its decisions.

    The database keeps the pieces of three characters beside the rows by itself; see `pieces`.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="+")
    # SHA-256 of what it is: kind, path, position, number. A path alone is too long for an index.
    key = models.BinaryField(max_length=32)
    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    # On which of two shelves its pieces stand, those of public projects or the others. Says nothing of who may read.
    open = models.BooleanField()
    # Of a file: its path, as bytes and as people read it, its language and the SHA-256 of what was in it.
    path = models.BinaryField(blank=True, default=b"")
    name = models.TextField(blank=True, default="")
    language = models.CharField(max_length=24, blank=True, default="")
    content = models.BinaryField(max_length=32, null=True)
    # Of a session or a decision: the landing, the number of the decision in it, and who it was.
    position = models.PositiveBigIntegerField(default=0)
    number = models.PositiveIntegerField(default=0)
    author = models.TextField(blank=True, default="")
    owner_id = models.UUIDField(null=True)
    agent = models.TextField(blank=True, default="")
    at = models.DateTimeField(null=True)
    # Characters of the text.
    size = models.PositiveIntegerField()
    text = models.TextField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "key"], name="one_document_a_thing"),)
        indexes = (
            models.Index(fields=["project", "kind", "id"], name="document_by_project"),
            models.Index(fields=["project", "content"], name="document_by_content"),
            models.Index(
                fields=["owner_id", "id"], condition=models.Q(owner_id__isnull=False), name="document_by_owner"
            ),
        )

    def __str__(self) -> str:
        return self.name or f"@{self.position}"


class Touched(models.Model):
    """Paths that a landing changed, a line each in their order, as people read them; many in several parts.

    Says nothing of who may read, as every row here.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="+")
    position = models.PositiveBigIntegerField()
    part = models.PositiveIntegerField()
    names = models.TextField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "position", "part"], name="one_part_of_touched"),)

    def __str__(self) -> str:
        return f"@{self.position}"


class Language(models.Model):
    """How many characters of the files at the head of main are of a language, and how many thousandths of the counted.

    What is no program (`shares.NOT_COUNTED`) has no row.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="languages")
    name = models.CharField(max_length=24)
    characters = models.PositiveBigIntegerField()
    share = models.PositiveSmallIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "name"], name="one_share_a_language"),)
        indexes = (models.Index(fields=["name", "share"], name="language_by_share"),)

    def __str__(self) -> str:
        return f"{self.name} {self.share / 10:.1f} %"


class Indexed(models.Model):
    """How far the documents of a project follow its log.

    `tree` is the root that its files stand for, `aims` are roots one behind the other whose files were begun to be
    written since and not finished.
    """

    project = models.OneToOneField("projects.Project", on_delete=models.CASCADE, primary_key=True, related_name="+")
    position = models.PositiveBigIntegerField(default=0)
    files_position = models.PositiveBigIntegerField(default=0)
    tree = models.BinaryField(max_length=32, default=b"")
    aims = models.BinaryField(default=b"", blank=True)
    open = models.BooleanField(default=False)
    # How far the paths that landings changed stand.
    paths_position = models.PositiveBigIntegerField(default=0, db_default=0)
    # How often something that sessions said was erased: whoever read them before that begins again.
    reworded = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"@{self.position}"
