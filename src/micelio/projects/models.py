"""Projects as rows. Their history is not here: see `ledgers`."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from micelio.organizations.roles import Role


class Visibility(models.TextChoices):
    """Who may read: everybody, or the members of the owner."""

    PUBLIC = "public"
    PRIVATE = "private"


class Whole(models.Manager["Project"]):
    """Projects, deleted ones too; no branches."""

    def get_queryset(self) -> models.QuerySet[Project]:
        return super().get_queryset().filter(line_of=None)


class Standing(Whole):
    """The projects that there are for everybody: not those that are deleted and can still be restored."""

    def get_queryset(self) -> models.QuerySet[Project]:
        return super().get_queryset().filter(deleted_at=None)


class Project(models.Model):
    """A project of an organization, or one of its branches.

    A branch is a line with an id of its own, which what is derived from its log refers to; all else about it is its
    project's. Its row is found by nothing that does not ask for `lines`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, related_name="+")
    handle = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    visibility = models.CharField(max_length=16, choices=Visibility.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    # Null for what is no fork, and for a fork whose origin is gone; the position tells the two apart.
    forked_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="forks")
    fork_position = models.PositiveBigIntegerField(null=True)
    # What an edge network knows the project by, only while it is public; see `cdn`.
    cdn_key = models.CharField(max_length=32, null=True, blank=True, unique=True, default=None, editable=False)
    # Set: everything can be read, nothing lands.
    archived_at = models.DateTimeField(null=True, blank=True, default=None)
    # Set: gone from every door, and restored or erased within days; see `deletion`.
    deleted_at = models.DateTimeField(null=True, blank=True, default=None, db_index=True)
    deleted_by = models.CharField(max_length=39, blank=True, default="")
    # Who may land where, as `protection` writes it; "" for what is not protected.
    protection = models.TextField(blank=True, default="")
    # What its objects take in the store as of the last look, when that was, and whether its owner may store no more;
    # see `limits`.
    stored_bytes = models.PositiveBigIntegerField(default=0)
    stored_objects = models.PositiveBigIntegerField(default=0)
    measured_at = models.DateTimeField(null=True, blank=True, default=None)
    full = models.BooleanField(default=False)
    # Words by which it is found, with a space between; see `topics`.
    topics = models.TextField(blank=True, default="", db_default="")
    # Of a branch: its project, its name and who began it. It begins at `fork_position` of `forked_from`, which is the
    # project or another branch; its owner is the project's, its handle one that no project can have.
    line_of = models.ForeignKey("self", on_delete=models.CASCADE, null=True, default=None, related_name="+")
    branch = models.CharField(max_length=200, blank=True, default="", db_default="")
    begun_by = models.CharField(max_length=39, blank=True, default="", db_default="")

    # `objects` stands first, so nothing finds a deleted project, or a branch, that does not ask for it by name.
    objects = Standing()
    everything = Whole()
    lines: models.Manager[Project] = models.Manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["owner", "handle"], name="one_project_per_handle"),
            models.UniqueConstraint(
                fields=["line_of", "branch"],
                condition=models.Q(line_of__isnull=False, deleted_at=None),
                name="one_branch_per_name",
            ),
        )

    def __str__(self) -> str:
        return self.handle


class ProjectMember(models.Model):
    """A role in one project, for somebody who need not belong to its owner. The stronger role counts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "user"], name="one_role_in_a_project"),)

    def __str__(self) -> str:
        return f"{self.user_id} in {self.project_id}"


class Topic(models.Model):
    """A topic of a project, for finding it; what counts stands in the project's own row."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="named_topics")
    name = models.CharField(max_length=35)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "name"], name="one_topic_a_name"),)
        indexes = (models.Index(fields=["name", "project"], name="topic_by_name"),)

    def __str__(self) -> str:
        return self.name


class Confinement(models.Model):
    """A fork holds what was private in `source`: its readers must read that, or belong to who owned it.

    It stays when the source is deleted, and goes when the source becomes public.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="confinements")
    source = models.UUIDField()
    organization = models.ForeignKey("organizations.Organization", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "source"], name="confined_once_a_source"),)
        indexes = (models.Index(fields=["source"], name="confinement_by_source"),)

    def __str__(self) -> str:
        return f"{self.project_id} within {self.organization_id}"


class FormerAddress(models.Model):
    """Where a project was before it got another handle or owner. It leads to the project as long as there is one."""

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey("organizations.Organization", on_delete=models.CASCADE, related_name="+")
    handle = models.CharField(max_length=100)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="former_addresses")
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["owner", "handle"], name="one_project_per_former_address"),)

    def __str__(self) -> str:
        return self.handle


class Star(models.Model):
    """An account's mark on a project that it wants to find again."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="stars")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    starred_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["project", "user"], name="one_star_each"),)

    def __str__(self) -> str:
        return f"{self.project_id} by {self.user_id}"


class OrganizationLimit(models.Model):
    """What one organization may have instead of what the settings say; null leaves a limit to them, 0 is none."""

    organization = models.OneToOneField(
        "organizations.Organization", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    public_projects = models.PositiveBigIntegerField(null=True, blank=True)
    private_projects = models.PositiveBigIntegerField(null=True, blank=True)
    stored_bytes = models.PositiveBigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"limits of {self.organization_id}"
