"""Owner and reader beside admin and member. Of an organization's admins the one who came first becomes its owner."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def first_admins_own(apps: Any, schema_editor: Any) -> None:
    """Whoever made an organization came first. One that has an owner stays as it is: this may run again."""
    memberships = apps.get_model("organizations", "Membership").objects
    owned = set(memberships.filter(role="owner").values_list("organization_id", flat=True))
    first = {}
    for row in memberships.filter(role="admin").order_by("-created_at", "-id").values_list("organization_id", "id"):
        first[row[0]] = row[1]
    chosen = [id for organization, id in first.items() if organization not in owned]
    memberships.filter(id__in=chosen).update(role="owner")


def owners_are_admins(apps: Any, schema_editor: Any) -> None:
    memberships = apps.get_model("organizations", "Membership").objects
    memberships.filter(role="owner").update(role="admin")
    memberships.filter(role="reader").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(
                choices=[("owner", "Owner"), ("admin", "Admin"), ("member", "Member"), ("reader", "Reader")],
                max_length=16,
            ),
        ),
        migrations.RunPython(first_admins_own, owners_are_admins),
    ]
