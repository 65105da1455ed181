"""Sessions whose work was pushed are found again by their owner."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("landings", "0004_git_position")]

    operations = [
        migrations.AddField("opensession", "pushed_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "opensession",
            models.Index(
                fields=["project", "owner_id", "pushed_at"],
                condition=models.Q(("pushed_at__isnull", False)),
                name="open_session_pushed",
            ),
        ),
    ]
